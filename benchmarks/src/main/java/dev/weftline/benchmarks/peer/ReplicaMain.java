package dev.weftline.benchmarks.peer;

import java.nio.file.Path;

/// One replica in one process: `ReplicaMain <replica> <port> shared|alone [<certificates>]`. Says
/// and answers what [PeerMain] does, and ends with its input or by SIGTERM, whichever comes first.
public final class ReplicaMain {
  /// Another process may listen at the same port.
  public static final String SHARED = "shared";

  private ReplicaMain() {}

  @SuppressWarnings("SystemOut") // the control protocol
  public static void main(String[] args) throws Exception {
    Workshop.prepare();
    var place =
        new Replica.Place(
            Integer.parseInt(args[1]),
            args[2].equals(SHARED),
            args.length < 4 ? null : Path.of(args[3]));
    System.out.println(PeerMain.PREFIX + "ready " + Replica.of(args[0]).start(place));
    PeerMain.answerCommands();
    Runtime.getRuntime().halt(1); // its driver died: nobody reads this code
  }
}
