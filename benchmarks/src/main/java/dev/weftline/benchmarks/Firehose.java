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
        "A method calls onNext in a loop and never asks isReady; the client reads nothing, then slowly, then fast."
            + " Watches the server's memory.")
final class Firehose implements Callable<Integer> {
  private static final long RESIDENT_BYTES_GOAL = 256L << 20;
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

  @Override
  public Integer call() throws IOException, InterruptedException {
    try (var server = PeerProcess.start(Peer.of(peer), Servers.withHeap(heap))) {
      var channel =
          NettyChannelBuilder.forAddress("127.0.0.1", server.port())
              .usePlaintext()
              .directExecutor()
              .build();
      try {
        var reader = new Reader();
        HelloGrpc.newStub(channel)
            .count(
                Repeat.newBuilder()
                    .setMessages(messages)
                    .setText(ByteString.copyFrom(new byte[bytes]))
                    .build(),
                reader);
        return tell(watch(server, reader), server, reader);
      } finally {
        channel.shutdownNow();
      }
    }
  }

  /// Lets the client read as planned and returns the most heap and direct memory seen meanwhile.
  private long watch(PeerProcess server, Reader reader) throws IOException, InterruptedException {
    long start = System.nanoTime();
    long slowUntil = start + TimeUnit.SECONDS.toNanos(pauseSeconds + slowSeconds);
    long until = start + TimeUnit.MINUTES.toNanos(MINUTES_MAX);
    long used = 0;
    boolean fast = false;
    while (!reader.ended.isDone() && System.nanoTime() < until) {
      var memory = server.memory();
      used = Math.max(used, memory.heapBytes() + memory.directBytes());
      long now = System.nanoTime();
      if (now >= slowUntil && !fast) {
        fast = true;
        reader.readFast();
      } else if (now >= start + TimeUnit.SECONDS.toNanos(pauseSeconds) && !fast) {
        reader.request(SAMPLE_MILLIS);
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

  private int tell(long used, PeerProcess server, Reader reader)
      throws IOException, InterruptedException {
    String outcome;
    boolean whole = false;
    try {
      long right = reader.ended.get(0, TimeUnit.SECONDS);
      whole = right == messages;
      outcome = String.format("%,d right messages", right);
    } catch (ExecutionException e) {
      outcome = "failed: " + e.getCause();
    } catch (TimeoutException e) {
      outcome = "still sending after " + MINUTES_MAX + " minutes";
    }
    long resident = server.residentBytesMax();
    boolean met = whole && resident < RESIDENT_BYTES_GOAL;
    Progress.result(
        String.format(
            "%s: %s; server heap and direct at most %,d MiB, resident at most %,d MiB."
                + " %s: all messages, resident under %,d MiB",
            Peer.of(peer).label(),
            outcome,
            used >> 20,
            resident >> 20,
            met ? "met" : "MISSED",
            RESIDENT_BYTES_GOAL >> 20));
    return met ? 0 : 1;
  }
}
