package dev.weftline.benchmarks;

import dev.weftline.benchmarks.hello.Nap;
import dev.weftline.benchmarks.peer.Peer;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/// `benchmarks/sleep`: ten thousand calls that block at the same time, or more.
@Command(
    name = "sleep",
    mixinStandardHelpOptions = true,
    description =
        "Makes many calls at once, each of which sleeps in the method, and times them all. Then"
            + " makes them once more and looks at the server's memory while all of them sleep.")
final class Sleep implements Callable<Integer> {
  private static final String PATH = "/weftline.benchmarks.Hello/Sleep";
  private static final int REPLY_BYTES = 5; // the prefix of an empty message
  private static final int CALLS_PER_CONNECTION_MAX = 1_000; // what Weftline and others allow
  private static final int CONNECTIONS_MIN = 20;

  @Option(names = "--peer", description = "the server: ${DEFAULT-VALUE}")
  private String peer = Peer.WEFTLINE.id();

  @Option(names = "--calls", description = "at once: ${DEFAULT-VALUE}")
  private int calls = 10_000;

  @Option(names = "--millis", description = "each call sleeps: ${DEFAULT-VALUE}")
  private int millis = 1_000;

  @Option(
      names = "--goal",
      description = "seconds from the first request to the last reply: ${DEFAULT-VALUE}")
  private double secondsGoal = 3;

  @Option(
      names = "--hold",
      description =
          "seconds that each call sleeps while the server's memory is looked at: ${DEFAULT-VALUE}")
  private int holdSeconds = 10;

  @Option(names = "--warmup-calls", description = "that do not sleep, before: ${DEFAULT-VALUE}")
  private int warmupCalls = 20_000;

  @Option(names = "--heap", description = "of the server: ${DEFAULT-VALUE}")
  private String heap = "512m";

  /// @param bytesPerCall of the heap, after a full collection, for one call that sleeps
  /// @param residentPerCall of the process, for one call that sleeps
  record Outcome(
      int connections,
      double seconds,
      int failed,
      double bytesPerCall,
      double residentPerCall,
      long residentBytesMax) {}

  @Override
  public Integer call() throws IOException, InterruptedException {
    var outcome = measure();
    boolean met = outcome.failed == 0 && outcome.seconds <= secondsGoal;
    Progress.result(
        String.format(
            "%s: %,d calls of %,d ms at once on %d connections, server heap %s: %.2f s, failed: %d."
                + " %s: at most %.0f s and none failed%n"
                + "a call that sleeps holds %,.0f bytes of heap, %,.0f of the process;"
                + " server resident at most %,d MiB",
            Peer.of(peer).label(),
            calls,
            millis,
            outcome.connections,
            heap,
            outcome.seconds,
            outcome.failed,
            met ? "met" : "MISSED",
            secondsGoal,
            outcome.bytesPerCall,
            outcome.residentPerCall,
            outcome.residentBytesMax >> 20));
    return met ? 0 : 1;
  }

  Outcome measure() throws IOException, InterruptedException {
    int connections =
        Math.max(Math.min(CONNECTIONS_MIN, calls), Math.ceilDiv(calls, CALLS_PER_CONNECTION_MAX));
    try (var server = PeerProcess.start(Peer.of(peer), Servers.withHeap(heap));
        var clients = new Clients(server.port(), connections)) {
      // Connects, and lets both JVMs compile: a server in use is not a cold one.
      for (int left = warmupCalls; left > 0; ) {
        int some = Math.min(left, connections * CALLS_PER_CONNECTION_MAX);
        int failed = Clients.failures(clients.sleep(some, 0));
        if (failed > 0) {
          throw new IllegalStateException(failed + " calls that do not sleep failed");
        }
        left -= some;
      }
      long start = System.nanoTime();
      int failed = Clients.failures(clients.sleep(calls, millis));
      double seconds = (System.nanoTime() - start) / 1e9;

      var before = server.collect();
      long residentBefore = server.residentBytes();
      var sleepers = clients.sleep(calls, (int) TimeUnit.SECONDS.toMillis(holdSeconds));
      awaitAsleep(server);
      var during = server.collect();
      long resident = server.residentBytes();
      if (server.memory().callsAsleep() != calls) {
        throw new IllegalStateException(
            "calls woke up before memory was looked at: --hold is too short");
      }
      failed += Clients.failures(sleepers);
      return new Outcome(
          connections,
          seconds,
          failed,
          (double) (during.heapBytes() - before.heapBytes()) / calls,
          (double) (resident - residentBefore) / calls,
          server.residentBytesMax());
    }
  }

  private void awaitAsleep(PeerProcess server) throws IOException, InterruptedException {
    long until = System.nanoTime() + TimeUnit.SECONDS.toNanos(holdSeconds);
    for (int asleep; (asleep = server.memory().callsAsleep()) < calls; ) {
      if (System.nanoTime() > until) {
        throw new IllegalStateException("no more than " + asleep + " calls were asleep at once");
      }
      Thread.sleep(20);
    }
  }

  /// Connections, each with a thread that makes its part of the calls.
  private static final class Clients implements AutoCloseable {
    private final List<RawConnection> connections = new ArrayList<>();
    private final ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor();

    Clients(int port, int count) throws IOException {
      for (int i = 0; i < count; i++) {
        connections.add(RawConnection.open(port));
      }
    }

    /// Starts calls, as many on each connection; what comes of them tells how many failed.
    List<Future<Integer>> sleep(int calls, int millis) {
      byte[] body = Scenario.prefixed(Nap.newBuilder().setMillis(millis).build(), 1);
      var failures = new ArrayList<Future<Integer>>();
      int begun = 0;
      for (int i = 0; i < connections.size(); i++) {
        var connection = connections.get(i);
        int upTo = (int) ((long) calls * (i + 1) / connections.size());
        int some = upTo - begun;
        begun = upTo;
        failures.add(
            threads.submit(() -> {
              int failed = 0;
              for (int bytes : connection.calls(PATH, body, some)) {
                if (bytes != REPLY_BYTES) {
                  failed++;
                }
              }
              return failed;
            }));
      }
      return failures;
    }

    static int failures(List<Future<Integer>> calls) throws IOException, InterruptedException {
      int failed = 0;
      for (var call : calls) {
        try {
          failed += call.get();
        } catch (ExecutionException e) {
          throw new IOException("a connection failed: " + e.getCause(), e);
        }
      }
      return failed;
    }

    @Override
    public void close() throws IOException {
      for (var connection : connections) {
        connection.close();
      }
      threads.close();
    }
  }
}
