package dev.weftline.server;

import static dev.weftline.testing.Probe.answer;
import static dev.weftline.testing.Probe.ask;
import static io.grpc.health.v1.HealthCheckResponse.ServingStatus.NOT_SERVING;
import static io.grpc.health.v1.HealthCheckResponse.ServingStatus.SERVING;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import com.google.rpc.ErrorInfo;
import com.google.rpc.RetryInfo;
import dev.weftline.Call;
import dev.weftline.CallException;
import dev.weftline.Drain;
import dev.weftline.Receiver;
import dev.weftline.client.OutboundCall;
import dev.weftline.http.Response;
import dev.weftline.probe.Answer;
import dev.weftline.probe.Ask;
import dev.weftline.probe.ProbeGrpc;
import dev.weftline.probe.ProbeGrpc.ProbeImplBase;
import dev.weftline.testing.EchoService;
import dev.weftline.testing.RunningServer;
import dev.weftline.testing.StraightProbe;
import io.grpc.CallOptions;
import io.grpc.Grpc;
import io.grpc.InsecureChannelCredentials;
import io.grpc.ManagedChannel;
import io.grpc.Metadata;
import io.grpc.ServerCall;
import io.grpc.ServerCallHandler;
import io.grpc.ServerInterceptor;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.health.v1.HealthCheckRequest;
import io.grpc.health.v1.HealthCheckResponse;
import io.grpc.health.v1.HealthGrpc;
import io.grpc.stub.StreamObserver;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// How a server ends, as its clients and its calls see it.
@Timeout(60)
final class GracefulDrainTest {
  /// Longer than any test: what waits for it is ended by something else, or the test fails.
  private static final Duration LONG = Duration.ofSeconds(50);

  private static RunningServer running(UnaryOperator<Server.Builder> options) {
    return RunningServer.with(builder -> options.apply(builder.signals(false).lameDuck(LONG)));
  }

  private static HealthCheckResponse.ServingStatus health(RunningServer running) {
    return HealthGrpc.newBlockingStub(running.channel())
        .check(HealthCheckRequest.getDefaultInstance())
        .getStatus();
  }

  // ---- The lame duck.

  @Test
  void aLameDuckSaysSoAndServesCallsAndConnectionsAsBefore() {
    try (var running = running(builder -> builder.addService(new EchoService()))) {
      assertThat(health(running)).isEqualTo(SERVING);
      running.server().drain();
      assertThat(health(running)).isEqualTo(NOT_SERVING);
      assertThat(running.blocking().unary(ask("old"))).isEqualTo(answer("old"));
      var latecomer = connect(running.server().port());
      assertThat(ProbeGrpc.newBlockingStub(latecomer).unary(ask("new"))).isEqualTo(answer("new"));
      latecomer.shutdownNow();
    }
  }

  @Test
  void probesOverHttpSeeItAndAreWaitedFor() throws Exception {
    try (var running = running(builder -> builder.addService(new EchoService()));
        var client = HttpClient.newHttpClient()) {
      assertThat(probe(client, running, "/healthz")).isEqualTo("200 SERVING\n");
      running.server().drain();
      assertThat(probe(client, running, "/healthz")).isEqualTo("503 NOT_SERVING\n");
      assertThat(probe(client, running, "/livez")).isEqualTo("200 LIVE\n");
    }
  }

  private static String probe(HttpClient client, RunningServer running, String path)
      throws Exception {
    var uri = URI.create("http://127.0.0.1:" + running.server().port() + path);
    var request = HttpRequest.newBuilder(uri).version(HttpClient.Version.HTTP_1_1).build();
    var response = client.send(request, HttpResponse.BodyHandlers.ofString());
    return response.statusCode() + " " + response.body();
  }

  @Test
  void aHandlerOfTheApplicationStandsInPlaceOfAProbe() throws Exception {
    try (var running = running(builder -> builder.http("/livez", _ -> Response.text(200, "mine")));
        var client = HttpClient.newHttpClient()) {
      assertThat(probe(client, running, "/livez")).isEqualTo("200 mine");
      assertThat(probe(client, running, "/healthz")).isEqualTo("200 SERVING\n");
    }
  }

  @Test
  void itIsOneForAsLongAsItWasTold() throws Exception {
    try (var running =
        running(
            builder -> builder.addService(new EchoService()).lameDuck(Duration.ofMillis(300)))) {
      assertThat(health(running)).isEqualTo(SERVING);
      long begin = System.nanoTime();
      running.server().drain();
      running.server().awaitTermination();
      assertThat(Duration.ofNanos(System.nanoTime() - begin)).isGreaterThan(Duration.ofMillis(300));
    }
  }

  @Test
  void whoeverNeverAskedForHealthIsNotWaitedFor() throws Exception {
    try (var running = running(builder -> builder.addService(new EchoService()))) {
      assertThat(running.blocking().unary(ask("x"))).isEqualTo(answer("x"));
      running.server().health().set("", true); // its own side does not count
      running.server().drain();
      assertThat(running.server().awaitTermination(Duration.ofSeconds(20))).isTrue();
    }
  }

  @Test
  void healthStaysDownWhateverIsSetOrChecked() {
    try (var running = running(builder -> builder.addService(new EchoService()))) {
      assertThat(health(running)).isEqualTo(SERVING);
      running.server().drain();
      running.server().health().set("", true);
      running.server().health().check(HealthCheck.of("database", () -> true));
      assertThat(health(running)).isEqualTo(NOT_SERVING);
    }
  }

  @Test
  void aWatchHearsOfTheDrainAndEndsWithoutBeingWaitedFor() throws Exception {
    try (var running = running(builder -> builder.addService(new EchoService()).grace(LONG))) {
      var watch =
          OutboundCall.open(
              running.channel(),
              HealthGrpc.getWatchMethod(),
              CallOptions.DEFAULT,
              HealthCheckRequest.getDefaultInstance());
      var seen = watch.iterator();
      assertThat(seen.next().getStatus()).isEqualTo(SERVING);
      running.server().drain();
      assertThat(seen.next().getStatus()).isEqualTo(NOT_SERVING);
      running.server().shutdown(LONG);
      assertThat(seen.hasNext()).isFalse();
      assertThat(running.server().callsCut()).isZero();
    }
  }

  /// Closing without a drain before: as at the end of a test, which nobody wants to wait for.
  @Test
  void closingIsNoLameDuck() {
    try (var running = running(builder -> builder.addService(new EchoService()))) {
      assertThat(health(running)).isEqualTo(SERVING);
      running.server().close();
      assertThat(running.server().isTerminated()).isTrue();
    }
  }

  /// grpc-java's promise: "preexisting calls continue but new calls are rejected".
  @Test
  void grpcJavasShutdownTakesNothingNewAtOnce() throws Exception {
    try (var running = running(builder -> builder.addService(new EchoService()))) {
      assertThat(health(running)).isEqualTo(SERVING);
      var grpcJava = running.server().grpcJava();
      assertThat(grpcJava.shutdown().isShutdown()).isTrue();
      assertThat(grpcJava.awaitTermination(Long.MAX_VALUE, TimeUnit.DAYS)).isTrue();
    }
  }

  // ---- Calls that learn of it.

  @Test
  void aSubscriptionSaysGoodbye() throws Exception {
    var service =
        StraightProbe.down((_, answers) -> {
          var call = Call.current();
          answers.send(answer("draining: " + call.draining()));
          while (!call.awaitDrain(Duration.ofMillis(10))) answers.send(answer("tick"));
          answers.send(answer("goodbye, draining: " + call.draining()));
        });
    try (var running = running(builder -> builder.addService(service.service()))) {
      var answers = running.blocking().down(ask("x"));
      assertThat(answers.next()).isEqualTo(answer("draining: false"));
      assertThat(answers.next()).isEqualTo(answer("tick"));
      running.server().drain();
      var last = answer("");
      while (answers.hasNext()) last = answers.next();
      assertThat(last).isEqualTo(answer("goodbye, draining: true"));
      running.server().awaitTermination();
      assertThat(running.server().callsCut()).isZero();
    }
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void aReceiverThatWaitsEndsWhenTheServerDrainsIfItWantsTo(boolean intercepted) throws Exception {
    var service =
        StraightProbe.chat((asks, answers) -> {
          for (var ask : asks.untilDrain()) answers.send(answer(ask.getText()));
          answers.send(answer("goodbye, ended: " + asks.isEnded()));
          for (var ask : asks) answers.send(answer("after " + ask.getText()));
        });
    try (var running =
        running(builder ->
            builder.addService(
                intercepted ? service.service().intercept(new Nothing()) : service.service()))) {
      try (var chat = chat(running)) {
        var answers = chat.iterator();
        chat.send(ask("hello"));
        assertThat(answers.next()).isEqualTo(answer("hello"));
        running.server().drain();
        assertThat(answers.next()).isEqualTo(answer("goodbye, ended: false"));
        chat.send(ask("all")); // whoever goes on with the plain iterator gets it
        assertThat(answers.next()).isEqualTo(answer("after all"));
        chat.halfClose();
        assertThat(answers.hasNext()).isFalse();
      }
      running.server().awaitTermination();
    }
  }

  @Test
  void withoutADrainUntilDrainIsAllThereIs() {
    var service =
        StraightProbe.up(asks -> {
          int sum = 0;
          for (var ask : asks.untilDrain()) sum += ask.getNumber();
          return Answer.newBuilder().setNumber(sum).build();
        });
    try (var running = running(builder -> builder.addService(service.service()))) {
      var sum =
          OutboundCall.clientStreaming(
              running.channel(),
              ProbeGrpc.getUpMethod(),
              CallOptions.DEFAULT,
              Receiver.of(List.of(number(1), number(2), number(4))));
      assertThat(sum.getNumber()).isEqualTo(7);
    }
  }

  @Test
  void aHookRunsOnceAtTheDrainAndNotForACallThatHasEnded() throws Exception {
    var ran = new LinkedBlockingQueue<String>();
    var service =
        StraightProbe.unary(
                ask -> {
                  Call.current().onDrain(() -> ran.add(ask.getText()));
                  return answer("");
                })
            .andChat((asks, answers) -> {
              Call.current()
                  .onDrain(() -> ran.add("virtual " + Thread.currentThread().isVirtual()));
              answers.send(answer("ready"));
              for (var _ : asks) {}
              Call.current().onDrain(() -> ran.add("late"));
            });
    try (var running = running(builder -> builder.addService(service.service()))) {
      var _ = running.blocking().unary(ask("ended before"));
      try (var chat = chat(running)) {
        var answers = chat.iterator();
        assertThat(answers.next()).isEqualTo(answer("ready"));
        running.server().drain();
        assertThat(ran.take()).isEqualTo("virtual true");
        chat.halfClose();
        assertThat(answers.hasNext()).isFalse();
      }
      assertThat(ran.take()).isEqualTo("late");
      assertThat(ran).isEmpty();
    }
  }

  @Test
  void aGrpcJavaServiceLearnsOfItFromItsContext() throws Exception {
    var told = new CompletableFuture<Boolean>();
    var service =
        new ProbeImplBase() {
          @Override
          public void down(Ask ask, StreamObserver<Answer> observer) {
            var drain = Drain.current();
            drain.onBegin(() -> told.complete(drain.hasBegun()));
            observer.onNext(answer("" + drain.hasBegun()));
            try {
              while (!drain.await(Duration.ofMillis(10))) observer.onNext(answer("tick"));
            } catch (InterruptedException e) {
              return;
            }
            observer.onCompleted();
          }
        };
    try (var running = running(builder -> builder.addService(service))) {
      var answers = running.blocking().down(ask("x"));
      assertThat(answers.next()).isEqualTo(answer("false"));
      running.server().drain();
      while (answers.hasNext()) answers.next();
      assertThat(told.get(20, TimeUnit.SECONDS)).isTrue();
      running.server().awaitTermination();
      assertThat(running.server().callsCut()).isZero();
    }
  }

  @Test
  void elsewhereNothingDrains() throws Exception {
    assertThat(Drain.current().hasBegun()).isFalse();
    assertThat(Drain.current().await(Duration.ofMillis(1))).isFalse();
  }

  // ---- Calls that do not.

  @Test
  void whatDoesNotEndIsCutAndToldWhyAndWhenToTryAgain() throws Exception {
    var entered = new CountDownLatch(2);
    var service =
        StraightProbe.chat(
                (asks, answers) -> {
                  answers.send(answer("in"));
                  entered.countDown();
                  for (var _ : asks) {}
                })
            .andUnary(ask -> {
              entered.countDown();
              Thread.sleep(LONG);
              return answer(ask.getText());
            });
    try (var running =
            running(builder -> builder.addService(service.service()).grace(Duration.ofMillis(50)));
        var chat = chat(running)) {
      var unary = ProbeGrpc.newFutureStub(running.channel()).unary(ask("never"));
      assertThat(entered.await(20, TimeUnit.SECONDS)).isTrue();
      running.server().drain();
      var answers = chat.iterator();
      assertThat(answers.next()).isEqualTo(answer("in"));
      var cut = catchThrowableOfType(StatusRuntimeException.class, answers::hasNext);
      assertThat(cut.getStatus().getCode()).isEqualTo(Status.Code.UNAVAILABLE);
      assertThat(CallException.detail(cut, ErrorInfo.class))
          .hasValueSatisfying(why -> {
            assertThat(why.getReason()).isEqualTo("SERVER_SHUTTING_DOWN");
            assertThat(why.getDomain()).isEqualTo("weftline.dev");
          });
      assertThat(CallException.detail(cut, RetryInfo.class)).isPresent();
      assertThatThrownBy(() -> unary.get(20, TimeUnit.SECONDS))
          .satisfies(
              failure -> assertThat(CallException.detail(failure, RetryInfo.class)).isPresent());
      running.server().awaitTermination();
      assertThat(running.server().callsCut()).isEqualTo(2);
    }
  }

  /// Stands before a method and does nothing, so that it is served another way.
  private static final class Nothing implements ServerInterceptor {
    @Override
    public <ReqT, RespT> ServerCall.Listener<ReqT> interceptCall(
        ServerCall<ReqT, RespT> call, Metadata headers, ServerCallHandler<ReqT, RespT> next) {
      return next.startCall(call, headers);
    }
  }

  private static OutboundCall<Ask, Answer> chat(RunningServer running) {
    return OutboundCall.open(running.channel(), ProbeGrpc.getChatMethod(), CallOptions.DEFAULT);
  }

  private static Ask number(int number) {
    return Ask.newBuilder().setNumber(number).build();
  }

  private static ManagedChannel connect(int port) {
    return Grpc.newChannelBuilder("127.0.0.1:" + port, InsecureChannelCredentials.create()).build();
  }
}
