package dev.weftline;

import static dev.weftline.testing.Probe.answer;
import static dev.weftline.testing.Probe.ask;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.weftline.client.OutboundCall;
import dev.weftline.probe.Answer;
import dev.weftline.probe.ProbeGrpc;
import dev.weftline.testing.RunningServer;
import dev.weftline.testing.StraightProbe;
import io.grpc.CallOptions;
import io.grpc.ClientInterceptor;
import io.grpc.Context;
import io.grpc.Contexts;
import io.grpc.ForwardingServerCall.SimpleForwardingServerCall;
import io.grpc.ForwardingServerCallListener.SimpleForwardingServerCallListener;
import io.grpc.Grpc;
import io.grpc.Metadata;
import io.grpc.ServerCall;
import io.grpc.ServerCallHandler;
import io.grpc.ServerInterceptor;
import io.grpc.Status;
import io.grpc.stub.MetadataUtils;
import java.lang.ref.WeakReference;
import java.net.InetSocketAddress;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/// What a straight-line method knows and does beyond its request and its reply.
@Timeout(60)
final class CurrentCallTest {
  private static final Metadata.Key<String> ASKED =
      Metadata.Key.of("asked", Metadata.ASCII_STRING_MARSHALLER);
  private static final Metadata.Key<String> ANSWERED =
      Metadata.Key.of("answered", Metadata.ASCII_STRING_MARSHALLER);
  private static final Context.Key<String> USER = Context.key("user");

  private static RunningServer serve(StraightProbe probe, ServerInterceptor... interceptors) {
    return RunningServer.with(
        builder -> builder.addService(probe.service().intercept(interceptors)));
  }

  private static ClientInterceptor sending(Metadata.Key<String> key, String value) {
    var metadata = new Metadata();
    metadata.put(key, value);
    return MetadataUtils.newAttachHeadersInterceptor(metadata);
  }

  @Test
  void metadataGoesBothWays() {
    var headers = new AtomicReference<Metadata>();
    var trailers = new AtomicReference<Metadata>();
    try (var server =
        serve(
            StraightProbe.unary(_ -> {
              var call = Call.current();
              call.header(ANSWERED, "in the headers");
              call.trailer(ANSWERED, "in the trailers");
              return answer("" + call.headers().get(ASKED));
            }))) {
      var stub =
          server
              .blocking()
              .withInterceptors(
                  sending(ASKED, "politely"),
                  MetadataUtils.newCaptureMetadataInterceptor(headers, trailers));
      assertThat(stub.unary(ask("x"))).isEqualTo(answer("politely"));
      assertThat(headers.get().get(ANSWERED)).isEqualTo("in the headers");
      assertThat(trailers.get().get(ANSWERED)).isEqualTo("in the trailers");
    }
  }

  @Test
  void trailersGoOutWithAFailureToo() {
    var trailers = new AtomicReference<Metadata>();
    try (var server =
        serve(
            StraightProbe.unary(_ -> {
              Call.current().trailer(ANSWERED, "badly");
              throw Status.ABORTED.asException();
            }))) {
      var stub =
          server
              .blocking()
              .withInterceptors(
                  MetadataUtils.newCaptureMetadataInterceptor(new AtomicReference<>(), trailers));
      assertThatThrownBy(() -> stub.unary(ask("x"))).hasMessageContaining("ABORTED");
      assertThat(trailers.get().get(ANSWERED)).isEqualTo("badly");
    }
  }

  @Test
  void aHeaderAfterTheHeadersIsRefused() {
    try (var server =
        serve(
            StraightProbe.down((_, answers) -> {
              Call.current().sendHeaders();
              Call.current().sendHeaders();
              try {
                Call.current().header(ANSWERED, "late");
              } catch (IllegalStateException e) {
                answers.send(answer("" + e.getMessage()));
              }
            }))) {
      assertThat(server.blocking().down(ask("x")).next().getText())
          .contains("too late", "answered");
    }
  }

  @Test
  void whoCallsAndHowLongTheyWait() {
    var lines = new CopyOnWriteArrayList<String>();
    try (var server =
        serve(
            StraightProbe.unary(_ -> {
              var call = Call.current();
              lines.add(call.method().getFullMethodName());
              lines.add("" + ((InetSocketAddress) call.peer()).getAddress().isLoopbackAddress());
              lines.add("" + call.authority().orElseThrow().startsWith("127.0.0.1"));
              lines.add("" + call.tlsSession().isPresent());
              lines.add("" + (call.attributes().get(Grpc.TRANSPORT_ATTR_REMOTE_ADDR) != null));
              lines.add("" + call.deadlineLeft().map(left -> left.toSeconds() > 50));
              lines.add("" + call.isCancelled() + call.cancellation().isPresent());
              return answer("");
            }))) {
      var _ = server.blocking().withDeadlineAfter(60, TimeUnit.SECONDS).unary(ask("x"));
      assertThat(lines)
          .containsExactly(
              "weftline.probe.Probe/Unary",
              "true",
              "true",
              "false",
              "true",
              "Optional[true]",
              "falsefalse");
      lines.clear();
      var _ = server.blocking().unary(ask("x"));
      assertThat(lines.get(5)).isEqualTo("Optional.empty");
    }
  }

  @Test
  void noCallIsCurrentElsewhere() {
    assertThatThrownBy(Call::current)
        .isInstanceOf(IllegalStateException.class)
        .hasMessageContaining("serves no call");
  }

  @Test
  void repliesAreCompressedWhenTheClientTakesIt() {
    try (var server =
        serve(
            StraightProbe.unary(ask -> {
              Call.current().compress("gzip");
              return answer(ask.getText().repeat(1_000));
            }))) {
      assertThat(server.blocking().unary(ask("ab")).getText()).hasSize(2_000);
    }
  }

  /// A client made in the handler calls on with what is left of the deadline, and is cancelled with
  /// the call: grpc-java's stubs look at the Context.
  @Test
  void theContextHasTheDeadlineAndTheCancellation() {
    try (var back =
            serve(
                StraightProbe.unary(_ -> answer("" + Call.current().deadlineLeft().isPresent())));
        var front =
            serve(
                StraightProbe.unary(ask -> ProbeGrpc.newBlockingStub(back.channel()).unary(ask)))) {
      assertThat(front.blocking().withDeadlineAfter(30, TimeUnit.SECONDS).unary(ask("x")).getText())
          .isEqualTo("true");
      assertThat(front.blocking().unary(ask("x")).getText()).isEqualTo("false");
    }
  }

  @Test
  void contextValuesOfInterceptorsReachTheMethodAndItsForks() {
    ServerInterceptor authenticating =
        new ServerInterceptor() {
          @Override
          public <ReqT, RespT> ServerCall.Listener<ReqT> interceptCall(
              ServerCall<ReqT, RespT> call, Metadata headers, ServerCallHandler<ReqT, RespT> next) {
            var context = Context.current().withValue(USER, "ann");
            return Contexts.interceptCall(context, call, headers, next);
          }
        };
    var probe =
        StraightProbe.unary(_ -> answer(USER.get() + Call.current().fork(USER::get).join()))
            .andChat((asks, answers) -> {
              for (var _ : asks) answers.send(answer("" + USER.get()));
            });
    try (var server = serve(probe, authenticating)) {
      assertThat(server.blocking().unary(ask("x"))).isEqualTo(answer("annann"));
      var got = new ArrayList<Answer>();
      OutboundCall.bidirectional(
          server.channel(),
          ProbeGrpc.getChatMethod(),
          CallOptions.DEFAULT,
          Receiver.of(List.of(ask("1"), ask("2"))),
          got::add);
      assertThat(got).containsExactly(answer("ann"), answer("ann"));
    }
  }

  /// Messages pass through an interceptor in order, in both directions, as callbacks of one thread.
  @Test
  void interceptorsSeeEveryMessage() {
    var events = new CopyOnWriteArrayList<String>();
    ServerInterceptor watching =
        new ServerInterceptor() {
          @Override
          public <ReqT, RespT> ServerCall.Listener<ReqT> interceptCall(
              ServerCall<ReqT, RespT> call, Metadata headers, ServerCallHandler<ReqT, RespT> next) {
            var watched =
                new SimpleForwardingServerCall<ReqT, RespT>(call) {
                  @Override
                  public void sendMessage(RespT message) {
                    events.add("reply");
                    super.sendMessage(message);
                  }

                  @Override
                  public void close(Status status, Metadata trailers) {
                    events.add("close " + status.getCode());
                    super.close(status, trailers);
                  }
                };
            return new SimpleForwardingServerCallListener<>(next.startCall(watched, headers)) {
              @Override
              public void onMessage(ReqT message) {
                events.add("request of " + Call.current().method().getBareMethodName());
                super.onMessage(message);
              }

              @Override
              public void onHalfClose() {
                events.add("half-close");
                super.onHalfClose();
              }

              @Override
              public void onComplete() {
                events.add("complete");
                super.onComplete();
              }
            };
          }
        };
    try (var server = serve(StraightProbe.echo(), watching)) {
      OutboundCall.bidirectional(
          server.channel(),
          ProbeGrpc.getChatMethod(),
          CallOptions.DEFAULT,
          Receiver.of(List.of(ask(1), ask(2))),
          _ -> {});
    }
    assertThat(events)
        .containsExactly(
            "request of Chat",
            "reply",
            "request of Chat",
            "reply",
            "half-close",
            "close OK",
            "complete");
  }

  /// The usual interceptor that turns a company's exceptions into statuses.
  @Test
  void interceptorsMayTurnExceptionsIntoStatuses() {
    ServerInterceptor mapping =
        new ServerInterceptor() {
          @Override
          public <ReqT, RespT> ServerCall.Listener<ReqT> interceptCall(
              ServerCall<ReqT, RespT> call, Metadata headers, ServerCallHandler<ReqT, RespT> next) {
            return new SimpleForwardingServerCallListener<>(next.startCall(call, headers)) {
              @Override
              public void onHalfClose() {
                try {
                  super.onHalfClose();
                } catch (ArithmeticException e) {
                  call.close(Status.OUT_OF_RANGE.withDescription("by zero"), new Metadata());
                }
              }
            };
          }
        };
    var probe = StraightProbe.unary(ask -> answer(1 / ask.getNumber()));
    try (var server = serve(probe, mapping)) {
      assertThat(server.blocking().unary(ask(1))).isEqualTo(answer(1));
      assertThatThrownBy(() -> server.blocking().unary(ask(0))).hasMessage("OUT_OF_RANGE: by zero");
    }
  }

  @Test
  void interceptorsMayRefuse() {
    ServerInterceptor refusing =
        new ServerInterceptor() {
          @Override
          public <ReqT, RespT> ServerCall.Listener<ReqT> interceptCall(
              ServerCall<ReqT, RespT> call, Metadata headers, ServerCallHandler<ReqT, RespT> next) {
            call.close(Status.UNAUTHENTICATED.withDescription("who are you?"), new Metadata());
            return new ServerCall.Listener<>() {};
          }
        };
    try (var server = serve(StraightProbe.echo(), refusing)) {
      assertThatThrownBy(() -> server.blocking().unary(ask("x")))
          .hasMessage("UNAUTHENTICATED: who are you?");
      assertThatThrownBy(() ->
              OutboundCall.clientStreaming(
                  server.channel(),
                  ProbeGrpc.getUpMethod(),
                  CallOptions.DEFAULT,
                  Receiver.of(List.of(ask(1)))))
          .hasMessage("UNAUTHENTICATED: who are you?");
    }
  }

  @Test
  void forksAreJoinedBeforeTheCallEnds() {
    var done = new CopyOnWriteArrayList<String>();
    try (var server =
        serve(
            StraightProbe.unary(_ -> {
              for (int i = 0; i < 3; i++) {
                Call.current()
                    .fork(() -> {
                      Thread.sleep(50);
                      done.add(Call.current().method().getBareMethodName() + "");
                      return null;
                    });
              }
              return answer("ok");
            }))) {
      assertThat(server.blocking().unary(ask("x"))).isEqualTo(answer("ok"));
      assertThat(done).containsExactly("Unary", "Unary", "Unary");
    }
  }

  @Test
  void aForkThatFailsUnseenFailsTheCall() {
    try (var server =
        serve(
            StraightProbe.unary(ask -> {
              var fork =
                  Call.current()
                      .fork(() -> {
                        throw Status.RESOURCE_EXHAUSTED.asException();
                      });
              if (ask.getText().equals("join")) {
                try {
                  fork.join();
                } catch (Exception e) {
                  return answer("" + e.getMessage());
                }
              }
              return answer("did not look");
            }))) {
      assertThatThrownBy(() -> server.blocking().unary(ask("x")))
          .hasMessageContaining("RESOURCE_EXHAUSTED");
      assertThat(server.blocking().unary(ask("join"))).isEqualTo(answer("RESOURCE_EXHAUSTED"));
    }
  }

  /// A chat may live for days, and fork for each message.
  @Test
  void aCallDoesNotKeepWhatItsForksHaveDone() {
    try (var server =
        serve(
            StraightProbe.unary(_ -> {
              var result = new WeakReference<>(Call.current().fork(() -> new byte[1 << 20]).join());
              for (int i = 0; i < 200 && result.get() != null; i++) {
                System.gc();
                Thread.sleep(10);
              }
              return answer(result.get() == null ? "forgotten" : "kept");
            }))) {
      assertThat(server.blocking().unary(ask("x"))).isEqualTo(answer("forgotten"));
    }
  }

  @Test
  void aMethodThatThrowsInterruptsItsForks() throws InterruptedException {
    BlockingQueue<String> seen = new LinkedBlockingQueue<>();
    var started = new CountDownLatch(1);
    try (var server =
        serve(
            StraightProbe.unary(_ -> {
              Call.current()
                  .fork(() -> {
                    started.countDown();
                    try {
                      Thread.sleep(60_000);
                    } catch (InterruptedException e) {
                      seen.add("interrupted");
                    }
                    return null;
                  });
              started.await();
              throw Status.ABORTED.asException();
            }))) {
      assertThatThrownBy(() -> server.blocking().unary(ask("x"))).hasMessageContaining("ABORTED");
      assertThat(seen.poll(10, TimeUnit.SECONDS)).isEqualTo("interrupted");
    }
  }

  /// A hook is for calls that were given up.
  @Test
  void aHookOfACallThatEndsInOrderIsNotRun() throws InterruptedException {
    BlockingQueue<String> seen = new LinkedBlockingQueue<>();
    try (var server =
        serve(
            StraightProbe.unary(_ -> {
              Call.current().onCancel(() -> seen.add("hook"));
              return answer("ok");
            }))) {
      assertThat(server.blocking().unary(ask("x"))).isEqualTo(answer("ok"));
      assertThat(seen.poll(200, TimeUnit.MILLISECONDS)).isNull();
    }
  }
}
