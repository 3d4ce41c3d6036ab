package dev.weftline.benchmarks;

import com.google.protobuf.ByteString;
import dev.weftline.benchmarks.hello.Text;
import dev.weftline.benchmarks.hello.Total;
import dev.weftline.benchmarks.peer.Peer;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.TimeUnit;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/// `benchmarks/upload`: a client stream that is far larger than the server's memory.
@Command(
    name = "upload",
    mixinStandardHelpOptions = true,
    description =
        "A client sends pieces without end, the method goes through them in a loop. Watches the"
            + " server's memory.")
final class Upload implements Callable<Integer> {
  private static final String PATH = "/weftline.benchmarks.Hello/Upload";
  private static final int LOOKS = 20;
  private static final int PREFIX_BYTES = 5;

  /// What may be held more at the end than at the beginning: noise of a heap that does the same
  /// thing again and again.
  private static final long GROWTH_BYTES_MAX = 8L << 20;

  @Option(names = "--peer", description = "the server: ${DEFAULT-VALUE}")
  private String peer = Peer.WEFTLINE.id();

  @Option(names = "--pieces", description = "${DEFAULT-VALUE}")
  private int pieces = 10 << 10;

  @Option(names = "--bytes", description = "in each piece: ${DEFAULT-VALUE}")
  private int bytes = 1 << 20;

  @Option(names = "--heap", description = "of the server: ${DEFAULT-VALUE}")
  private String heap = "128m";

  /// @param heldBytes heap and direct memory after full collections, at even distances
  /// @param usedBytesMax heap and direct memory, what waits for collection included
  record Outcome(
      boolean whole,
      double seconds,
      List<Long> heldBytes,
      long usedBytesMax,
      long directBytesMax,
      long residentBytesMax) {
    /// Of what is held from the first quarter, when everything is loaded and compiled, to the end.
    long growthBytes() {
      return held() - Collections.max(heldBytes.subList(0, heldBytes.size() / 4));
    }

    long held() {
      return Collections.max(heldBytes);
    }
  }

  @Override
  public Integer call() throws IOException, InterruptedException {
    var outcome = measure();
    boolean met = outcome.whole && outcome.growthBytes() <= GROWTH_BYTES_MAX;
    Progress.result(
        String.format(
            "%s: %,d pieces of %,d bytes, server heap %s: %s, %.0f s, %,.0f MiB/s; held at most"
                + " %,.1f MiB, %,.1f MiB more than in the first quarter; heap and direct at most"
                + " %,d MiB, direct alone %,d KiB, resident %,d MiB."
                + " %s: all pieces, at most %,d MiB more",
            Peer.of(peer).label(),
            pieces,
            bytes,
            heap,
            outcome.whole ? "all arrived" : "NOT all arrived",
            outcome.seconds,
            (double) pieces * bytes / outcome.seconds / (1 << 20),
            mebibytes(outcome.held()),
            mebibytes(outcome.growthBytes()),
            outcome.usedBytesMax >> 20,
            outcome.directBytesMax >> 10,
            outcome.residentBytesMax >> 20,
            met ? "met" : "MISSED",
            GROWTH_BYTES_MAX >> 20));
    return met ? 0 : 1;
  }

  private static double mebibytes(long bytes) {
    return bytes / (double) (1 << 20);
  }

  Outcome measure() throws IOException, InterruptedException {
    byte[] piece =
        Scenario.prefixed(
            Text.newBuilder().setText(ByteString.copyFrom(new byte[bytes])).build(), 1);
    try (var server = PeerProcess.start(Peer.of(peer), Servers.withHeap(heap));
        var stream = UploadStream.open(server.port(), PATH)) {
      int looks = LOOKS;
      var held = new ArrayList<Long>();
      long used = 0;
      long direct = 0;
      long nanos = 0;
      int sent = 0;
      for (int look = 0; look < looks; look++) {
        int upTo = (int) ((long) pieces * (look + 1) / looks);
        long start = System.nanoTime();
        for (; sent < upTo; sent++) {
          stream.send(piece);
        }
        nanos += System.nanoTime() - start;
        var now = server.memory();
        used = Math.max(used, now.usedBytes());
        direct = Math.max(direct, now.directBytes());
        // The stream goes on: what is under way counts.
        held.add(server.collect().usedBytes());
        Progress.say(
            String.format(
                "%,d pieces: heap and direct %,d MiB, after a collection %,.1f MiB, resident %,d MiB",
                sent,
                now.usedBytes() >> 20,
                mebibytes(held.getLast()),
                server.residentBytes() >> 20));
      }
      long start = System.nanoTime();
      var total = total(stream.end());
      nanos += System.nanoTime() - start;
      boolean whole = total.getMessages() == pieces && total.getBytes() == (long) pieces * bytes;
      return new Outcome(
          whole,
          nanos / (double) TimeUnit.SECONDS.toNanos(1),
          held,
          used,
          direct,
          server.residentBytesMax());
    }
  }

  private static Total total(byte[] reply) throws IOException {
    if (reply.length < PREFIX_BYTES) {
      throw new IOException("the call ended without a reply");
    }
    return Total.parseFrom(ByteString.copyFrom(reply, PREFIX_BYTES, reply.length - PREFIX_BYTES));
  }
}
