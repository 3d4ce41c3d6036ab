package dev.weftline.benchmarks;

import dev.weftline.benchmarks.hello.HelloGrpc;
import dev.weftline.benchmarks.hello.Nap;
import dev.weftline.benchmarks.hello.Text;
import dev.weftline.benchmarks.peer.Peer;
import io.grpc.ManagedChannel;
import io.grpc.Status;
import io.grpc.netty.NettyChannelBuilder;
import io.grpc.stub.StreamObserver;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/// `benchmarks/sleep`: ten thousand calls that block at the same time.
@Command(
    name = "sleep",
    mixinStandardHelpOptions = true,
    description =
        "Makes many calls at once, each of which sleeps in the method, and times them all.")
final class Sleep implements Callable<Integer> {
  private static final double SECONDS_GOAL = 3;
  private static final int DEADLINE_SECONDS = 60;

  @Option(names = "--peer", description = "the server: ${DEFAULT-VALUE}")
  private String peer = Peer.WEFTLINE.id();

  @Option(names = "--calls", description = "at once: ${DEFAULT-VALUE}")
  private int calls = 10_000;

  @Option(names = "--millis", description = "each call sleeps: ${DEFAULT-VALUE}")
  private int millis = 1_000;

  @Option(names = "--warmup-calls", description = "that do not sleep, before: ${DEFAULT-VALUE}")
  private int warmupCalls = 20_000;

  @Option(names = "--connections", description = "${DEFAULT-VALUE}")
  private int connections = 20;

  @Option(names = "--heap", description = "of the server: ${DEFAULT-VALUE}")
  private String heap = "512m";

  private final Map<Status.Code, Integer> failures = new ConcurrentHashMap<>();

  @Override
  public Integer call() throws IOException, InterruptedException {
    try (var server = PeerProcess.start(Peer.of(peer), Servers.withHeap(heap))) {
      var channels = new ArrayList<ManagedChannel>();
      try {
        for (int i = 0; i < connections; i++) {
          channels.add(
              NettyChannelBuilder.forAddress("127.0.0.1", server.port())
                  .usePlaintext()
                  .directExecutor()
                  .build());
        }
        // Connects, and lets both JVMs compile: a server in use is not a cold one.
        sleepers(channels, Math.max(warmupCalls, connections), 0);
        if (!failures.isEmpty()) {
          throw new IllegalStateException("calls that do not sleep failed: " + failures);
        }
        double seconds = sleepers(channels, calls, millis);
        return tell(seconds, server);
      } finally {
        channels.forEach(ManagedChannel::shutdownNow);
      }
    }
  }

  /// Returns the seconds from the first request to the last answer.
  private double sleepers(List<ManagedChannel> channels, int count, int napMillis)
      throws InterruptedException {
    var nap = Nap.newBuilder().setMillis(napMillis).build();
    var ended = new CountDownLatch(count);
    long start = System.nanoTime();
    for (int i = 0; i < count; i++) {
      HelloGrpc.newStub(channels.get(i % channels.size()))
          .withDeadlineAfter(DEADLINE_SECONDS, TimeUnit.SECONDS)
          .sleep(nap, new Answer(ended));
    }
    ended.await();
    return (System.nanoTime() - start) / 1e9;
  }

  private final class Answer implements StreamObserver<Text> {
    private final CountDownLatch ended;

    Answer(CountDownLatch ended) {
      this.ended = ended;
    }

    @Override
    public void onNext(Text text) {}

    @Override
    public void onError(Throwable cause) {
      failures.merge(Status.fromThrowable(cause).getCode(), 1, Integer::sum);
      ended.countDown();
    }

    @Override
    public void onCompleted() {
      ended.countDown();
    }
  }

  private int tell(double seconds, PeerProcess server) throws IOException {
    boolean met = failures.isEmpty() && seconds <= SECONDS_GOAL;
    Progress.result(
        String.format(
            "%s: %,d calls of %,d ms at once on %d connections, server heap %s: %.2f s, failed: %s,"
                + " server resident at most %,d MiB. %s: at most %.0f s and none failed",
            Peer.of(peer).label(),
            calls,
            millis,
            connections,
            heap,
            seconds,
            failures.isEmpty() ? "none" : failures,
            server.residentBytesMax() >> 20,
            met ? "met" : "MISSED",
            SECONDS_GOAL));
    return met ? 0 : 1;
  }
}
