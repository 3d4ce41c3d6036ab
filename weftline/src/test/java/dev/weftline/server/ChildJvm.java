package dev.weftline.server;

import static dev.weftline.testing.Probe.answer;
import static dev.weftline.testing.Probe.ask;

import dev.weftline.probe.Answer;
import dev.weftline.probe.Ask;
import dev.weftline.probe.ProbeGrpc.ProbeImplBase;
import dev.weftline.testing.RunningServer;
import io.grpc.stub.StreamObserver;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/// A server in a JVM of its own, whose flags and whose first threads are therefore ours. It serves
/// one call, the method of which reads from a socket, and prints what it saw.
final class ChildJvm {
  /// @param carriers before and after the read
  /// @param pollers the schedulers of the JVM's socket pollers; empty without access to them
  /// @param output everything printed, the log among it
  record Seen(List<String> carriers, List<String> pollers, String output) {}

  private ChildJvm() {}

  static Seen run(String... flags) throws IOException, InterruptedException {
    var command = new ArrayList<String>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.addAll(List.of("--enable-native-access=ALL-UNNAMED", "-Xmx256m"));
    command.addAll(List.of(flags));
    command.addAll(List.of("-cp", System.getProperty("java.class.path"), ChildJvm.class.getName()));
    var process = new ProcessBuilder(command).redirectErrorStream(true).start();
    try {
      var output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
      if (!process.waitFor(10, TimeUnit.SECONDS) || process.exitValue() != 0) {
        throw new AssertionError("the child failed:\n" + output);
      }
      return new Seen(words("carriers ", output), words("pollers ", output), output);
    } finally {
      process.destroyForcibly();
    }
  }

  private static List<String> words(String prefix, String output) {
    return output
        .lines()
        .filter(line -> line.startsWith(prefix))
        .map(line -> List.of(line.substring(prefix.length()).strip().split(" ")))
        .findFirst()
        .orElseThrow(() -> new AssertionError("no " + prefix + "in:\n" + output));
  }

  public static void main(String[] args) throws Exception {
    try (var listener = new ServerSocket(0, 1, InetAddress.getLoopbackAddress());
        var server =
            RunningServer.with(options ->
                options
                    .loops(1)
                    .stallBudget(Duration.ofMinutes(1)) // a cold method is slow, and stays
                    .addService(new Reader(listener.getLocalPort())))) {
      Thread.ofPlatform()
          .daemon()
          .start(() -> {
            try (var accepted = listener.accept()) {
              Thread.sleep(50); // the reader waits for a poller by now
              accepted.getOutputStream().write(7);
            } catch (IOException | InterruptedException e) {
              throw new IllegalStateException(e);
            }
          });
      System.out.println("carriers " + server.blocking().unary(ask("")).getText());
      System.out.println("pollers " + String.join(" ", pollers()));
    }
  }

  private static final class Reader extends ProbeImplBase {
    private final int port;

    Reader(int port) {
      this.port = port;
    }

    @Override
    public void unary(Ask ask, StreamObserver<Answer> observer) {
      var before = carrier();
      try (var socket = new Socket(InetAddress.getLoopbackAddress(), port)) {
        if (socket.getInputStream().read() != 7) throw new IllegalStateException("not 7");
      } catch (IOException e) {
        throw new IllegalStateException(e);
      }
      observer.onNext(answer(before + " " + carrier()));
      observer.onCompleted();
    }
  }

  private static String carrier() {
    var text = Thread.currentThread().toString();
    return text.substring(text.indexOf('@') + 1);
  }

  /// The types of what schedules the JVM's threads that wait for sockets.
  private static List<String> pollers() throws ReflectiveOperationException {
    var type = Class.forName("sun.nio.ch.Poller");
    var schedulers = new ArrayList<String>();
    if (!type.getModule().isOpen(type.getPackageName(), ChildJvm.class.getModule())) {
      return schedulers;
    }
    var owner = type.getDeclaredField("owner");
    owner.setAccessible(true);
    var readPollers = type.getDeclaredMethod("readPollers");
    readPollers.setAccessible(true);
    var scheduler = Class.forName("java.lang.VirtualThread").getDeclaredField("scheduler");
    scheduler.setAccessible(true);
    for (var poller : (List<?>) readPollers.invoke(null)) {
      schedulers.add(scheduler.get(owner.get(poller)).getClass().getSimpleName());
    }
    return schedulers;
  }
}
