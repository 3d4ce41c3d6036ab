package dev.weftline.cli;

import java.io.BufferedReader;
import java.io.BufferedWriter;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.regex.Pattern;

/// `weft` with some arguments, in a JVM of its own.
final class WeftProcess implements AutoCloseable {
  private static final Pattern LISTENING = Pattern.compile("listening on port (\\d+)");

  private final Process process;
  private final BufferedReader out;
  private final BufferedWriter in;
  private final FutureTask<List<String>> err;

  private WeftProcess(Process process) {
    this.process = process;
    out = process.inputReader(StandardCharsets.UTF_8);
    in = process.outputWriter(StandardCharsets.UTF_8);
    err = new FutureTask<>(() -> process.errorReader(StandardCharsets.UTF_8).lines().toList());
    Thread.ofPlatform().daemon().name("stderr of " + process.pid()).start(err);
  }

  static WeftProcess started(String... arguments) throws IOException {
    return started(Map.of(), arguments);
  }

  static WeftProcess started(Map<String, String> environment, String... arguments)
      throws IOException {
    var command = new ArrayList<String>();
    command.add(ProcessHandle.current().info().command().orElseThrow());
    command.add("--enable-native-access=ALL-UNNAMED");
    command.add("--add-opens=java.base/java.lang=ALL-UNNAMED");
    command.addAll(List.of("-Xmx256m", "-cp"));
    command.add(System.getProperty("java.class.path"));
    command.add(Weft.class.getName());
    command.addAll(List.of(arguments));
    return started(environment, new ProcessBuilder(command));
  }

  /// By the script in the root of the sources, from another directory.
  static WeftProcess byScript(Path script, Path from, String... arguments) throws IOException {
    var command = new ArrayList<String>(List.of(script.toString()));
    command.addAll(List.of(arguments));
    return started(Map.of(), new ProcessBuilder(command).directory(from.toFile()));
  }

  private static WeftProcess started(Map<String, String> environment, ProcessBuilder builder)
      throws IOException {
    builder.environment().remove("PORT");
    builder.environment().putAll(environment);
    return new WeftProcess(builder.start());
  }

  /// Waits until the demo says where it listens.
  int port() throws Exception {
    var listening = LISTENING.matcher(awaitLine("listening on port"));
    if (!listening.find()) throw new AssertionError("no port");
    return Integer.parseInt(listening.group(1));
  }

  /// The commands that the demo says to try, without the `weft` they start with.
  List<String> suggestions() throws IOException {
    var suggestions = new ArrayList<String>();
    for (String line; (line = out.readLine()) != null && !line.startsWith("Ctrl-C"); ) {
      if (line.startsWith("  weft ")) suggestions.add(line.substring("  weft ".length()));
    }
    return suggestions;
  }

  /// Skips stdout up to the line that has this in it, and gives that line.
  String awaitLine(String part) throws Exception {
    for (String line; (line = out.readLine()) != null; ) {
      if (line.contains(part)) return line;
    }
    throw new AssertionError("ended without '" + part + "': " + err());
  }

  /// One line for stdin.
  void type(String line) throws IOException {
    in.write(line + "\n");
    in.flush();
  }

  /// Ctrl-D: the end of stdin.
  void endInput() throws IOException {
    in.close();
  }

  /// `TERM` or `INT`, as `kill` sends them.
  void signal(String name) throws IOException, InterruptedException {
    var kill = new ProcessBuilder("kill", "-" + name, Long.toString(process.pid())).start();
    if (kill.waitFor() != 0) throw new AssertionError("kill -" + name + ": " + kill.exitValue());
  }

  boolean isAlive() {
    return process.isAlive();
  }

  int exitCode() throws InterruptedException {
    if (!process.waitFor(30, TimeUnit.SECONDS)) throw new AssertionError("still running");
    return process.exitValue();
  }

  /// What is left of stdout. Waits for the process to close it.
  List<String> out() {
    return out.lines().toList();
  }

  /// All of stderr. Waits for the process to close it.
  List<String> err() throws Exception {
    return err.get(30, TimeUnit.SECONDS);
  }

  @Override
  public void close() {
    process.destroyForcibly();
  }
}
