package dev.weftline.server;

import static dev.weftline.testing.Probe.answer;
import static dev.weftline.testing.Probe.answerOf;
import static dev.weftline.testing.Probe.ask;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import com.google.protobuf.ByteString;
import dev.weftline.Call;
import dev.weftline.CallInfo;
import dev.weftline.Guard;
import dev.weftline.probe.Answer;
import dev.weftline.probe.Ask;
import dev.weftline.probe.ProbeGrpc;
import dev.weftline.probe.ProbeGrpc.ProbeImplBase;
import dev.weftline.testing.EchoService;
import dev.weftline.testing.RunningServer;
import dev.weftline.testing.StraightProbe;
import io.grpc.Context;
import io.grpc.Contexts;
import io.grpc.Metadata;
import io.grpc.ServerCall;
import io.grpc.ServerCallHandler;
import io.grpc.ServerInterceptor;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.health.v1.HealthCheckRequest;
import io.grpc.health.v1.HealthGrpc;
import io.grpc.protobuf.services.HealthStatusManager;
import io.grpc.stub.StreamObserver;
import io.grpc.util.MutableHandlerRegistry;
import java.security.Principal;
import java.util.Map;
import java.util.Optional;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/// Guards stand before everything else that a call meets.
@Timeout(30)
final class GuardsTest {
  private record Caller(String getName) implements Principal {}

  private static final Metadata.Key<String> HINT =
      Metadata.Key.of("hint", Metadata.ASCII_STRING_MARSHALLER);

  private final Queue<String> seen = new ConcurrentLinkedQueue<>();

  private Guard noting(String name) {
    return call -> {
      seen.add(name);
      return Optional.empty();
    };
  }

  private static Guard telling(String name) {
    return _ -> Optional.of(new Caller(name));
  }

  private static Guard refusing(Status status) {
    return _ -> {
      throw status.asException();
    };
  }

  private ServerInterceptor noted() {
    return new ServerInterceptor() {
      @Override
      public <ReqT, RespT> ServerCall.Listener<ReqT> interceptCall(
          ServerCall<ReqT, RespT> call, Metadata headers, ServerCallHandler<ReqT, RespT> next) {
        seen.add("interceptor");
        return Contexts.interceptCall(Context.current(), call, headers, next);
      }
    };
  }

  private static String caller(Optional<Principal> principal) {
    return principal.map(Principal::getName).orElse("nobody");
  }

  private static StatusRuntimeException failure(Runnable call) {
    return catchThrowableOfType(StatusRuntimeException.class, call::run);
  }

  @Test
  void guardsAreAskedInOrderBeforeInterceptorsAndMethod() {
    var service =
        StraightProbe.unary(
                ask -> {
                  seen.add("method");
                  return answer(ask.getText());
                })
            .service();
    try (var running =
        RunningServer.with(builder ->
            builder
                .addService(service)
                .intercept(noted())
                .guard(noting("first"))
                .guard(noting("second")))) {
      running.blocking().unary(ask("a"));
    }
    assertThat(seen).containsExactly("first", "second", "interceptor", "method");
  }

  @Test
  void whoCallsIsWhatTheFirstGuardThatKnewHasTold() {
    var service = StraightProbe.unary(_ -> answer(caller(Call.current().principal()))).service();
    try (var running =
        RunningServer.with(builder ->
            builder
                .addService(service)
                .guard(noting("knows nobody"))
                .guard(telling("ada"))
                .guard(call -> {
                  seen.add(caller(call.principal()));
                  return Optional.of(new Caller("grace"));
                }))) {
      assertThat(running.blocking().unary(ask("who"))).isEqualTo(answer("ada"));
    }
    assertThat(seen).containsExactly("knows nobody", "ada");
  }

  @Test
  void grpcJavaServicesAndInterceptorsFindThePrincipalInTheContext() {
    var service =
        new ProbeImplBase() {
          @Override
          public void unary(Ask ask, StreamObserver<Answer> observer) {
            observer.onNext(answer(String.valueOf(CallInfo.PRINCIPAL.get())));
            observer.onCompleted();
          }
        };
    try (var running =
        RunningServer.with(builder -> builder.addService(service).guard(telling("ada")))) {
      assertThat(running.blocking().unary(ask("who"))).isEqualTo(answer("Caller[getName=ada]"));
    }
    try (var running = RunningServer.of(service)) {
      assertThat(running.blocking().unary(ask("who"))).isEqualTo(answer("null"));
    }
  }

  @Test
  void aRefusedCallMeetsNeitherInterceptorsNorMethod() {
    var trailers = new Metadata();
    trailers.put(HINT, "log in");
    var service =
        StraightProbe.unary(
                _ -> {
                  seen.add("method");
                  return answer("");
                })
            .service();
    try (var running =
        RunningServer.with(builder ->
            builder
                .addService(service)
                .intercept(noted())
                .guard(_ -> {
                  throw Status.UNAUTHENTICATED.withDescription("who?").asException(trailers);
                })
                .guard(noting("after the refusal")))) {
      var refused = failure(() -> running.blocking().unary(ask("a")));
      assertThat(refused.getStatus().getCode()).isEqualTo(Status.Code.UNAUTHENTICATED);
      assertThat(refused.getStatus().getDescription()).isEqualTo("who?");
      assertThat(refused.getTrailers())
          .isNotNull()
          .extracting(sent -> sent.get(HINT))
          .isEqualTo("log in");
      assertThat(running.server().counters().refusedByGuards())
          .isEqualTo(Map.of(Status.Code.UNAUTHENTICATED, 1L));
    }
    assertThat(seen).isEmpty();
  }

  /// Whatever goes wrong in a guard, nobody is let in by it, and the client hears nothing of it.
  @Test
  void aGuardThatFailsLetsNobodyIn() {
    var guards =
        new Guard[] {
          _ -> {
            throw new IllegalStateException("a secret");
          },
          _ -> {
            throw new AssertionError("a secret");
          },
          refusing(Status.OK.withDescription("a secret")),
          GuardsTest::tellNull
        };
    for (var guard : guards) {
      try (var running =
          RunningServer.with(builder -> builder.addService(new EchoService()).guard(guard))) {
        var refused = failure(() -> running.blocking().unary(ask("a")));
        assertThat(refused.getStatus().getCode()).isEqualTo(Status.Code.INTERNAL);
        assertThat(refused.getStatus().getDescription()).isEqualTo("the call cannot be authorised");
      }
    }
  }

  @SuppressWarnings("NullAway") // what a guard in another language may do
  private static Optional<Principal> tellNull(CallInfo call) {
    return null;
  }

  @Test
  void healthAndFallbackRegistriesAreGuardedAsWell() {
    var late = new MutableHandlerRegistry();
    late.addService(new EchoService());
    try (var running =
        RunningServer.with(builder ->
            builder
                .addService(new HealthStatusManager().getHealthService())
                .fallback(late)
                .guard(refusing(Status.UNAUTHENTICATED)))) {
      var health = HealthGrpc.newBlockingStub(running.channel());
      for (var refused :
          new StatusRuntimeException[] {
            failure(() -> health.check(HealthCheckRequest.getDefaultInstance())),
            failure(() -> running.blocking().unary(ask("a")))
          }) {
        assertThat(refused.getStatus().getCode()).isEqualTo(Status.Code.UNAUTHENTICATED);
      }
    }
  }

  /// Sixty refused streams send four times what the connection's window holds: were what they send
  /// not read away, the last call could not send.
  @Test
  void whatRefusedStreamsSendIsReadAway() throws Exception {
    Guard uploads =
        call -> {
          if (call.method().equals(ProbeGrpc.getUpMethod())) {
            throw Status.UNAUTHENTICATED.asException();
          }
          return Optional.empty();
        };
    try (var running =
        RunningServer.with(builder -> builder.addService(new EchoService()).guard(uploads))) {
      var body = Ask.newBuilder().setBody(ByteString.copyFrom(new byte[70_000])).build();
      for (int i = 0; i < 60; i++) {
        var end = new LinkedBlockingQueue<Status.Code>();
        var requests = running.async().up(ending(end));
        requests.onNext(body);
        assertThat(end.poll(10, TimeUnit.SECONDS)).isEqualTo(Status.Code.UNAUTHENTICATED);
      }
      assertThat(running.blocking().unary(body)).isEqualTo(answerOf(70_000));
    }
  }

  private static StreamObserver<Answer> ending(Queue<Status.Code> end) {
    return new StreamObserver<>() {
      @Override
      public void onNext(Answer answer) {}

      @Override
      public void onError(Throwable t) {
        end.add(Status.fromThrowable(t).getCode());
      }

      @Override
      public void onCompleted() {
        end.add(Status.Code.OK);
      }
    };
  }

  @Test
  void aGuardThatBlocksPastTheDeadlineIsInterruptedAndTheMethodDoesNotRun() throws Exception {
    var interrupted = new CountDownLatch(1);
    Guard slow =
        call -> {
          if (call.deadlineLeft().isEmpty()) return Optional.empty();
          try {
            new CountDownLatch(1).await();
          } catch (InterruptedException e) {
            interrupted.countDown();
          }
          return Optional.empty(); // too late
        };
    var service =
        StraightProbe.unary(
                ask -> {
                  seen.add(ask.getText());
                  return answer("");
                })
            .service();
    try (var running = RunningServer.with(builder -> builder.addService(service).guard(slow))) {
      running.blocking().unary(ask("connected"));
      var late =
          failure(
              () -> running.blocking().withDeadlineAfter(1, TimeUnit.SECONDS).unary(ask("late")));
      assertThat(late.getStatus().getCode()).isEqualTo(Status.Code.DEADLINE_EXCEEDED);
      assertThat(interrupted.await(10, TimeUnit.SECONDS)).isTrue();
      assertThat(running.server().counters().refusedByGuards()).isEmpty();
    }
    assertThat(seen).containsExactly("connected");
  }

  @Test
  void aGuardOfACallThatTheClientGaveUpIsInterrupted() throws Exception {
    var entered = new CountDownLatch(1);
    var ended = new LinkedBlockingQueue<String>();
    Guard slow =
        _ -> {
          entered.countDown();
          try {
            new CountDownLatch(1).await();
            return Optional.empty();
          } catch (InterruptedException e) {
            ended.add("interrupted");
            throw Status.CANCELLED.asException();
          }
        };
    try (var running =
        RunningServer.with(builder -> builder.addService(new EchoService()).guard(slow))) {
      var end = new LinkedBlockingQueue<Status.Code>();
      var context = Context.current().withCancellation();
      context.run(() -> running.async().unary(ask("a"), ending(end)));
      assertThat(entered.await(10, TimeUnit.SECONDS)).isTrue();
      context.cancel(null);
      assertThat(ended.poll(10, TimeUnit.SECONDS)).isEqualTo("interrupted");
      assertThat(end.poll(10, TimeUnit.SECONDS)).isEqualTo(Status.Code.CANCELLED);
    }
  }

  @Test
  void aNameThatNoMethodHasIsRefusedWhenTheServerIsBuilt() {
    var names =
        Map.of(
            "weftline.probe.Probe/Unray", "weftline.probe.Probe/Unary",
            "weftline.probe.Prob/*", "weftline.probe.Probe/*",
            "weftline.prode.*", "weftline.probe.*");
    names.forEach((wrong, right) ->
        assertThatThrownBy(() ->
                Server.builder()
                    .addService(new EchoService())
                    .guard(Authorization.builder().allow(wrong).build())
                    .build())
            .isInstanceOf(IllegalArgumentException.class)
            .hasMessage(
                "a guard names "
                    + wrong
                    + ", which this server does not have; did you mean "
                    + right
                    + "?"));
    for (var right : names.values()) {
      Server.builder()
          .addService(new EchoService())
          .guard(Authorization.builder().allow(right).deny("*").build())
          .build();
    }
  }

  @Test
  void aFallbackRegistryMayHaveAnyName() {
    Server.builder()
        .fallback(new MutableHandlerRegistry())
        .guard(Authorization.builder().allow("later.Service/Method").build())
        .build();
  }
}
