package dev.weftline.benchmarks;

import com.google.protobuf.ByteString;
import dev.weftline.benchmarks.hello.HelloGrpc;
import dev.weftline.benchmarks.hello.Repeat;
import dev.weftline.benchmarks.hello.Text;
import dev.weftline.benchmarks.peer.Peer;
import io.grpc.netty.NettyChannelBuilder;
import io.grpc.stub.ClientCallStreamObserver;
import io.grpc.stub.ClientResponseObserver;
import java.io.IOException;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/// `benchmarks/firehose`: a service that sends without asking whether anybody reads.
@Command(
    name = "firehose",
    mixinStandardHelpOptions = true,
    description =
        "A method sends in a loop; the client reads nothing, then slowly, then fast. Watches the"
            + " server's memory. With --peer weftline-grpc-java the method calls onNext and never"
            + " asks isReady.")
final class Firehose implements Callable<Integer> {
  private static final long RESIDENT_BYTES_GOAL = 256L << 20;

  /// What the server may hold of a stream that nobody reads: its send budget of 256 KiB, what its
  /// channel takes before it says that it is full, and noise.
  private static final long HELD_BYTES_GOAL = 1L << 20;

  private static final int WARMUP_MESSAGES = 10_000;
  private static final int MINUTES_MAX = 10;
  private static final int SAMPLE_MILLIS = 200;

  @Option(names = "--peer", description = "the server: ${DEFAULT-VALUE}")
  private String peer = Peer.WEFTLINE.id();

  @Option(names = "--messages", description = "${DEFAULT-VALUE}")
  private int messages = 10_000_000;

  @Option(names = "--bytes", description = "in each message: ${DEFAULT-VALUE}")
  private int bytes = 1_024;

  @Option(
      names = "--pause",
      description = "seconds in which the client reads nothing: ${DEFAULT-VALUE}")
  private int pauseSeconds = 5;

  @Option(
      names = "--slow",
      description = "seconds in which it reads a message a millisecond: ${DEFAULT-VALUE}")
  private int slowSeconds = 5;

  @Option(names = "--heap", description = "of the server: ${DEFAULT-VALUE}")
  private String heap = "160m";

  /// @param heldBytes of heap and direct memory, after full collections, while the client reads
  ///   nothing, more than before the call
  /// @param usedBytesMax heap and direct memory, what waits for collection included
  record Outcome(
      boolean whole, String said, long heldBytes, long usedBytesMax, long residentBytesMax) {
    boolean met() {
      return whole && heldBytes <= HELD_BYTES_GOAL && residentBytesMax < RESIDENT_BYTES_GOAL;
    }
  }

  @Override
  public Integer call() throws IOException, InterruptedException {
    var outcome = measure();
    Progress.result(
        String.format(
            "%s: %s; server holds %,d KiB of a stream that nobody reads; heap and direct at most %,d"
                + " MiB, resident at most %,d MiB."
                + " %s: all messages, holds at most %,d KiB, resident under %,d MiB",
            Peer.of(peer).label(),
            outcome.said,
            outcome.heldBytes >> 10,
            outcome.usedBytesMax >> 20,
            outcome.residentBytesMax >> 20,
            outcome.met() ? "met" : "MISSED",
            HELD_BYTES_GOAL >> 10,
            RESIDENT_BYTES_GOAL >> 20));
    return outcome.met() ? 0 : 1;
  }

  Outcome measure() throws IOException, InterruptedException {
    try (var server = PeerProcess.start(Peer.of(peer), Servers.withHeap(heap))) {
      var channel =
          NettyChannelBuilder.forAddress("127.0.0.1", server.port())
              .usePlaintext()
              .directExecutor()
              .build();
      try {
        // What is loaded once is not held by a stream.
        HelloGrpc.newBlockingStub(channel).count(repeat(WARMUP_MESSAGES)).forEachRemaining(_ -> {});
        long before = server.collect().usedBytes();
        var reader = new Reader();
        HelloGrpc.newStub(channel).count(repeat(messages), reader);
        Thread.sleep(TimeUnit.SECONDS.toMillis(pauseSeconds));
        long held = server.collect().usedBytes() - before;
        long used = watch(server, reader);
        return outcome(held, used, server, reader);
      } finally {
        channel.shutdownNow();
      }
    }
  }

  private Repeat repeat(int times) {
    return Repeat.newBuilder()
        .setMessages(times)
        .setText(ByteString.copyFrom(new byte[bytes]))
        .build();
  }

  /// Lets the client read slowly, then fast, and returns the most heap and direct memory seen
  /// meanwhile.
  private long watch(PeerProcess server, Reader reader) throws IOException, InterruptedException {
    long start = System.nanoTime();
    long slowUntil = start + TimeUnit.SECONDS.toNanos(slowSeconds);
    long until = start + TimeUnit.MINUTES.toNanos(MINUTES_MAX);
    long used = 0;
    boolean fast = false;
    while (!reader.ended.isDone() && System.nanoTime() < until) {
      used = Math.max(used, server.memory().usedBytes());
      if (System.nanoTime() < slowUntil) {
        reader.request(SAMPLE_MILLIS);
      } else if (!fast) {
        fast = true;
        reader.readFast();
      }
      Thread.sleep(SAMPLE_MILLIS);
    }
    return used;
  }

  /// Counts messages; reads only as many as it is told to.
  private final class Reader implements ClientResponseObserver<Repeat, Text> {
    private static final int BATCH = 512;

    final CompletableFuture<Long> ended = new CompletableFuture<>();
    private volatile boolean fast;
    private @Nullable ClientCallStreamObserver<Repeat> call; // until beforeStart
    private long count;
    private long wrong;

    @Override
    public void beforeStart(ClientCallStreamObserver<Repeat> stream) {
      call = stream;
      stream.disableAutoRequestWithInitial(1);
    }

    void request(int more) {
      if (call != null) {
        call.request(more);
      }
    }

    void readFast() {
      fast = true;
      request(2 * BATCH);
    }

    @Override
    public void onNext(Text text) {
      count++;
      if (text.getText().size() != bytes) {
        wrong++;
      }
      if (fast && count % BATCH == 0) {
        request(BATCH);
      }
    }

    @Override
    public void onError(Throwable cause) {
      ended.completeExceptionally(cause);
    }

    @Override
    public void onCompleted() {
      ended.complete(count - wrong);
    }
  }

  private Outcome outcome(long held, long used, PeerProcess server, Reader reader)
      throws IOException, InterruptedException {
    String said;
    boolean whole = false;
    try {
      long right = reader.ended.get(0, TimeUnit.SECONDS);
      whole = right == messages;
      said = String.format("%,d right messages", right);
    } catch (ExecutionException e) {
      said = "failed: " + e.getCause();
    } catch (TimeoutException e) {
      said = "still sending after " + MINUTES_MAX + " minutes";
    }
    return new Outcome(whole, said, held, used, server.residentBytesMax());
  }
}
