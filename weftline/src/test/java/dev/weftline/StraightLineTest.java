package dev.weftline;

import static dev.weftline.testing.Probe.answer;
import static dev.weftline.testing.Probe.ask;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.google.protobuf.ByteString;
import com.google.rpc.BadRequest;
import com.google.rpc.ErrorInfo;
import com.google.rpc.RetryInfo;
import dev.weftline.client.OutboundCall;
import dev.weftline.probe.Answer;
import dev.weftline.probe.Ask;
import dev.weftline.probe.ProbeGrpc;
import dev.weftline.testing.Probe;
import dev.weftline.testing.RunningServer;
import dev.weftline.testing.StraightProbe;
import io.grpc.CallOptions;
import io.grpc.Metadata;
import io.grpc.ServerCall;
import io.grpc.ServerCallHandler;
import io.grpc.ServerInterceptor;
import io.grpc.Status;
import io.grpc.StatusException;
import io.grpc.StatusRuntimeException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Objects;
import java.util.Random;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/// The four shapes as plain methods, over a real connection: each served directly, and behind an
/// interceptor of grpc-java that changes nothing.
@Timeout(60)
final class StraightLineTest {
  enum Way {
    DIRECT,
    INTERCEPTED;

    RunningServer serve(StraightProbe probe) {
      var service = probe.service();
      return RunningServer.with(builder ->
          builder.addService(
              this == DIRECT ? service : service.intercept(new PassingInterceptor())));
    }
  }

  private static final class PassingInterceptor implements ServerInterceptor {
    @Override
    public <ReqT, RespT> ServerCall.Listener<ReqT> interceptCall(
        ServerCall<ReqT, RespT> call, Metadata headers, ServerCallHandler<ReqT, RespT> next) {
      return next.startCall(call, headers);
    }
  }

  private final BlockingQueue<Object> seen = new LinkedBlockingQueue<>();

  private Object next() throws InterruptedException {
    var event = seen.poll(10, TimeUnit.SECONDS);
    return event == null ? "nothing within 10 s" : event;
  }

  private static OutboundCall<Ask, Answer> chat(RunningServer server) {
    return OutboundCall.open(server.channel(), ProbeGrpc.getChatMethod(), CallOptions.DEFAULT);
  }

  private static OutboundCall<Ask, Answer> up(RunningServer server) {
    return OutboundCall.open(server.channel(), ProbeGrpc.getUpMethod(), CallOptions.DEFAULT);
  }

  private static OutboundCall<Ask, Answer> down(RunningServer server, Ask ask) {
    return OutboundCall.open(server.channel(), ProbeGrpc.getDownMethod(), CallOptions.DEFAULT, ask);
  }

  private static Status.Code codeOf(Throwable failure) {
    return ((StatusRuntimeException) failure).getStatus().getCode();
  }

  @ParameterizedTest
  @EnumSource
  void theFourShapes(Way way) {
    try (var server = way.serve(StraightProbe.echo())) {
      assertThat(server.blocking().unary(ask("hello"))).isEqualTo(answer("hello"));

      var counted = new ArrayList<Integer>();
      server.blocking().down(ask(1_000)).forEachRemaining(a -> counted.add(a.getNumber()));
      assertThat(counted).hasSize(1_000).isSorted().startsWith(1).endsWith(1_000);

      try (var call = up(server)) {
        for (int i = 1; i <= 1_000; i++) call.send(ask(i));
        assertThat(call.reply()).isEqualTo(answer(500_500));
      }

      try (var call = chat(server)) {
        var replies = call.iterator();
        for (int i = 0; i < 100; i++) {
          call.send(ask(i));
          assertThat(replies.next()).isEqualTo(answer(i));
        }
        call.halfClose();
        assertThat(replies.hasNext()).isFalse();
        assertThat(call.isEnded()).isTrue();
      }
    }
  }

  /// Small messages share arrays while the loop is behind, and the loop takes them while more are
  /// written: nothing may be lost, torn or swapped.
  @ParameterizedTest
  @EnumSource
  void aLongStreamOfAllSizesArrivesWholeAndInOrder(Way way) {
    long seed = Long.getLong("weftline.seed", System.nanoTime());
    try (var server =
        way.serve(
            StraightProbe.down((ask, answers) -> {
              var chance = new Random(seed);
              for (int i = 0; i < ask.getNumber(); i++) {
                answers.send(sized(i, sizeOf(chance)));
              }
            }))) {
      var chance = new Random(seed);
      int i = 0;
      try (var call = down(server, ask(100_000))) {
        for (var reply : call) {
          assertThat(reply).as("seed " + seed).isEqualTo(sized(i++, sizeOf(chance)));
        }
      }
      assertThat(i).isEqualTo(100_000);
    }
  }

  private static int sizeOf(Random chance) {
    return chance.nextInt(50) == 0 ? chance.nextInt(40_000) : chance.nextInt(64);
  }

  private static Answer sized(int number, int size) {
    var body = new byte[size];
    Arrays.fill(body, (byte) number);
    return Answer.newBuilder().setNumber(number).setBody(ByteString.copyFrom(body)).build();
  }

  @ParameterizedTest
  @EnumSource
  void aMethodLeftOutAnswersUnimplemented(Way way) {
    try (var server = way.serve(StraightProbe.unary(_ -> answer("only this one")))) {
      assertThatThrownBy(() -> server.blocking().down(ask("x")).hasNext())
          .hasMessageContaining("UNIMPLEMENTED")
          .hasMessageContaining("weftline.probe.Probe/Down");
    }
  }

  @ParameterizedTest
  @EnumSource
  void aStatusIsThrown(Way way) {
    var key = Metadata.Key.of("why", Metadata.ASCII_STRING_MARSHALLER);
    try (var server =
        way.serve(
            StraightProbe.unary(_ -> {
              var trailers = new Metadata();
              trailers.put(key, "because");
              throw new StatusException(
                  Status.NOT_FOUND.withDescription("no such thing"), trailers);
            }))) {
      assertThatThrownBy(() -> server.blocking().unary(ask("x")))
          .isInstanceOfSatisfying(
              StatusRuntimeException.class,
              e -> {
                assertThat(e.getStatus().getCode()).isEqualTo(Status.Code.NOT_FOUND);
                assertThat(e.getStatus().getDescription()).isEqualTo("no such thing");
                assertThat(Objects.requireNonNull(e.getTrailers()).get(key)).isEqualTo("because");
              });
    }
  }

  @ParameterizedTest
  @EnumSource
  void aStatusComesWithDetails(Way way) {
    var info = ErrorInfo.newBuilder().setReason("EMPTY").setDomain("probe").build();
    var bad =
        BadRequest.newBuilder()
            .addFieldViolations(
                BadRequest.FieldViolation.newBuilder().setField("text").setDescription("is empty"))
            .build();
    try (var server =
        way.serve(
            StraightProbe.unary(_ -> {
              throw new CallException(Status.Code.INVALID_ARGUMENT, "text is empty", info, bad);
            }))) {
      assertThatThrownBy(() -> server.blocking().unary(ask("")))
          .hasMessage("INVALID_ARGUMENT: text is empty")
          .satisfies(e -> {
            assertThat(CallException.detail(e, ErrorInfo.class)).contains(info);
            assertThat(CallException.detail(e, BadRequest.class)).contains(bad);
            assertThat(CallException.detail(e, RetryInfo.class)).isEmpty();
          });
    }
  }

  @ParameterizedTest
  @EnumSource
  void anExceptionIsNobodysBusinessButOurs(Way way) {
    try (var server =
        way.serve(
            StraightProbe.unary(_ -> {
              throw new IllegalStateException("the password is swordfish");
            }))) {
      assertThatThrownBy(() -> server.blocking().unary(ask("x")))
          .hasMessage("UNKNOWN: Application error processing RPC");
    }
  }

  @ParameterizedTest
  @EnumSource
  void aMethodThatReturnsNullFailsItsCall(Way way) {
    @SuppressWarnings("NullAway") // what a user's compiler would let pass
    Handler.Unary<Ask, Answer> broken = _ -> null;
    try (var server = way.serve(StraightProbe.unary(broken))) {
      assertThatThrownBy(() -> server.blocking().unary(ask("x"))).hasMessageContaining("UNKNOWN");
    }
  }

  @ParameterizedTest
  @EnumSource
  void aFailureAfterSomeRepliesComesBehindThem(Way way) {
    try (var server =
        way.serve(
            StraightProbe.down((_, answers) -> {
              answers.send(answer(1));
              answers.send(answer(2));
              throw Status.DATA_LOSS.asException();
            }))) {
      var got = new ArrayList<Answer>();
      assertThatThrownBy(
              () -> {
                try (var call = down(server, ask("x"))) {
                  for (var reply : call) got.add(reply);
                }
              })
          .hasMessageContaining("DATA_LOSS");
      assertThat(got).containsExactly(answer(1), answer(2));
    }
  }

  /// RFC 9113 §8.1: a server may answer before the request has ended; the client is told to stop.
  @ParameterizedTest
  @EnumSource
  void aMethodMayReplyWithRequestsUnread(Way way) {
    try (var server = way.serve(StraightProbe.up(_ -> answer("enough")).andChat((_, _) -> {}))) {
      for (int i = 0; i < 20; i++) {
        try (var call = up(server)) {
          assertThat(call.reply()).isEqualTo(answer("enough"));
        }
        var body = ByteString.copyFrom(new byte[64 << 10]);
        Receiver<Ask> endless =
            Receiver.of(
                () -> Stream.generate(() -> Ask.newBuilder().setBody(body).build()).iterator());
        assertThat(
                OutboundCall.clientStreaming(
                    server.channel(), ProbeGrpc.getUpMethod(), CallOptions.DEFAULT, endless))
            .isEqualTo(answer("enough"));
      }
      assertThat(server.server().stats().callsFailed()).isZero();
    }
  }

  @ParameterizedTest
  @EnumSource
  void receivingThrowsTheReasonWhenTheClientCancels(Way way) throws InterruptedException {
    try (var server =
        way.serve(
            StraightProbe.chat((asks, _) -> {
              try {
                for (var ask : asks) seen.add(ask.getText());
                seen.add("ended");
              } catch (StatusRuntimeException e) {
                seen.add(e.getStatus());
                throw e;
              }
            }))) {
      try (var call = chat(server)) {
        call.send(ask("one"));
        assertThat(next()).isEqualTo("one");
      }
      assertThat(next())
          .isInstanceOfSatisfying(
              Status.class,
              status -> {
                assertThat(status.getCode()).isEqualTo(Status.Code.CANCELLED);
                assertThat(status.getDescription()).contains("RST_STREAM CANCEL");
              });
    }
  }

  @ParameterizedTest
  @EnumSource
  void receivingThrowsWhenTheDeadlinePasses(Way way) throws InterruptedException {
    try (var server =
        way.serve(
            StraightProbe.up(asks -> {
              try {
                for (var _ : asks) seen.add("message");
                return answer("ended");
              } catch (StatusRuntimeException e) {
                seen.add(e.getStatus().getCode());
                throw e;
              }
            }))) {
      var options = CallOptions.DEFAULT.withDeadlineAfter(1, TimeUnit.SECONDS);
      try (var call = OutboundCall.open(server.channel(), ProbeGrpc.getUpMethod(), options)) {
        call.send(ask("x"));
        assertThatThrownBy(() -> call.iterator().hasNext())
            .hasMessageContaining("DEADLINE_EXCEEDED");
      }
      assertThat(next()).isEqualTo("message");
      // The client's own deadline may come first, and reset the stream.
      assertThat(next()).isIn(Status.Code.DEADLINE_EXCEEDED, Status.Code.CANCELLED);
    }
  }

  @ParameterizedTest
  @EnumSource
  void sendingThrowsWhenTheClientCancels(Way way) throws InterruptedException {
    var sent = new AtomicInteger();
    try (var server =
        way.serve(
            StraightProbe.down((_, answers) -> {
              try {
                for (; ; ) {
                  answers.send(Probe.answerOf(32 << 10));
                  sent.incrementAndGet();
                }
              } catch (StatusRuntimeException e) {
                seen.add(codeOf(e));
                throw e;
              }
            }))) {
      try (var call = down(server, ask("x"))) {
        assertThat(call.iterator().next().getBody().size()).isEqualTo(32 << 10);
        // The client takes nothing more: what fits the windows and the budget is all that is sent.
        int before;
        do {
          before = sent.get();
          Thread.sleep(200);
        } while (sent.get() > before);
        assertThat(seen).isEmpty();
      }
      assertThat(next()).isEqualTo(Status.Code.CANCELLED);
    }
  }

  @ParameterizedTest
  @EnumSource
  void aMethodThatWaitsElsewhereIsInterrupted(Way way) throws InterruptedException {
    try (var server =
        way.serve(
            StraightProbe.unary(_ -> {
              seen.add("asleep");
              try {
                Thread.sleep(60_000);
                return answer("slept");
              } catch (InterruptedException e) {
                seen.add("interrupted");
                seen.add(Call.current().isCancelled());
                throw e;
              }
            }))) {
      assertThatThrownBy(
              () -> server.blocking().withDeadlineAfter(1, TimeUnit.SECONDS).unary(ask("x")))
          .hasMessageContaining("DEADLINE_EXCEEDED");
      assertThat(next()).isEqualTo("asleep");
      assertThat(next()).isEqualTo("interrupted");
      assertThat(next()).isEqualTo(true);
    }
  }

  @ParameterizedTest
  @EnumSource
  void pollingTellsNothingYetFromNothingMore(Way way) {
    try (var server =
        way.serve(
            StraightProbe.chat((asks, answers) -> {
              answers.send(answer("" + asks.poll(Duration.ofMillis(20)).isPresent()));
              answers.send(answer("" + asks.isEnded()));
              var first = asks.poll(Duration.ofSeconds(10));
              answers.send(answer(first.orElseThrow().getText()));
              answers.send(answer("" + asks.poll(Duration.ofSeconds(10)).isPresent()));
              answers.send(answer("" + asks.isEnded()));
            }))) {
      try (var call = chat(server)) {
        var replies = call.iterator();
        assertThat(replies.next()).isEqualTo(answer("false"));
        assertThat(replies.next()).isEqualTo(answer("false"));
        call.send(ask("first"));
        assertThat(replies.next()).isEqualTo(answer("first"));
        call.halfClose();
        assertThat(replies.next()).isEqualTo(answer("false"));
        assertThat(replies.next()).isEqualTo(answer("true"));
        assertThat(replies.hasNext()).isFalse();
      }
    }
  }

  @ParameterizedTest
  @EnumSource
  void oneThreadSendsWhileAnotherReceives(Way way) throws Exception {
    try (var server =
        way.serve(
            StraightProbe.chat((asks, answers) -> {
              var ticking =
                  Call.current()
                      .fork(() -> {
                        for (int i = 0; i < 2_000; i++) answers.send(answer("tick"));
                        return null;
                      });
              for (var ask : asks) answers.send(answer(ask.getNumber()));
              ticking.join();
            }))) {
      try (var call = chat(server)) {
        var sender =
            Thread.startVirtualThread(() -> {
              for (int i = 1; i <= 2_000; i++) call.send(ask(i));
              call.halfClose();
            });
        int ticks = 0;
        var numbers = new ArrayList<Integer>();
        for (var reply : call) {
          if (reply.getNumber() > 0) numbers.add(reply.getNumber());
          else ticks++;
        }
        sender.join();
        assertThat(ticks).isEqualTo(2_000);
        assertThat(numbers).hasSize(2_000).isSorted();
      }
    }
  }

  @ParameterizedTest
  @EnumSource
  void twoThreadsThatReceiveGetDifferentMessages(Way way) {
    Set<Integer> got = Collections.synchronizedSet(new TreeSet<>());
    var taken = new AtomicInteger();
    try (var server =
        way.serve(
            StraightProbe.up(asks -> {
              for (int i = 0; i < 3; i++) {
                Call.current()
                    .fork(() -> {
                      for (var ask : asks) {
                        got.add(ask.getNumber());
                        taken.incrementAndGet();
                      }
                      return null;
                    });
              }
              for (var ask : asks) {
                got.add(ask.getNumber());
                taken.incrementAndGet();
              }
              return answer("done");
            }))) {
      try (var call = up(server)) {
        for (int i = 0; i < 5_000; i++) call.send(ask(i));
        assertThat(call.reply()).isEqualTo(answer("done"));
      }
    }
    assertThat(got).hasSize(5_000);
    assertThat(taken).hasValue(5_000);
  }

  /// A fork that waits for a request must not keep the method, which waits elsewhere, from hearing
  /// that the call is over.
  @ParameterizedTest
  @EnumSource
  void everyThreadOfACancelledCallHearsOfIt(Way way) throws InterruptedException {
    var waiting = new CountDownLatch(2);
    try (var server =
        way.serve(
            StraightProbe.chat((asks, _) -> {
              var call = Call.current();
              call.onCancel(() -> seen.add("hook"));
              call.fork(() -> {
                waiting.countDown();
                try {
                  return asks.iterator().hasNext();
                } finally {
                  seen.add("receiver");
                }
              });
              call.fork(() -> {
                waiting.countDown();
                try {
                  Thread.sleep(60_000);
                } finally {
                  seen.add("sleeper");
                }
                return null;
              });
              try {
                Thread.sleep(60_000);
              } finally {
                seen.add("method");
              }
            }))) {
      try (var call = chat(server)) {
        call.send(ask("x"));
        assertThat(waiting.await(10, TimeUnit.SECONDS)).isTrue();
        Thread.sleep(50);
      }
      assertThat(List.of(next(), next(), next(), next()))
          .containsExactlyInAnyOrder("hook", "receiver", "sleeper", "method");
    }
  }
}
