package dev.weftline.internal.call;

import static dev.weftline.testing.Probe.answer;
import static dev.weftline.testing.Probe.ask;
import static dev.weftline.testing.Probe.framed;
import static org.assertj.core.api.Assertions.assertThat;

import dev.weftline.internal.http.ExchangeHandler.Close;
import dev.weftline.probe.Answer;
import dev.weftline.probe.Ask;
import dev.weftline.probe.ProbeGrpc.ProbeImplBase;
import dev.weftline.testing.MemoryExchange;
import dev.weftline.testing.Probe;
import io.grpc.Context;
import io.grpc.stub.ServerCallStreamObserver;
import io.grpc.stub.StreamObserver;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/// Whoever ends a call first, the handler hears of its end exactly once, and of nothing after it.
@Timeout(60)
final class CallRacesTest {
  private static final int CALLS = 1_500;

  private final long seed = System.nanoTime();
  private final AtomicInteger started = new AtomicInteger();
  private final AtomicInteger completed = new AtomicInteger();
  private final AtomicInteger cancelled = new AtomicInteger();
  private final AtomicInteger contextsEnded = new AtomicInteger();
  private final AtomicInteger interruptedAtEnd = new AtomicInteger();

  private final class Racing extends ProbeImplBase {
    private final Random random = new Random(seed);

    @Override
    public void unary(Ask ask, StreamObserver<Answer> observer) {
      int micros;
      boolean later;
      synchronized (random) {
        micros = random.nextInt(300);
        later = random.nextBoolean();
      }
      var call = (ServerCallStreamObserver<Answer>) observer;
      call.setOnCloseHandler(() -> end(completed));
      call.setOnCancelHandler(() -> end(cancelled));
      Context.current().addListener(_ -> contextsEnded.incrementAndGet(), Runnable::run);
      started.incrementAndGet();
      Runnable reply =
          () -> {
            LockSupport.parkNanos(micros * 1_000L);
            call.onNext(answer(1));
            call.onCompleted();
          };
      if (later) {
        Thread.startVirtualThread(reply);
      } else {
        reply.run();
      }
    }

    private void end(AtomicInteger how) {
      if (Thread.currentThread().isInterrupted()) interruptedAtEnd.incrementAndGet();
      how.incrementAndGet();
    }
  }

  @Test
  void resetsDeadlinesAndRepliesAtRandomMoments() throws Exception {
    var router = Probe.router(new Racing());
    var random = new Random(seed + 1);
    for (int i = 0; i < CALLS; i++) {
      var request = MemoryExchange.request(Probe.UNARY);
      if (random.nextInt(4) == 0) request.add("grpc-timeout", random.nextInt(400) + "u");
      var exchange = MemoryExchange.open(router, request, false);
      exchange.dataAndEnd(framed(ask("x")));
      LockSupport.parkNanos(random.nextInt(300) * 1_000L);
      if (random.nextBoolean()) exchange.peerResets(8);
      exchange.await(Close.class);
      if (exchange.order().contains("data 7")) {
        assertThat(exchange.order()).containsExactly("headers", "data 7", "trailers");
      }
    }
    for (int i = 0; i < 100 && completed.get() + cancelled.get() < started.get(); i++) {
      TimeUnit.MILLISECONDS.sleep(20);
    }
    assertThat(completed.get() + cancelled.get()).as("seed " + seed).isEqualTo(started.get());
    assertThat(contextsEnded.get()).as("seed " + seed).isEqualTo(started.get());
    assertThat(interruptedAtEnd.get()).as("seed " + seed).isZero();
    assertThat(completed.get()).isPositive();
    assertThat(cancelled.get()).isPositive();
  }
}
