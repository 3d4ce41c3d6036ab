package dev.weftline.internal.call;

import static dev.weftline.testing.Probe.UNARY;
import static dev.weftline.testing.Probe.answer;
import static dev.weftline.testing.Probe.answers;
import static dev.weftline.testing.Probe.ask;
import static dev.weftline.testing.Probe.framed;
import static org.assertj.core.api.Assertions.assertThat;

import dev.weftline.internal.http.ExchangeHandler.Close;
import dev.weftline.internal.http.Fields;
import dev.weftline.internal.protocol.Compression;
import dev.weftline.probe.Answer;
import dev.weftline.probe.Ask;
import dev.weftline.probe.ProbeGrpc.ProbeImplBase;
import dev.weftline.testing.MemoryExchange;
import dev.weftline.testing.Probe;
import io.grpc.Codec;
import io.grpc.Context;
import io.grpc.Metadata;
import io.grpc.Status;
import io.grpc.stub.ServerCallStreamObserver;
import io.grpc.stub.StreamObserver;
import java.util.Arrays;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

final class UnaryCallTest {
  private final BlockingQueue<String> seen = new LinkedBlockingQueue<>();
  private final CallCounters counters = new CallCounters();

  interface Handler {
    void unary(Ask ask, StreamObserver<Answer> observer) throws Exception;
  }

  private Router serving(Handler handler) {
    return Probe.router(
        counters,
        new ProbeImplBase() {
          @Override
          public void unary(Ask ask, StreamObserver<Answer> observer) {
            try {
              handler.unary(ask, observer);
            } catch (RuntimeException e) {
              throw e;
            } catch (Exception e) {
              throw new IllegalStateException(e);
            }
          }
        });
  }

  private static void echo(Ask ask, StreamObserver<Answer> observer) {
    observer.onNext(answer(ask.getText()));
    observer.onCompleted();
  }

  private static MemoryExchange open(Router router) {
    return MemoryExchange.open(router, MemoryExchange.request(UNARY), false);
  }

  private String next() throws InterruptedException {
    var event = seen.poll(5, TimeUnit.SECONDS);
    return event == null ? "nothing within 5 s" : event;
  }

  @Test
  void aMessageIsAnsweredOnAVirtualThreadInOneResponse() {
    var router =
        serving((ask, observer) -> {
          seen.add("virtual " + Thread.currentThread().isVirtual());
          echo(ask, observer);
        });
    var exchange = open(router).dataAndEnd(framed(ask("hello"))).await();
    assertThat(answers(exchange)).containsExactly(answer("hello"));
    assertThat(exchange.headers().value(":status")).isEqualTo("200");
    assertThat(exchange.headers().value("content-type")).isEqualTo("application/grpc");
    assertThat(exchange.headers().value("grpc-accept-encoding")).isEqualTo("gzip");
    assertThat(exchange.headers().isConstant()).isTrue();
    assertThat(exchange.trailers().isConstant()).isTrue();
    assertThat(exchange.status()).isEqualTo("0");
    assertThat(seen).containsExactly("virtual true");
    assertThat(counters.started()).isEqualTo(1);
    assertThat(counters.succeeded()).isEqualTo(1);
  }

  @Test
  void everySplitOfTheRequestGivesTheSameAnswer() {
    var router = serving(UnaryCallTest::echo);
    var body = framed(ask("in pieces"));
    for (int cut = 0; cut <= body.length; cut++) {
      var exchange = open(router);
      exchange.data(Arrays.copyOfRange(body, 0, cut));
      exchange.data(Arrays.copyOfRange(body, cut, body.length)).end().await();
      assertThat(answers(exchange)).containsExactly(answer("in pieces"));
    }
  }

  @Test
  void theWindowIsGivenBackForEveryOctet() {
    var body = framed(ask("x".repeat(10_000)));
    var exchange = open(serving(UnaryCallTest::echo)).dataAndEnd(body).await();
    assertThat(exchange.consumedBytes()).isEqualTo(body.length);
  }

  /// gRPC status codes: request cardinality violation is UNIMPLEMENTED.
  @Test
  void noMessageIsUnimplemented() {
    var exchange = open(serving(UnaryCallTest::echo)).end().await();
    assertThat(exchange.status()).isEqualTo("12");
    assertThat(exchange.message()).contains("weftline.probe.Probe/Unary").contains("sent none");
    assertThat(exchange.headers().value(":status")).isEqualTo("200");
  }

  @Test
  void twoMessagesAreUnimplemented() {
    var exchange = open(serving(UnaryCallTest::echo));
    exchange.data(framed(ask("1"))).data(framed(ask("2"))).await();
    assertThat(exchange.status()).isEqualTo("12");
    assertThat(exchange.message()).contains("more than one");
  }

  @Test
  void aRequestThatEndsInsideAMessageIsInternal() {
    var body = framed(ask("cut"));
    var exchange =
        open(serving(UnaryCallTest::echo)).dataAndEnd(Arrays.copyOf(body, body.length - 1)).await();
    assertThat(exchange.status()).isEqualTo("13");
    assertThat(counters.refused()).isEqualTo(1);
  }

  /// gRPC status codes: error parsing the request proto is INTERNAL.
  @Test
  void aMessageThatIsNoProtobufIsInternal() {
    byte[] invalid = {(byte) 0x0a, (byte) 0x7f};
    var exchange =
        open(serving(UnaryCallTest::echo)).dataAndEnd(MemoryExchange.framed(invalid)).await();
    assertThat(exchange.status()).isEqualTo("13");
    assertThat(exchange.message()).isEqualTo("Invalid protobuf byte sequence");
  }

  @Test
  void aMessagePastTheLimitIsRefusedOnItsPrefix() {
    var exchange = open(serving(UnaryCallTest::echo));
    exchange.data(new byte[] {0, 0, 0x40, 0, 0}).await();
    assertThat(exchange.status()).isEqualTo("8");
    assertThat(exchange.message())
        .contains("weftline.probe.Probe/Unary")
        .contains("4194304")
        .contains(Integer.toString(Probe.MESSAGE_BYTES_MAX))
        .contains("maxInboundMessageBytes");
  }

  /// gRPC compression: flagged compressed without a grpc-encoding is INTERNAL.
  @Test
  void aCompressedMessageWithoutAnEncodingIsInternal() {
    var body = framed(ask("x"));
    body[0] = 1;
    var exchange = open(serving((_, _) -> seen.add("called"))).dataAndEnd(body).await();
    assertThat(exchange.status()).isEqualTo("13");
    assertThat(exchange.message()).contains("grpc-encoding");
    assertThat(seen).isEmpty();
  }

  @Test
  void gzipIsReadAndWrittenAndItsFaultsAreInternal() throws Exception {
    var router = serving(UnaryCallTest::echo);
    var request = MemoryExchange.request(UNARY).add("grpc-encoding", "gzip");
    var compressed = Compression.compress(new Codec.Gzip(), framed(ask("zipped")));
    var good = MemoryExchange.open(router, request, false).dataAndEnd(compressed).await();
    assertThat(answers(good)).containsExactly(answer("zipped"));
    compressed[20] ^= 0x55;
    var corrupt = MemoryExchange.open(router, request, false).dataAndEnd(compressed).await();
    assertThat(corrupt.status()).isEqualTo("13");
    var bomb = Compression.compress(new Codec.Gzip(), MemoryExchange.framed(new byte[10 << 20]));
    var bombed = MemoryExchange.open(router, request, false).dataAndEnd(bomb).await();
    assertThat(bombed.status()).isEqualTo("8");
    assertThat(bombed.message()).contains("maxInboundMessageBytes");
  }

  @Test
  void aHandlerThatThrowsEndsTheCallWithUnknown() {
    var exchange =
        open(serving((_, _) -> {
          throw new IllegalStateException("on purpose");
        }))
            .dataAndEnd(framed(ask("x")))
            .await();
    assertThat(exchange.status()).isEqualTo("2");
    assertThat(exchange.message()).isEqualTo("Application error processing RPC");
    assertThat(counters.failed()).isEqualTo(1);
  }

  @Test
  void anErrorOfTheHandlerEndsItsCallOnly() {
    var router =
        serving((ask, observer) -> {
          if (ask.getText().equals("bad")) throw new StackOverflowError("on purpose");
          echo(ask, observer);
        });
    assertThat(open(router).dataAndEnd(framed(ask("bad"))).await().status()).isEqualTo("2");
    assertThat(open(router).dataAndEnd(framed(ask("good"))).await().status()).isEqualTo("0");
  }

  @Test
  void onErrorSendsStatusMessageAndTrailersAlone() {
    var key = Metadata.Key.of("why", Metadata.ASCII_STRING_MARSHALLER);
    var exchange =
        open(serving((_, observer) -> {
          var trailers = new Metadata();
          trailers.put(key, "because");
          observer.onError(
              Status.NOT_FOUND.withDescription("no such thing: ü%").asRuntimeException(trailers));
        }))
            .dataAndEnd(framed(ask("x")))
            .await();
    assertThat(exchange.order()).containsExactly("headers");
    assertThat(exchange.status()).isEqualTo("5");
    assertThat(exchange.message()).isEqualTo("no such thing: %C3%BC%25");
    assertThat(exchange.trailers().value("why")).isEqualTo("because");
  }

  @Test
  void anAnswerFromAnotherThreadLaterCompletesTheCall() throws Exception {
    var router =
        serving((ask, observer) -> {
          ((ServerCallStreamObserver<Answer>) observer)
              .setOnCloseHandler(
                  () -> seen.add("closed, virtual " + Thread.currentThread().isVirtual()));
          Thread.ofPlatform()
              .start(() -> {
                sleep(50);
                echo(ask, observer);
              });
        });
    var exchange = open(router).dataAndEnd(framed(ask("later"))).await();
    assertThat(answers(exchange)).containsExactly(answer("later"));
    assertThat(next()).isEqualTo("closed, virtual true");
  }

  @Test
  void theDeadlineAnswersAndInterruptsABlockedHandler() throws Exception {
    var router =
        serving((_, _) -> {
          try {
            Thread.sleep(10_000);
            seen.add("slept");
          } catch (InterruptedException e) {
            var context = Context.current();
            seen.add("interrupted, cancelled " + context.isCancelled());
            seen.add(String.valueOf(context.cancellationCause()));
          }
        });
    var request = MemoryExchange.request(UNARY).add("grpc-timeout", "50m");
    long start = System.nanoTime();
    var exchange = MemoryExchange.open(router, request, false);
    exchange.dataAndEnd(framed(ask("x"))).await();
    assertThat(exchange.status()).isEqualTo("4");
    assertThat(System.nanoTime() - start).isBetween(50_000_000L, 2_000_000_000L);
    assertThat(next()).isEqualTo("interrupted, cancelled true");
    assertThat(next()).contains("TimeoutException");
  }

  @Test
  void aDeadlineThatHasPassedOnArrivalStartsNoThread() {
    var router = serving((_, _) -> seen.add("called"));
    var request = MemoryExchange.request(UNARY).add("grpc-timeout", "0n");
    var exchange = MemoryExchange.open(router, request, false);
    exchange.dataAndEnd(framed(ask("x"))).await();
    assertThat(exchange.status()).isEqualTo("4");
    assertThat(seen).isEmpty();
  }

  @Test
  void theContextKnowsTheDeadline() throws Exception {
    var router =
        serving((ask, observer) -> {
          var deadline = Context.current().getDeadline();
          seen.add(deadline == null ? "none" : "" + deadline.timeRemaining(TimeUnit.HOURS));
          echo(ask, observer);
        });
    var request = MemoryExchange.request(UNARY).add("grpc-timeout", "99999999H");
    MemoryExchange.open(router, request, false).dataAndEnd(framed(ask("x"))).await();
    assertThat(Long.parseLong(next())).isGreaterThan(800_000);
  }

  @Test
  void aResetByTheClientInterruptsAndFiresListenersWhileTheHandlerIsBusy() throws Exception {
    var started = new CountDownLatch(1);
    var router =
        serving((_, observer) -> {
          var call = (ServerCallStreamObserver<Answer>) observer;
          call.setOnCancelHandler(
              () -> seen.add("onCancel, interrupted " + Thread.currentThread().isInterrupted()));
          Context.current().addListener(_ -> seen.add("listener"), Runnable::run);
          started.countDown();
          try {
            Thread.sleep(10_000);
          } catch (InterruptedException e) {
            seen.add("interrupted, cancelled " + call.isCancelled());
            Thread.currentThread().interrupt();
          }
        });
    var exchange = open(router);
    exchange.dataAndEnd(framed(ask("x")));
    assertThat(started.await(5, TimeUnit.SECONDS)).isTrue();
    exchange.peerResets(8);
    assertThat(next()).isEqualTo("listener");
    assertThat(next()).isEqualTo("interrupted, cancelled true");
    assertThat(next()).isEqualTo("onCancel, interrupted false");
    exchange.await(Close.ResetByPeer.class);
    assertThat(counters.failed()).isEqualTo(1);
  }

  @Test
  void aResetBeforeTheMessageIsWholeStartsNothing() {
    var router = serving((_, _) -> seen.add("called"));
    var exchange = open(router);
    exchange.data(new byte[] {0, 0});
    exchange.peerResets(8);
    exchange.data(new byte[3]).end();
    assertThat(seen).isEmpty();
    assertThat(counters.failed()).isEqualTo(1);
  }

  @Test
  void oneOfHandlerAndDeadlineWinsAndNeverBoth() {
    var router =
        serving((ask, observer) -> {
          sleep(8);
          echo(ask, observer);
        });
    for (int i = 0; i < 60; i++) {
      var request = MemoryExchange.request(UNARY).add("grpc-timeout", "8m");
      var exchange = MemoryExchange.open(router, request, false);
      exchange.dataAndEnd(framed(ask("x"))).await();
      switch (String.valueOf(exchange.status())) {
        case "0" -> assertThat(exchange.order()).containsExactly("headers", "data 8", "trailers");
        case "4" -> assertThat(exchange.order()).containsExactly("headers");
        default -> throw new AssertionError(exchange.order() + " " + exchange.status());
      }
    }
  }

  @Test
  void requestMetadataReachesTheHandlerAndItsOwnReachesTheClient() {
    var in = Metadata.Key.of("token-bin", Metadata.BINARY_BYTE_MARSHALLER);
    var out = Metadata.Key.of("seen", Metadata.ASCII_STRING_MARSHALLER);
    var router =
        Probe.router(
            new ProbeImplBase() {
              @Override
              public void unary(Ask ask, StreamObserver<Answer> observer) {
                echo(ask, observer);
              }
            },
            new io.grpc.ServerInterceptor() {
              @Override
              public <Q, A> io.grpc.ServerCall.Listener<Q> interceptCall(
                  io.grpc.ServerCall<Q, A> call,
                  Metadata headers,
                  io.grpc.ServerCallHandler<Q, A> next) {
                var forwarding =
                    new io.grpc.ForwardingServerCall.SimpleForwardingServerCall<Q, A>(call) {
                      @Override
                      public void sendHeaders(Metadata response) {
                        var token = headers.get(in);
                        response.put(out, token == null ? "none" : Arrays.toString(token));
                        super.sendHeaders(response);
                      }
                    };
                return next.startCall(forwarding, headers);
              }
            });
    var request = MemoryExchange.request(UNARY).add("token-bin", "AQI=");
    var exchange = MemoryExchange.open(router, request, false);
    exchange.dataAndEnd(framed(ask("x"))).await();
    assertThat(exchange.headers().value("seen")).isEqualTo("[1, 2]");
  }

  @Test
  void metadataThatIsNotBase64EndsItsCallWithInternal() {
    var request = MemoryExchange.request(UNARY).add("token-bin", "!!!");
    var exchange = MemoryExchange.open(serving(UnaryCallTest::echo), request, false);
    exchange.dataAndEnd(framed(ask("x"))).await();
    assertThat(exchange.status()).isEqualTo("13");
    assertThat(exchange.message()).contains("token-bin");
  }

  @Test
  void shutdownEndsOpenCallsWithUnavailable() throws Exception {
    var router =
        serving((_, _) -> {
          try {
            Thread.sleep(10_000);
          } catch (InterruptedException e) {
            seen.add("interrupted");
          }
        });
    var exchange = open(router);
    exchange.dataAndEnd(framed(ask("x")));
    router.cutAll(Status.UNAVAILABLE.withDescription("shutting down"), new Metadata());
    exchange.await();
    assertThat(exchange.status()).isEqualTo("14");
  }

  @Test
  void anEmptyMetadataSectionOfATrailersOnlyRequestIsUnimplementedToo() {
    var exchange =
        MemoryExchange.open(serving(UnaryCallTest::echo), MemoryExchange.request(UNARY), true);
    exchange.await();
    assertThat(exchange.status()).isEqualTo("12");
    assertThat(exchange.trailers()).isNotEqualTo(Fields.EMPTY);
  }

  /// A response that the peer has not taken yet.
  private MemoryExchange answeredWithClosedWindow(Fields request) throws InterruptedException {
    var router =
        serving((_, observer) -> {
          var call = (ServerCallStreamObserver<Answer>) observer;
          call.setOnCloseHandler(() -> seen.add("complete"));
          call.setOnCancelHandler(() -> seen.add("cancelled"));
          call.onNext(Probe.answerOf(100_000));
          call.onCompleted();
          seen.add("answered");
        });
    var exchange = MemoryExchange.open(router, request, false);
    exchange.window(0);
    exchange.dataAndEnd(framed(ask("x")));
    assertThat(next()).isEqualTo("answered");
    assertThat(seen.poll(50, TimeUnit.MILLISECONDS)).isNull();
    return exchange;
  }

  @Test
  void aLargeResponseIsCompleteWhenItWasWritten() throws Exception {
    var exchange = answeredWithClosedWindow(MemoryExchange.request(UNARY));
    exchange.window(Long.MAX_VALUE);
    assertThat(next()).isEqualTo("complete");
    exchange.await();
  }

  @Test
  void aLargeResponseThatIsNotTakenIsCancelledByAReset() throws Exception {
    answeredWithClosedWindow(MemoryExchange.request(UNARY)).peerResets(8);
    assertThat(next()).isEqualTo("cancelled");
  }

  @Test
  void aLargeResponseThatIsNotTakenIsResetByTheDeadline() throws Exception {
    var request = MemoryExchange.request(UNARY).add("grpc-timeout", "300m");
    var exchange = answeredWithClosedWindow(request);
    assertThat(next()).isEqualTo("cancelled");
    exchange.await(Close.ResetLocally.class);
  }

  private static void sleep(int millis) {
    try {
      Thread.sleep(millis);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
