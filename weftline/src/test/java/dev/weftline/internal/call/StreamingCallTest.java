package dev.weftline.internal.call;

import static dev.weftline.testing.Probe.CHAT;
import static dev.weftline.testing.Probe.DOWN;
import static dev.weftline.testing.Probe.UP;
import static dev.weftline.testing.Probe.answer;
import static dev.weftline.testing.Probe.answerOf;
import static dev.weftline.testing.Probe.answers;
import static dev.weftline.testing.Probe.ask;
import static dev.weftline.testing.Probe.framed;
import static org.assertj.core.api.Assertions.assertThat;

import dev.weftline.internal.http.ExchangeHandler.Close;
import dev.weftline.probe.Answer;
import dev.weftline.probe.Ask;
import dev.weftline.probe.ProbeGrpc.ProbeImplBase;
import dev.weftline.testing.EchoService;
import dev.weftline.testing.MemoryExchange;
import dev.weftline.testing.Probe;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.stub.ServerCallStreamObserver;
import io.grpc.stub.StreamObserver;
import io.netty.util.concurrent.FastThreadLocalThread;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.BiConsumer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(30)
final class StreamingCallTest {
  private static final int KIB = 1 << 10;

  private final BlockingQueue<String> seen = new LinkedBlockingQueue<>();
  private final AtomicInteger sent = new AtomicInteger();

  private String next() throws InterruptedException {
    var event = seen.poll(5, TimeUnit.SECONDS);
    return event == null ? "nothing within 5 s" : event;
  }

  private static Router down(BiConsumer<Ask, ServerCallStreamObserver<Answer>> handler) {
    return Probe.router(
        new ProbeImplBase() {
          @Override
          public void down(Ask ask, StreamObserver<Answer> observer) {
            handler.accept(ask, (ServerCallStreamObserver<Answer>) observer);
          }
        });
  }

  private static MemoryExchange openDown(Router router) {
    var exchange = MemoryExchange.open(router, MemoryExchange.request(DOWN), false);
    exchange.window(0);
    return exchange.dataAndEnd(framed(ask("x")));
  }

  /// Waits until so many were sent, and a little longer to see whether more are.
  private int settled(int atLeast) throws InterruptedException {
    for (int i = 0; i < 500 && sent.get() < atLeast; i++) Thread.sleep(20);
    Thread.sleep(150);
    return sent.get();
  }

  @Test
  void messagesAndHalfCloseComeInOrder() {
    var router = Probe.router(new EchoService());
    var exchange = MemoryExchange.open(router, MemoryExchange.request(CHAT), false);
    for (int i = 0; i < 1_000; i++) exchange.data(framed(ask(i)));
    exchange.end().await();
    assertThat(exchange.status()).isEqualTo("0");
    var answers = answers(exchange);
    assertThat(answers).hasSize(1_000);
    for (int i = 0; i < 1_000; i++) assertThat(answers.get(i)).isEqualTo(answer(i));
  }

  @Test
  void aClientStreamIsAnsweredOnceAfterItsEnd() {
    var exchange =
        MemoryExchange.open(Probe.router(new EchoService()), MemoryExchange.request(UP), false);
    for (int i = 1; i <= 100; i++) exchange.data(framed(ask(i)));
    exchange.end().await();
    assertThat(answers(exchange)).containsExactly(answer(5_050));
    assertThat(exchange.order()).hasSize(3);
  }

  @Test
  void anEmptyClientStreamIsFine() {
    var exchange =
        MemoryExchange.open(Probe.router(new EchoService()), MemoryExchange.request(UP), true);
    exchange.await();
    assertThat(answers(exchange)).containsExactly(answer(0));
  }

  @Test
  void headersOfAStreamGoOutWithItsFirstMessage() {
    var router =
        down((_, observer) -> {
          observer.onNext(answer(1));
          try {
            Thread.sleep(10_000);
          } catch (InterruptedException e) {
            seen.add("interrupted");
          }
        });
    var exchange = openDown(router);
    exchange.window(Long.MAX_VALUE);
    for (int i = 0; i < 100 && exchange.order().size() < 2; i++) {
      java.util.concurrent.locks.LockSupport.parkNanos(20_000_000);
    }
    assertThat(exchange.order()).containsExactly("headers", "data 7");
    exchange.peerResets(8);
  }

  @Test
  void onNextWaitsWhileThePeerDoesNotRead() throws Exception {
    var exchange =
        openDown(
            down((_, observer) -> {
              for (int i = 0; i < 2_000; i++) {
                observer.onNext(answerOf(KIB));
                sent.incrementAndGet();
              }
              observer.onCompleted();
            }));
    int perMessage = Probe.SEND_BUFFER_BYTES / (KIB + 8);
    int stalled = settled(perMessage - 2);
    assertThat(stalled).isBetween(perMessage - 2, perMessage + 2);
    assertThat(exchange.unsentBytes()).isLessThan(Probe.SEND_BUFFER_BYTES + 2 * KIB);
    exchange.window(Long.MAX_VALUE);
    exchange.await();
    assertThat(exchange.messages()).hasSize(2_000);
    assertThat(exchange.status()).isEqualTo("0");
  }

  @Test
  void codeThatAsksIsReadyIsNeverHeldUpAndHearsOnReady() throws Exception {
    var exchange =
        openDown(
            down((_, observer) -> {
              Runnable fill =
                  () -> {
                    seen.add("ready");
                    long start = System.nanoTime();
                    while (observer.isReady() && sent.get() < 500) {
                      observer.onNext(answerOf(KIB));
                      if (sent.incrementAndGet() == 500) observer.onCompleted();
                    }
                    if (System.nanoTime() - start > 2_000_000_000L) seen.add("held up");
                  };
              observer.setOnReadyHandler(fill);
            }));
    assertThat(settled(32)).isEqualTo(32);
    exchange.window(Long.MAX_VALUE);
    exchange.await();
    assertThat(exchange.messages()).hasSize(500);
    assertThat(seen).hasSizeGreaterThan(1).containsOnly("ready");
  }

  @Test
  void cancellationEndsAWaitingOnNextWithCancelled() throws Exception {
    var exchange =
        openDown(
            down((_, observer) -> {
              try {
                for (; ; ) {
                  observer.onNext(answerOf(KIB));
                  sent.incrementAndGet();
                }
              } catch (StatusRuntimeException e) {
                seen.add(e.getStatus().getCode() + " " + observer.isCancelled());
              }
            }));
    settled(100);
    exchange.peerResets(8);
    assertThat(next()).isEqualTo("CANCELLED true");
  }

  @Test
  void theDeadlineEndsAWaitingOnNextToo() throws Exception {
    var router =
        down((_, observer) -> {
          try {
            for (; ; ) observer.onNext(answerOf(KIB));
          } catch (StatusRuntimeException e) {
            seen.add(e.getStatus().getCode().name());
          }
        });
    var request = MemoryExchange.request(DOWN).add("grpc-timeout", "200m");
    var exchange = MemoryExchange.open(router, request, false);
    exchange.window(0);
    exchange.dataAndEnd(framed(ask("x")));
    assertThat(next()).isEqualTo("CANCELLED");
    exchange.window(Long.MAX_VALUE);
    exchange.await();
    assertThat(exchange.status()).isEqualTo("4");
  }

  @Test
  void aLoopThatNeverAsksEndsAfterItsCallWasCancelled() throws Exception {
    var exchange =
        MemoryExchange.open(
            down((_, observer) -> {
              seen.add("begun");
              try {
                for (; ; ) observer.onNext(answer(1));
              } catch (StatusRuntimeException e) {
                seen.add(e.getStatus().getCode().name());
              }
            }),
            MemoryExchange.request(DOWN),
            false);
    exchange.dataAndEnd(framed(ask("x")));
    assertThat(next()).isEqualTo("begun");
    exchange.peerResets(8);
    assertThat(next()).isEqualTo("CANCELLED");
  }

  @Test
  void anEventLoopThreadIsNotHeldUpButBounded() throws Exception {
    var exchange =
        openDown(
            down((_, observer) ->
                new FastThreadLocalThread(
                        () -> {
                          for (int i = 0; i < 10_000; i++) {
                            observer.onNext(answerOf(KIB));
                            sent.incrementAndGet();
                          }
                        })
                    .start()));
    settled(4_000);
    assertThat(exchange.unsentBytes()).isLessThan(18 * Probe.SEND_BUFFER_BYTES);
    exchange.window(Long.MAX_VALUE);
    exchange.await();
    assertThat(exchange.status()).isEqualTo("8");
  }

  @Test
  void twoThreadsThatSendAtOnceLoseNothing() throws Exception {
    var exchange =
        MemoryExchange.open(
            down((_, observer) -> {
              observer.onNext(answer(0)); // headers
              Runnable half =
                  () -> {
                    for (int i = 0; i < 500; i++) observer.onNext(answer(1));
                  };
              var other = Thread.startVirtualThread(half);
              half.run();
              try {
                other.join();
              } catch (InterruptedException e) {
                throw new IllegalStateException(e);
              }
              observer.onCompleted();
            }),
            MemoryExchange.request(DOWN),
            false);
    exchange.dataAndEnd(framed(ask("x"))).await();
    assertThat(exchange.messages()).hasSize(1_001);
    assertThat(exchange.status()).isEqualTo("0");
  }

  /// The receive window bounds what waits in the inbox: credit goes back when a message is taken.
  @Test
  void creditGoesBackAsMessagesAreTaken() throws Exception {
    var requests = new LinkedBlockingQueue<ServerCallStreamObserver<Answer>>();
    var router =
        Probe.router(
            new ProbeImplBase() {
              @Override
              public StreamObserver<Ask> chat(StreamObserver<Answer> observer) {
                var call = (ServerCallStreamObserver<Answer>) observer;
                call.disableAutoRequest();
                requests.add(call);
                return new StreamObserver<>() {
                  @Override
                  public void onNext(Ask ask) {
                    seen.add("message " + ask.getNumber());
                  }

                  @Override
                  public void onError(Throwable t) {
                    seen.add(Status.fromThrowable(t).getCode().name());
                  }

                  @Override
                  public void onCompleted() {
                    seen.add("half-closed");
                    call.onCompleted();
                  }
                };
              }
            });
    var exchange = MemoryExchange.open(router, MemoryExchange.request(CHAT), false);
    var call = requests.take();
    var one = framed(ask(1));
    exchange.data(one).data(framed(ask(2))).data(framed(ask(3))).data(new byte[] {0, 0, 0});
    Thread.sleep(50);
    assertThat(exchange.consumedBytes()).isZero();
    assertThat(seen).isEmpty();
    call.request(1);
    assertThat(next()).isEqualTo("message 1");
    assertThat(exchange.consumedBytes()).isEqualTo(one.length);
    call.request(2);
    assertThat(next()).isEqualTo("message 2");
    assertThat(next()).isEqualTo("message 3");
    // What is there of the fourth goes back as well, for it may be larger than the window.
    assertThat(exchange.consumedBytes()).isEqualTo(3 * one.length + 3);
    exchange.data(new byte[] {0, 2, 0x10, 4}).end();
    assertThat(seen.poll(50, TimeUnit.MILLISECONDS)).isNull();
    call.request(1);
    assertThat(next()).isEqualTo("message 4");
    assertThat(next()).isEqualTo("half-closed");
    exchange.await();
    assertThat(exchange.consumedBytes()).isEqualTo(3 * one.length + 7);
  }

  @Test
  void badInputInTheMiddleCancelsTheHandlerAndAnswers() throws Exception {
    var router =
        Probe.router(
            new ProbeImplBase() {
              @Override
              public StreamObserver<Ask> chat(StreamObserver<Answer> observer) {
                return new StreamObserver<>() {
                  @Override
                  public void onNext(Ask ask) {
                    observer.onNext(answer(ask.getNumber()));
                    seen.add("message " + ask.getNumber());
                  }

                  @Override
                  public void onError(Throwable t) {
                    seen.add(Status.fromThrowable(t).getCode().name());
                  }

                  @Override
                  public void onCompleted() {
                    observer.onCompleted();
                  }
                };
              }
            });
    var exchange = MemoryExchange.open(router, MemoryExchange.request(CHAT), false);
    exchange.data(framed(ask(1)));
    assertThat(next()).isEqualTo("message 1"); // a handler that had not begun would hear nothing
    exchange.data(new byte[] {7, 0, 0, 0, 0});
    exchange.await();
    assertThat(exchange.status()).isEqualTo("13");
    assertThat(next()).isEqualTo("CANCELLED");
  }

  @Test
  void aConnectionLostCancelsTheCall() throws Exception {
    var router =
        down((_, observer) -> {
          observer.setOnCancelHandler(() -> seen.add("onCancel"));
          seen.add("begun");
        });
    var exchange = openDown(router);
    assertThat(next()).isEqualTo("begun");
    exchange.peerResets(2);
    assertThat(next()).isEqualTo("onCancel");
    exchange.await(Close.ResetByPeer.class);
  }
}
