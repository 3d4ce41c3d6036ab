package dev.weftline;

import static dev.weftline.testing.Probe.answer;
import static dev.weftline.testing.Probe.answerOf;
import static dev.weftline.testing.Probe.ask;
import static org.assertj.core.api.Assertions.assertThat;

import dev.weftline.CallLedger.Phase;
import dev.weftline.client.OutboundCall;
import dev.weftline.probe.Answer;
import dev.weftline.probe.Ask;
import dev.weftline.probe.ProbeGrpc;
import dev.weftline.testing.RunningServer;
import dev.weftline.testing.StraightProbe;
import io.grpc.CallOptions;
import io.grpc.stub.ClientCallStreamObserver;
import io.grpc.stub.ClientResponseObserver;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.Predicate;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/// What a server is doing just now.
@Timeout(60)
final class LiveCallsTest {
  private static List<LiveCall> await(RunningServer server, Predicate<List<LiveCall>> wanted)
      throws InterruptedException {
    var calls = server.server().calls();
    for (int i = 0; i < 1_000 && !wanted.test(calls); i++) {
      Thread.sleep(10);
      calls = server.server().calls();
    }
    assertThat(wanted.test(calls)).as("%s", calls).isTrue();
    return calls;
  }

  private static Predicate<List<LiveCall>> oneIn(Phase phase) {
    return calls -> calls.size() == 1 && calls.getFirst().phase() == phase;
  }

  @Test
  void aMethodThatRunsIsShownWithItsStack() throws Exception {
    var release = new CountDownLatch(1);
    var probe =
        StraightProbe.unary(_ -> {
          holdUp(release);
          return answer("x");
        });
    try (var server = RunningServer.with(builder -> builder.addService(probe.service()))) {
      assertThat(server.server().calls()).isEmpty();
      var reply =
          ProbeGrpc.newFutureStub(server.channel())
              .withDeadlineAfter(60, TimeUnit.SECONDS)
              .unary(ask("x"));
      var call = await(server, oneIn(Phase.HANDLER)).getFirst();
      assertThat(call.method()).isEqualTo("weftline.probe.Probe/Unary");
      assertThat(call.peer().toString()).contains("127.0.0.1");
      assertThat(call.age()).isPositive();
      assertThat(call.deadlineLeft())
          .hasValueSatisfying(
              left -> assertThat(left).isBetween(Duration.ZERO, Duration.ofSeconds(60)));
      assertThat(call.requests()).isEqualTo(1);
      assertThat(call.requestBytes()).isEqualTo(ask("x").getSerializedSize());
      assertThat(call.replies()).isZero();
      assertThat(call.principal()).isEmpty();
      assertThat(call.stack()).anyMatch(frame -> frame.getMethodName().equals("holdUp"));
      release.countDown();
      assertThat(reply.get()).isEqualTo(answer("x"));
      await(server, List::isEmpty);
      assertThat(call.stack()).isEmpty();
    }
  }

  private static void holdUp(CountDownLatch until) throws InterruptedException {
    until.await();
  }

  @Test
  void aStreamThatWaitsForItsClientIsShownAsThat() throws Exception {
    try (var server =
        RunningServer.with(builder -> builder.addService(StraightProbe.echo().service()))) {
      var call = OutboundCall.open(server.channel(), ProbeGrpc.getUpMethod(), CallOptions.DEFAULT);
      call.send(ask(7));
      var live =
          await(
                  server,
                  calls ->
                      oneIn(Phase.CLIENT_MESSAGE).test(calls) && calls.getFirst().requests() == 1)
              .getFirst();
      assertThat(live.deadlineLeft()).isEmpty();
      assertThat(live.ledger().receiveWait()).isPositive();
      call.halfClose();
      assertThat(call.reply()).isEqualTo(answer(7));
    }
  }

  @Test
  void aSenderWhoseClientDoesNotReadIsShownAsThat() throws Exception {
    var probe =
        StraightProbe.down((ask, answers) -> {
          for (int i = 0; i < ask.getNumber(); i++) answers.send(answerOf(1 << 20));
        });
    try (var server = RunningServer.with(builder -> builder.addService(probe.service()))) {
      var lazy = new NotReading();
      server.async().down(ask(64), lazy);
      var live = await(server, oneIn(Phase.SEND_WINDOW)).getFirst();
      assertThat(live.replies()).isBetween(1, 64);
      assertThat(live.responseBytes()).isGreaterThan(1 << 20);
    }
  }

  /// The oldest come first, whatever loop they are on.
  @Test
  void theOldestComeFirst() throws Exception {
    try (var server =
        RunningServer.with(builder -> builder.addService(StraightProbe.echo().service()))) {
      for (int i = 1; i <= 3; i++) {
        int open = i;
        var up = OutboundCall.open(server.channel(), ProbeGrpc.getUpMethod(), CallOptions.DEFAULT);
        for (int j = 0; j < i; j++) up.send(ask(j));
        await(server, calls -> calls.size() == open);
      }
      var calls = await(server, all -> all.size() == 3 && all.getLast().requests() == 3);
      assertThat(calls).extracting(LiveCall::requests).containsExactly(1, 2, 3);
    }
  }

  /// A client that asks for nothing.
  private static final class NotReading implements ClientResponseObserver<Ask, Answer> {
    @Override
    public void beforeStart(ClientCallStreamObserver<Ask> call) {
      call.disableAutoRequestWithInitial(0);
    }

    @Override
    public void onNext(Answer answer) {}

    @Override
    public void onError(Throwable failure) {}

    @Override
    public void onCompleted() {}
  }
}
