package dev.weftline.benchmarks;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import picocli.CommandLine.Option;

/// How servers are started: options that every command shares.
final class Servers {
  static final Path SCRATCH = Path.of("benchmarks", "target", "runs");

  @Option(
      names = "--server-core",
      description = "processor of the servers, -1: any: ${DEFAULT-VALUE}")
  int serverCore = 0;

  @Option(
      names = "--client-core",
      description = "processor of the client, -1: any: ${DEFAULT-VALUE}")
  int clientCore = 1;

  @Option(names = "--flag", description = "one more JVM flag for every server; repeatable")
  private List<String> moreFlags = new ArrayList<>();

  List<String> flags() {
    var flags = new ArrayList<>(PeerProcess.FLAGS);
    flags.addAll(moreFlags);
    return flags;
  }

  String classPath() {
    return System.getProperty("java.class.path");
  }

  PeerProcess.Launch launch() {
    return launch(flags());
  }

  private PeerProcess.Launch launch(List<String> flags) {
    return new PeerProcess.Launch(classPath(), flags, serverCore, SCRATCH);
  }

  /// With a heap of pages that the kernel has given already. The first collections of a new process
  /// ask for them, which takes 30 to 70 ms each: a step of some seconds would measure that.
  PeerProcess.Launch launchTouched() {
    var flags = flags();
    flags.add("-XX:+AlwaysPreTouch");
    return launch(flags);
  }

  /// A server as anybody would run it, but for its heap.
  static PeerProcess.Launch withHeap(String heap) {
    return new PeerProcess.Launch(
        System.getProperty("java.class.path"),
        List.of(
            "-Xmx" + heap,
            "--enable-native-access=ALL-UNNAMED",
            "--add-opens=java.base/java.lang=ALL-UNNAMED"),
        -1,
        SCRATCH);
  }
}
