package dev.weftline.benchmarks;

import dev.weftline.benchmarks.peer.Peer;
import dev.weftline.benchmarks.peer.PeerMain;
import dev.weftline.benchmarks.peer.Replica;
import dev.weftline.benchmarks.peer.ReplicaMain;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Predicate;

/// A server in its own JVM: started, asked, measured from outside, stopped.
final class PeerProcess implements AutoCloseable {
  /// The same for every peer. One young generation for all, so that a garbage collection comes
  /// after as many bytes; a fixed set of compiler threads, so that what they used can be told
  /// apart.
  static final List<String> FLAGS =
      List.of(
          "-Xms1g",
          "-Xmx1g",
          "-Xmn256m",
          "-XX:+UseParallelGC",
          "-XX:-UseDynamicNumberOfCompilerThreads",
          "--enable-native-access=ALL-UNNAMED",
          "--add-opens=java.base/java.lang=ALL-UNNAMED",
          "-Dio.netty.leakDetection.level=disabled");

  /// @param allocatedBytes since the start, by all threads
  /// @param callsAsleep in a method that sleeps
  /// @param tasksBegun of the service that works, since the start
  record Memory(
      long allocatedBytes, long heapBytes, long directBytes, int callsAsleep, long tasksBegun) {
    long usedBytes() {
      return heapBytes + directBytes;
    }
  }

  /// @param core the processor it is pinned to, or -1
  record Launch(String classPath, List<String> flags, int core, Path logs) {}

  private static final AtomicInteger STARTED = new AtomicInteger();

  private final Process process;
  private final BufferedReader answers;
  private final int port;
  private final Path log;

  private PeerProcess(Process process, BufferedReader answers, int port, Path log) {
    this.process = process;
    this.answers = answers;
    this.port = port;
    this.log = log;
  }

  /// Returns when the server listens.
  static PeerProcess start(Peer peer, Launch launch) throws IOException {
    return start(PeerMain.class, peer.id(), List.of(peer.id()), launch);
  }

  /// The same for a server at a port that is given, 0 for any; `shared` as with SO_REUSEPORT.
  static PeerProcess start(Replica replica, int port, boolean shared, Launch launch)
      throws IOException {
    return start(
        replica, List.of(Integer.toString(port), shared ? ReplicaMain.SHARED : "alone"), launch);
  }

  /// The same with TLS, from the files in a directory.
  static PeerProcess start(Replica replica, Path certificates, Launch launch) throws IOException {
    return start(replica, List.of("0", "alone", certificates.toString()), launch);
  }

  private static PeerProcess start(Replica replica, List<String> how, Launch launch)
      throws IOException {
    var args = new ArrayList<>(List.of(replica.id()));
    args.addAll(how);
    // Several run at once: a log for each.
    return start(ReplicaMain.class, replica.id() + "-" + STARTED.incrementAndGet(), args, launch);
  }

  private static PeerProcess start(Class<?> main, String name, List<String> args, Launch launch)
      throws IOException {
    var command = new ArrayList<>(H2load.pinned(launch.core));
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.addAll(launch.flags);
    command.addAll(List.of("-cp", launch.classPath, main.getName()));
    command.addAll(args);
    Files.createDirectories(launch.logs);
    var log = launch.logs.resolve(name + ".log");
    var process = new ProcessBuilder(command).redirectError(log.toFile()).start();
    var answers =
        new BufferedReader(
            new InputStreamReader(process.getInputStream(), StandardCharsets.US_ASCII));
    try {
      String ready = answer(answers);
      return new PeerProcess(
          process, answers, Integer.parseInt(ready.substring("ready ".length())), log);
    } catch (IOException e) {
      process.destroyForcibly();
      var said = reason(log, line -> line.contains("Exception") || line.contains("Error"));
      throw new IOException(said.orElse(String.valueOf(e.getMessage())), e);
    }
  }

  /// The first line that the server logged and that is one of these.
  Optional<String> reason(Predicate<String> wanted) throws IOException {
    return reason(log, wanted);
  }

  private static Optional<String> reason(Path log, Predicate<String> wanted) throws IOException {
    // What a library prints need not be UTF-8.
    return new String(Files.readAllBytes(log), StandardCharsets.ISO_8859_1)
        .lines()
        .filter(wanted)
        .findFirst()
        .map(line -> line.replace("Exception in thread \"main\" ", ""));
  }

  /// Lines that are not ours are a library's, or the last words of the JVM.
  private static String answer(BufferedReader answers) throws IOException {
    String other = "the server ended";
    for (String line; (line = answers.readLine()) != null; ) {
      if (line.startsWith(PeerMain.PREFIX)) {
        return line.substring(PeerMain.PREFIX.length());
      }
      other = line;
    }
    throw new IOException(other);
  }

  int port() {
    return port;
  }

  Memory memory() throws IOException {
    return ask("memory");
  }

  /// What is left after a full collection.
  Memory collect() throws IOException {
    return ask("gc");
  }

  private Memory ask(String command) throws IOException {
    process.getOutputStream().write((command + "\n").getBytes(StandardCharsets.US_ASCII));
    process.getOutputStream().flush();
    String[] words = answer(answers).split(" ", -1);
    return new Memory(
        Long.parseLong(words[1]),
        Long.parseLong(words[2]),
        Long.parseLong(words[3]),
        Integer.parseInt(words[4]),
        Long.parseLong(words[5]));
  }

  /// Processor time so far, user and system, of all threads but the JIT compilers.
  long cpuMicros() {
    var proc = Path.of("/proc", Long.toString(process.pid()));
    try (var tasks = Files.newDirectoryStream(proc.resolve("task"))) {
      long ticks = ticks(Files.readString(proc.resolve("stat")));
      for (var task : tasks) {
        String stat = Files.readString(task.resolve("stat"));
        if (stat.contains("(C1 Compiler") || stat.contains("(C2 Compiler")) {
          ticks -= ticks(stat);
        }
      }
      return ticks * MICROS_PER_TICK;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static final long MICROS_PER_TICK = 10_000; // USER_HZ is 100 on every Linux

  /// utime and stime, fields 14 and 15 of proc(5); the name before them may hold spaces.
  static long ticks(String stat) {
    String[] fields = stat.substring(stat.lastIndexOf(')') + 2).split(" ", -1);
    return Long.parseLong(fields[11]) + Long.parseLong(fields[12]);
  }

  /// Physical memory that the process has now.
  long residentBytes() throws IOException {
    return status("VmRSS:");
  }

  /// The most physical memory the process ever had.
  long residentBytesMax() throws IOException {
    return status("VmHWM:");
  }

  private long status(String name) throws IOException {
    for (var line : Files.readAllLines(Path.of("/proc/" + process.pid() + "/status"))) {
      if (line.startsWith(name)) {
        return Long.parseLong(line.replaceAll("\\D", "")) << 10;
      }
    }
    throw new IOException("no " + name);
  }

  /// Its sockets among them: what tells that a server has noticed closed connections.
  long openFiles() throws IOException {
    try (var files = Files.list(Path.of("/proc", Long.toString(process.pid()), "fd"))) {
      return files.count();
    }
  }

  boolean isAlive() {
    return process.isAlive();
  }

  /// Sends SIGTERM and waits for the end, whose exit code it returns.
  ///
  /// @throws IOException when there is no end in time
  int terminate(int secondsMax) throws IOException, InterruptedException {
    // Process.destroy would close its standard input as well, which ends a server at once.
    process.toHandle().destroy();
    if (!process.waitFor(secondsMax, TimeUnit.SECONDS)) {
      throw new IOException("still there " + secondsMax + " seconds after SIGTERM");
    }
    return process.exitValue();
  }

  @Override
  public void close() throws IOException {
    process.getOutputStream().close();
    try {
      if (!process.waitFor(10, TimeUnit.SECONDS)) {
        process.destroyForcibly();
      }
    } catch (InterruptedException e) {
      process.destroyForcibly();
      Thread.currentThread().interrupt();
    }
  }
}
