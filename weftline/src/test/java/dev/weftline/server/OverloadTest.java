package dev.weftline.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import com.google.rpc.ErrorInfo;
import com.google.rpc.RetryInfo;
import dev.weftline.CallException;
import dev.weftline.Service;
import dev.weftline.probe.Answer;
import dev.weftline.probe.Ask;
import dev.weftline.probe.ProbeGrpc;
import dev.weftline.testing.Probe;
import dev.weftline.testing.RunningServer;
import io.grpc.CallOptions;
import io.grpc.Metadata;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.health.v1.HealthCheckRequest;
import io.grpc.health.v1.HealthCheckResponse.ServingStatus;
import io.grpc.health.v1.HealthGrpc;
import io.grpc.protobuf.services.HealthStatusManager;
import io.grpc.stub.ClientCalls;
import io.grpc.stub.StreamObserver;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import java.util.function.Function;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/// A real server that is asked for more than it can do, by grpc-java's client.
@Timeout(120)
final class OverloadTest {
  private static final String UNARY = "weftline.probe.Probe/Unary";

  private static final System.Logger log = System.getLogger(OverloadTest.class.getName());

  /// What a unary call does, for the time being.
  private interface Work {
    void run() throws Exception;
  }

  private final AtomicReference<Work> work = new AtomicReference<>(() -> {});

  private RunningServer serve(Overload overload) {
    var probe =
        Service.builder(ProbeGrpc.getServiceDescriptor())
            .<Ask, Answer>unary(
                "Unary",
                ask -> {
                  work.get().run();
                  return Probe.answer(ask.getNumber());
                })
            .<Ask, Answer>serverStreaming(
                "Down",
                (_, answers) -> {
                  answers.send(Probe.answer(1));
                  work.get().run();
                })
            .build();
    return RunningServer.with(builder ->
        builder
            .addService(probe)
            .addService(new HealthStatusManager().getHealthService())
            .overload(overload));
  }

  private static MethodLoad load(RunningServer server, String method) {
    return server.server().load().stream()
        .filter(each -> each.method().equals(method))
        .findFirst()
        .orElseThrow();
  }

  private static void until(BooleanSupplier true_) throws InterruptedException {
    while (!true_.getAsBoolean()) Thread.sleep(1);
  }

  // ---- Calls and what became of them.

  private static CompletableFuture<Answer> call(RunningServer server, CallOptions options) {
    var answer = new CompletableFuture<Answer>();
    var call = server.channel().newCall(ProbeGrpc.getUnaryMethod(), options);
    ClientCalls.asyncUnaryCall(
        call,
        Probe.ask(1),
        new StreamObserver<>() {
          @Override
          public void onNext(Answer value) {
            answer.complete(value);
          }

          @Override
          public void onError(Throwable t) {
            answer.completeExceptionally(t);
          }

          @Override
          public void onCompleted() {}
        });
    answer.whenComplete((_, _) -> {
      if (answer.isCancelled()) call.cancel("the test has seen enough", null);
    });
    return answer;
  }

  private static CompletableFuture<Answer> call(RunningServer server) {
    return call(server, CallOptions.DEFAULT);
  }

  private static StatusRuntimeException failure(CompletableFuture<?> call)
      throws InterruptedException {
    try {
      throw new AssertionError("answered: " + call.get());
    } catch (ExecutionException e) {
      if (e.getCause() instanceof StatusRuntimeException failure) return failure;
      throw new AssertionError(e);
    }
  }

  private static void assertRefused(StatusRuntimeException failure, String reason, String limit) {
    assertThat(failure.getStatus().getCode()).isEqualTo(Status.Code.RESOURCE_EXHAUSTED);
    assertThat(failure.getStatus().getDescription()).startsWith(UNARY);
    var info = CallException.detail(failure, ErrorInfo.class).orElseThrow();
    assertThat(info.getReason()).isEqualTo(reason);
    assertThat(info.getDomain()).isEqualTo("weftline.dev");
    assertThat(info.getMetadataMap())
        .containsEntry("method", UNARY)
        .containsEntry("limit", limit)
        .containsKey("setting");
    var delay = CallException.detail(failure, RetryInfo.class).orElseThrow().getRetryDelay();
    long millis = delay.getSeconds() * 1_000 + delay.getNanos() / 1_000_000;
    assertThat(millis).isBetween(100L, 2_000L);
    var trailers = failure.getTrailers();
    if (trailers == null) throw new AssertionError("no trailers");
    assertThat(
            trailers.get(
                Metadata.Key.of("grpc-retry-pushback-ms", Metadata.ASCII_STRING_MARSHALLER)))
        .isEqualTo(Long.toString(millis));
  }

  /// What became of calls that came at a steady pace, whether they were answered or not.
  private record Load(int sent, int answered, int refused, int late) {
    /// Whether those who were not answered were told so, and in time.
    boolean isProtected() {
      return answered > 0 && refused > sent / 4 && late < sent / 20;
    }
  }

  private static Load offer(RunningServer server, int perSecond, Duration time)
      throws InterruptedException {
    var calls = new ConcurrentLinkedQueue<CompletableFuture<Answer>>();
    long start = System.nanoTime();
    long sent = 0;
    while (System.nanoTime() - start < time.toNanos()) {
      while (sent < (System.nanoTime() - start) / 1e9 * perSecond) {
        calls.add(call(server, CallOptions.DEFAULT.withDeadlineAfter(1, TimeUnit.SECONDS)));
        sent++;
      }
      LockSupport.parkNanos(1_000_000);
    }
    int answered = 0;
    int refused = 0;
    int late = 0;
    for (var call : calls) {
      try {
        call.get();
        answered++;
      } catch (ExecutionException e) {
        var code = Status.fromThrowable(e).getCode();
        if (code == Status.Code.RESOURCE_EXHAUSTED) refused++;
        else if (code == Status.Code.DEADLINE_EXCEEDED) late++;
        else throw new AssertionError(e);
      }
    }
    return new Load(calls.size(), answered, refused, late);
  }

  private static void burn() {
    long end = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(10);
    while (System.nanoTime() < end) Thread.onSpinWait();
  }

  private void overload(Work overloaded, int capacity, int times) throws InterruptedException {
    work.set(overloaded);
    try (var server = serve(Overload.DEFAULT)) {
      offer(server, capacity / 4, Duration.ofSeconds(2));
      var checks = new ArrayList<Long>();
      var stopped = new AtomicBoolean();
      var health = HealthGrpc.newBlockingStub(server.channel());
      var asked =
          Thread.startVirtualThread(() -> {
            while (!stopped.get()) {
              long start = System.nanoTime();
              var status = health.check(HealthCheckRequest.getDefaultInstance()).getStatus();
              assertThat(status).isEqualTo(ServingStatus.SERVING);
              checks.add(System.nanoTime() - start);
              LockSupport.parkNanos(20_000_000);
            }
          });
      // How many are answered is the machine's business, which others use too: AdmissionTest has
      // the numbers, and one quiet round is enough.
      var rounds = new ArrayList<Load>();
      do rounds.add(offer(server, times * capacity, Duration.ofSeconds(2)));
      while (!rounds.getLast().isProtected() && rounds.size() < 8);
      stopped.set(true);
      asked.join();
      log.log(
          System.Logger.Level.INFO,
          "{0}; {1}; {2} health checks",
          rounds,
          load(server, UNARY),
          checks.size());
      assertThat(rounds.getLast().isProtected()).as(rounds.toString()).isTrue();
      assertThat(checks).isNotEmpty();
    }
  }

  // ---- Found limits.

  @Test
  void callsThatBurnAreRefusedBeyondWhatTheCoresCanDo() throws Exception {
    overload(OverloadTest::burn, 100 * Runtime.getRuntime().availableProcessors(), 5);
  }

  @Test
  void callsThatWaitForPermitsAreRefusedBeyondWhatThePermitsAllow() throws Exception {
    var permits = new Semaphore(4);
    overload(
        () -> {
          permits.acquire();
          try {
            Thread.sleep(10);
          } finally {
            permits.release();
          }
        },
        400,
        5);
  }

  /// No call ends, so there is nothing to measure: what they wait for tells.
  @Test
  void aFloodIsLimitedBeforeAnyOfItHasEnded() throws Exception {
    var permits = new Semaphore(8);
    work.set(() -> {
      permits.acquire();
      try {
        Thread.sleep(1);
      } finally {
        permits.release();
      }
    });
    try (var server = serve(Overload.DEFAULT)) {
      assertThat(offer(server, 200, Duration.ofSeconds(7)).refused()).isZero();
      permits.acquire(8);
      var calls = new ArrayList<CompletableFuture<Answer>>();
      while (load(server, UNARY).limit().isEmpty() && calls.size() < 10_000) {
        for (int i = 0; i < 10; i++) calls.add(call(server));
        Thread.sleep(1);
      }
      var last = call(server);
      assertThat(load(server, UNARY).limit()).as("after %d calls", calls.size()).isPresent();
      var refused = failure(last);
      assertThat(refused.getStatus().getCode()).isEqualTo(Status.Code.RESOURCE_EXHAUSTED);
      permits.release(8);
      for (var call : calls) call.handle((_, _) -> null).get();
      until(() -> load(server, UNARY).inFlight() == 0);
    }
  }

  @Test
  void aBurstOfSleepersIsNotRefused() throws Exception {
    work.set(() -> Thread.sleep(500));
    try (var server = serve(Overload.DEFAULT)) {
      for (int round = 0; round < 3; round++) {
        var calls = new ArrayList<CompletableFuture<Answer>>();
        for (int i = 0; i < 2_000; i++) calls.add(call(server));
        for (var call : calls) assertThat(call.get().getNumber()).isEqualTo(1);
      }
      assertThat(server.server().counters().refusedByReason()).isEmpty();
    }
  }

  @Test
  void aCallThatCannotBeDoneInTimeIsRefusedAtOnce() throws Exception {
    work.set(() -> Thread.sleep(400));
    try (var server = serve(Overload.DEFAULT)) {
      var calls = new ArrayList<CompletableFuture<Answer>>();
      for (int i = 0; i < 40; i++) calls.add(call(server));
      for (var call : calls) call.get();
      var refused = call(server, CallOptions.DEFAULT.withDeadlineAfter(200, TimeUnit.MILLISECONDS));
      var failure = failure(refused);
      assertThat(failure.getStatus().getDescription()).contains("deadline is too short");
      var limit =
          CallException.detail(failure, ErrorInfo.class).orElseThrow().getMetadataOrThrow("limit");
      assertThat(Integer.parseInt(limit)).isGreaterThanOrEqualTo(400);
      assertRefused(failure, "DEADLINE_TOO_SHORT", limit);
      assertThat(server.server().counters().refusedByReason())
          .containsEntry("DEADLINE_TOO_SHORT", 1L);
    }
  }

  // ---- Limits that are set.

  @Test
  void aLimitThatIsSetBoundsCallsUnderWayAndThoseThatWait() throws Exception {
    var free = new CountDownLatch(1);
    work.set(free::await);
    var overload = Overload.DEFAULT.withLimit(UNARY, 2).withQueueWait(Duration.ofMinutes(1));
    try (var server = serve(overload)) {
      var calls = new ArrayList<CompletableFuture<Answer>>();
      for (int i = 0; i < 4; i++) calls.add(call(server));
      until(() -> load(server, UNARY).queued() == 2);
      assertThat(load(server, UNARY).inFlight()).isEqualTo(2);
      assertThat(load(server, UNARY).limit()).hasValue(2);
      assertRefused(failure(call(server)), "CONCURRENCY_LIMIT", "2");
      free.countDown();
      for (var call : calls) assertThat(call.get().getNumber()).isEqualTo(1);
      until(() -> load(server, UNARY).inFlight() == 0);
      assertThat(server.server().counters().refusedByReason())
          .containsEntry("CONCURRENCY_LIMIT", 1L);
    }
  }

  @Test
  void aCallWaitsForAPlaceNoLongerThanItMay() throws Exception {
    var free = new CountDownLatch(1);
    work.set(free::await);
    try (var server = serve(Overload.DEFAULT.withLimit(UNARY, 1))) {
      var first = call(server);
      until(() -> load(server, UNARY).inFlight() == 1);
      assertRefused(failure(call(server)), "QUEUE_WAIT", "1");
      assertThat(load(server, UNARY).queued()).isZero();
      free.countDown();
      first.get();
    }
  }

  @Test
  void aCallThatIsGivenUpWhileItWaitsLeavesTheQueue() throws Exception {
    var free = new CountDownLatch(1);
    work.set(free::await);
    var overload = Overload.DEFAULT.withLimit(UNARY, 1).withQueueWait(Duration.ofMinutes(1));
    try (var server = serve(overload)) {
      var first = call(server);
      until(() -> load(server, UNARY).inFlight() == 1);
      var cancelled = call(server);
      until(() -> load(server, UNARY).queued() == 1);
      cancelled.cancel(false);
      until(() -> load(server, UNARY).queued() == 0);
      var late = call(server, CallOptions.DEFAULT.withDeadlineAfter(100, TimeUnit.MILLISECONDS));
      assertThat(failure(late).getStatus().getCode()).isEqualTo(Status.Code.DEADLINE_EXCEEDED);
      until(() -> load(server, UNARY).queued() == 0);
      free.countDown();
      first.get();
      assertThat(call(server).get().getNumber()).isEqualTo(1);
    }
  }

  /// A handler that goes on after its client has gone still has its place.
  @Test
  void aPlaceIsHeldUntilTheHandlerHasReallyEnded() throws Exception {
    var free = new CountDownLatch(1);
    work.set(() -> {
      while (free.getCount() > 0) {
        Thread.interrupted(); // as stubborn handlers do
        LockSupport.parkNanos(1_000_000);
      }
    });
    try (var server = serve(Overload.DEFAULT.withLimit(UNARY, 1).withQueueWait(Duration.ZERO))) {
      var first = call(server);
      until(() -> load(server, UNARY).inFlight() == 1);
      first.cancel(false);
      assertRefused(failure(call(server)), "QUEUE_WAIT", "1");
      free.countDown();
      until(() -> load(server, UNARY).inFlight() == 0);
      assertThat(call(server).get().getNumber()).isEqualTo(1);
    }
  }

  @Test
  void aLimitThatIsSetCountsStreamsFromTheirBeginning() throws Exception {
    var free = new CountDownLatch(1);
    work.set(free::await);
    var down = "weftline.probe.Probe/Down";
    try (var server = serve(Overload.DEFAULT.withLimit("weftline.probe.Probe", 1))) {
      var first = server.blocking().down(Probe.ask(1));
      assertThat(first.next().getNumber()).isEqualTo(1);
      assertThat(load(server, down).inFlight()).isEqualTo(1);
      var second = server.blocking().down(Probe.ask(1));
      try {
        second.next();
        throw new AssertionError("let in");
      } catch (StatusRuntimeException e) {
        assertThat(e.getStatus().getCode()).isEqualTo(Status.Code.RESOURCE_EXHAUSTED);
      }
      free.countDown();
      assertThat(first.hasNext()).isFalse();
    }
  }

  @Test
  void withoutProtectionEverybodyIsLetIn() throws Exception {
    var free = new CountDownLatch(1);
    work.set(free::await);
    try (var server = serve(Overload.OFF)) {
      List<CompletableFuture<Answer>> calls = new ArrayList<>();
      for (int i = 0; i < 500; i++) calls.add(call(server));
      until(() -> load(server, UNARY).inFlight() == 500);
      free.countDown();
      for (var call : calls) call.get();
    }
  }

  @Test
  void numbersThatMakeNoSenseAreRefusedWithASentence() {
    List<Function<Overload, Overload>> wrong =
        List.of(
            overload -> overload.withLimit(UNARY, 0),
            overload -> overload.withCallsMax(-1),
            overload -> overload.withQueueWait(Duration.ofMillis(-1)),
            overload -> overload.withQueueWait(Duration.ofHours(1)),
            overload -> overload.withBudgetBytes(-1));
    for (var change : wrong) {
      assertThatIllegalArgumentException().isThrownBy(() -> change.apply(Overload.DEFAULT));
    }
  }
}
