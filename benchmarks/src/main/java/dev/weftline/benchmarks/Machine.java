package dev.weftline.benchmarks;

import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;

/// Where the figures come from, and what has to be installed there.
final class Machine {
  private static final Map<String, String> PACKAGES =
      Map.of("h2load", "nghttp2-client", "taskset", "util-linux");

  private Machine() {}

  /// Throws, with how to get it, when a program is missing.
  static void require(String... programs) {
    for (var program : programs) {
      if (!onPath(program)) {
        throw new IllegalStateException(
            program
                + " is missing. On Debian and Ubuntu: apt-get install "
                + PACKAGES.get(program));
      }
    }
  }

  private static boolean onPath(String program) {
    for (var directory : System.getenv("PATH").split(File.pathSeparator, -1)) {
      if (Files.isExecutable(Path.of(directory, program))) {
        return true;
      }
    }
    return false;
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
