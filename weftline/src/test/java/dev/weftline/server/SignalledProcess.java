package dev.weftline.server;

import static dev.weftline.testing.Probe.answer;

import dev.weftline.testing.StraightProbe;
import java.io.BufferedReader;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

/// Servers in a JVM of their own, which signals end. `Unary` answers at once, `Chat` echoes and
/// knows nothing of drains.
final class SignalledProcess implements AutoCloseable {
  private final Process process;
  private final BufferedReader output;
  private final List<String> beginning = new ArrayList<>();
  private final List<Integer> ports = new ArrayList<>();

  private SignalledProcess(Process process) {
    this.process = process;
    this.output = process.inputReader(StandardCharsets.UTF_8);
  }

  /// As many servers as this, with these times.
  static SignalledProcess of(int servers, Duration lameDuck, Duration grace, String... flags)
      throws IOException {
    var command = new ArrayList<String>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.addAll(List.of("--enable-native-access=ALL-UNNAMED", "-Xmx256m"));
    command.addAll(List.of(flags));
    command.addAll(List.of("-cp", System.getProperty("java.class.path")));
    command.add(SignalledProcess.class.getName());
    command.addAll(List.of("" + servers, lameDuck.toString(), grace.toString()));
    var process = new SignalledProcess(new ProcessBuilder(command).redirectErrorStream(true).start());
    while (process.ports.size() < servers) {
      var line = process.output.readLine();
      if (line == null) throw new AssertionError("the process ended before it served");
      process.beginning.add(line);
      if (line.startsWith("port ")) process.ports.add(Integer.valueOf(line.substring(5)));
    }
    return process;
  }

  int port(int server) {
    return ports.get(server);
  }

  /// `TERM` or `INT`, as `kill` sends them.
  void signal(String name) throws IOException, InterruptedException {
    var kill = new ProcessBuilder("kill", "-" + name, Long.toString(process.pid())).start();
    if (kill.waitFor() != 0) throw new AssertionError("kill -" + name + ": " + kill.exitValue());
  }

  int exitCode() throws InterruptedException {
    if (!process.waitFor(40, TimeUnit.SECONDS)) throw new AssertionError("still running");
    return process.exitValue();
  }

  /// What it printed, the log among it; waits for its end.
  Stream<String> output() {
    return Stream.concat(beginning.stream(), output.lines());
  }

  @Override
  public void close() {
    process.destroyForcibly();
  }

  public static void main(String[] args) throws Exception {
    var service =
        StraightProbe.unary(ask -> answer(ask.getText()))
            .andChat((asks, answers) -> {
              for (var ask : asks) answers.send(answer(ask.getText()));
            })
            .service();
    var servers = new ArrayList<Server>();
    for (int i = 0; i < Integer.parseInt(args[0]); i++) {
      servers.add(
          Server.builder()
              .port(0)
              .loops(1)
              .lameDuck(Duration.parse(args[1]))
              .grace(Duration.parse(args[2]))
              .addService(service)
              .start());
      System.out.println("port " + servers.getLast().port());
    }
    for (var server : servers) server.awaitTermination();
    System.out.println("the last work of main");
  }
}
