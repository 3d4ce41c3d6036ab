package dev.weftline;

import static dev.weftline.testing.Probe.answer;
import static dev.weftline.testing.Probe.answerOf;
import static dev.weftline.testing.Probe.ask;
import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.ByteString;
import dev.weftline.probe.Answer;
import dev.weftline.probe.Ask;
import dev.weftline.probe.ProbeGrpc;
import dev.weftline.server.Limits;
import dev.weftline.testing.RunningServer;
import dev.weftline.testing.StraightProbe;
import io.grpc.CallOptions;
import io.grpc.ClientCall;
import io.grpc.Metadata;
import io.grpc.Status;
import io.grpc.netty.NettyChannelBuilder;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.IntSupplier;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/// What a stream may hold while the other side waits: never more than its window and its budget.
@Timeout(60)
final class StreamBoundsTest {
  private static final int WINDOW_BYTES = 64 << 10;
  private static final int BUDGET_BYTES = 128 << 10;
  private static final int MESSAGE_BYTES = 1 << 10;

  /// A client that takes messages only when it is told to.
  private static final class Reader<T> extends ClientCall.Listener<T> {
    final AtomicInteger received = new AtomicInteger();
    final CompletableFuture<Status> closed = new CompletableFuture<>();

    @Override
    public void onMessage(T message) {
      received.incrementAndGet();
    }

    @Override
    public void onClose(Status status, Metadata trailers) {
      closed.complete(status);
    }
  }

  /// Waits until the figure has stayed the same for half a second.
  private static int settled(IntSupplier figure) throws InterruptedException {
    int last = -1;
    for (int now; (now = figure.getAsInt()) != last || now == 0; last = now) Thread.sleep(500);
    return last;
  }

  @Test
  void aServerStreamToAReaderThatStopsIsHeldAtItsWindowAndBudget() throws Exception {
    int messages = 2_000;
    var sent = new AtomicInteger();
    var probe =
        StraightProbe.down((_, answers) -> {
          var answer = answerOf(MESSAGE_BYTES);
          for (int i = 0; i < messages; i++) {
            answers.send(answer);
            sent.incrementAndGet();
          }
        });
    try (var server =
        RunningServer.with(builder ->
            builder
                .addService(probe.service())
                .limits(Limits.DEFAULT.withSendBufferBytes(BUDGET_BYTES)))) {
      var channel =
          NettyChannelBuilder.forAddress("127.0.0.1", server.server().port())
              .usePlaintext()
              .flowControlWindow(WINDOW_BYTES) // fixed: it does not grow with bandwidth
              .build();
      try {
        var call = channel.newCall(ProbeGrpc.getDownMethod(), CallOptions.DEFAULT);
        var reader = new Reader<Answer>();
        call.start(reader, new Metadata());
        call.sendMessage(ask("all"));
        call.halfClose();
        int stopped = settled(sent::get);
        // The client holds a window, the server its budget and the message that went beyond it.
        assertThat(stopped)
            .isBetween(
                BUDGET_BYTES / (2 * MESSAGE_BYTES),
                (WINDOW_BYTES + BUDGET_BYTES) / MESSAGE_BYTES + 1);
        assertThat(reader.received).hasValue(0);

        call.request(messages + 1);
        assertThat(reader.closed.get(20, TimeUnit.SECONDS).getCode()).isEqualTo(Status.Code.OK);
        assertThat(reader.received).hasValue(messages);
      } finally {
        channel.shutdownNow().awaitTermination(5, TimeUnit.SECONDS);
      }
    }
  }

  @Test
  void aClientStreamThatIsNotReceivedIsHeldAtItsWindow() throws Exception {
    int messages = 2_000;
    var mayReceive = new CountDownLatch(1);
    var probe =
        StraightProbe.up(asks -> {
          mayReceive.await();
          int sum = 0;
          for (var ask : asks) sum += ask.getNumber();
          return answer(sum);
        });
    try (var server =
        RunningServer.with(builder ->
            builder
                .addService(probe.service())
                .limits(Limits.DEFAULT.withWindowBytes(WINDOW_BYTES, WINDOW_BYTES)))) {
      var call = server.channel().newCall(ProbeGrpc.getUpMethod(), CallOptions.DEFAULT);
      var reader = new Reader<Answer>();
      call.start(reader, new Metadata());
      call.request(2);
      var message =
          Ask.newBuilder()
              .setNumber(1)
              .setBody(ByteString.copyFrom(new byte[MESSAGE_BYTES]))
              .build();
      // Ready while less than 32 KiB wait at the client for the server's window.
      int taken = 0;
      for (int quiet = 0; taken < messages && quiet < 50; ) {
        if (call.isReady()) {
          call.sendMessage(message);
          taken++;
          quiet = 0;
        } else {
          quiet++;
          Thread.sleep(10);
        }
      }
      assertThat(taken)
          .isBetween(
              WINDOW_BYTES / (2 * MESSAGE_BYTES), (WINDOW_BYTES + (32 << 10)) / MESSAGE_BYTES + 1);

      mayReceive.countDown();
      for (int i = taken; i < messages; i++) call.sendMessage(message);
      call.halfClose();
      assertThat(reader.closed.get(20, TimeUnit.SECONDS).getCode()).isEqualTo(Status.Code.OK);
      assertThat(reader.received).hasValue(1);
    }
  }
}
