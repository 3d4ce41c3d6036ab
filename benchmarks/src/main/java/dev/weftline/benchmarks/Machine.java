package dev.weftline.benchmarks;

import java.io.File;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;

/// Where the figures come from, and what has to be installed there.
final class Machine {
  private static final Map<String, String> PACKAGES =
      Map.of("h2load", "nghttp2-client", "taskset", "util-linux", "haproxy", "haproxy");

  private Machine() {}

  /// Throws, with how to get it, when a program is missing.
  static void require(String... programs) {
    for (var program : programs) {
      program(program);
    }
  }

  /// Where a program is; throws, with how to get it, when it is missing.
  static Path program(String name) {
    // Debian keeps daemons where an ordinary user's PATH does not look.
    var directories = System.getenv("PATH") + File.pathSeparator + "/usr/sbin";
    for (var directory : directories.split(File.pathSeparator, -1)) {
      var file = Path.of(directory, name);
      if (Files.isExecutable(file)) {
        return file;
      }
    }
    throw new IllegalStateException(
        name + " is missing. On Debian and Ubuntu: apt-get install " + PACKAGES.get(name));
  }

  /// Keeps this process, with all its threads, to one processor; -1 leaves it where it is.
  static void pin(int core) throws IOException, InterruptedException {
    if (core < 0) {
      return;
    }
    var self = Long.toString(ProcessHandle.current().pid());
    var taskset =
        new ProcessBuilder("taskset", "-a", "-c", "-p", Integer.toString(core), self)
            .redirectErrorStream(true)
            .start();
    var said = new String(taskset.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    if (taskset.waitFor() != 0) {
      throw new IOException("taskset failed: " + said);
    }
  }

  /// What becomes of connections that nobody has accepted when one of several processes closes a
  /// port they share: Linux resets them, or hands them to the others.
  static String migratesConnections() throws IOException {
    var setting = Path.of("/proc/sys/net/ipv4/tcp_migrate_req"); // since Linux 5.14
    return "net.ipv4.tcp_migrate_req = "
        + (Files.exists(setting) ? Files.readString(setting).strip() : "unknown here");
  }

  /// In general words: what matters to the figures, not whose machine it is.
  static String describe() throws IOException {
    int cores = Runtime.getRuntime().availableProcessors();
    String cpu =
        Files.readString(Path.of("/proc/cpuinfo"))
            .lines()
            .filter(line -> line.startsWith("model name"))
            .map(line -> line.substring(line.indexOf(':') + 2))
            .findFirst()
            .orElse(System.getProperty("os.arch"));
    return cores
        + " cores of "
        + cpu
        + ", Linux "
        + System.getProperty("os.version").replaceAll("[^0-9.].*", "")
        + ", JDK "
        + Runtime.version();
  }

  /// The versions of the libraries, as their jars' names tell them.
  static String versions(String classPath, Map<String, String> jars) {
    var text = new StringBuilder();
    for (var entry : classPath.split(File.pathSeparator, -1)) {
      String jar = Path.of(entry).getFileName().toString();
      jars.forEach((prefix, name) -> {
        if (jar.matches(prefix + "-\\d.*\\.jar")) {
          String version = jar.substring(prefix.length() + 1, jar.length() - ".jar".length());
          text.append(text.isEmpty() ? "" : ", ").append(name).append(' ').append(version);
        }
      });
    }
    return text.toString();
  }
}
