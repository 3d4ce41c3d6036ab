package dev.weftline.internal.thread;

import static dev.weftline.internal.thread.KernelThread.State.RUNNABLE;
import static dev.weftline.internal.thread.KernelThread.State.UNKNOWN;
import static dev.weftline.internal.thread.KernelThread.State.WAITING;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import dev.weftline.Placement;
import dev.weftline.internal.testing.FakeClock;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/// What a watch makes of what it sees, on a clock of the test, and when its thread sleeps.
final class StallWatchTest {
  private static final Duration BUDGET = Duration.ofMillis(2);
  private static final Duration PATROL = Duration.ofMillis(10);
  private static final Duration A_BIT = Duration.ofMillis(1);

  private final FakeClock clock = new FakeClock();
  private final List<Stall> stalls = new ArrayList<>();
  private final StallWatch watch = new StallWatch(BUDGET, clock, stalls::add);
  private final FakeLoop loop = new FakeLoop();
  private final MethodPlacement adaptive = placed("a/Adaptive", Placement.ADAPTIVE);
  private final MethodPlacement fixed = placed("a/Fixed", Placement.LOOP);

  private MethodPlacement placed(String name, Placement placement) {
    return new MethodPlacement(name, placement, true, BUDGET.toNanos(), clock);
  }

  /// A loop that does what the test says.
  private final class FakeLoop implements StallWatch.Loop, KernelThread {
    private final AtomicLong runs = new AtomicLong();
    private volatile StallWatch.@Nullable Carried running;
    private volatile boolean waitedFor;
    private long cpuNanos = 1_000_000_000;
    private boolean cpuKnown = true;
    private boolean endsWhenJudged;
    private State state = RUNNABLE;
    private final AtomicInteger steals = new AtomicInteger();

    void runs(MethodPlacement method) {
      runs(method, Thread.currentThread());
    }

    void runs(MethodPlacement method, @Nullable Thread thread) {
      runs.incrementAndGet();
      running = new Call(method, thread);
    }

    void ends() {
      running = null;
    }

    void computes(Duration time) {
      cpuNanos += time.toNanos();
      clock.advance(time);
    }

    @Override
    public long runs() {
      return runs.get();
    }

    @Override
    public StallWatch.@Nullable Carried running() {
      return running;
    }

    @Override
    public boolean isWaitedFor() {
      return waitedFor;
    }

    @Override
    public KernelThread kernelThread() {
      return this;
    }

    @Override
    public int steal() {
      return steals.incrementAndGet();
    }

    @Override
    public long cpuNanos() {
      if (endsWhenJudged) ends();
      return cpuKnown ? cpuNanos : -1;
    }

    @Override
    public State state() {
      return state;
    }
  }

  private record Call(MethodPlacement placement, @Nullable Thread thread)
      implements StallWatch.Carried {}

  private void starts(MethodPlacement method) {
    watch.watch(loop);
    loop.runs(method);
    assertThat(watch.look()).isEqualTo(BUDGET.toNanos());
  }

  @Test
  void aRunThatComputesForTheBudgetIsAStall() {
    starts(adaptive);
    loop.computes(BUDGET);
    watch.look();
    assertThat(adaptive.onLoop()).isFalse();
    assertThat(stalls).hasSize(1);
    var stall = stalls.getFirst();
    assertThat(stall.method()).isSameAs(adaptive);
    assertThat(stall.activity()).isEqualTo(Stall.Activity.COMPUTES);
    assertThat(stall.nanos()).isEqualTo(BUDGET.toNanos());
    assertThat(stall.moved()).isTrue();
    assertThat(loop.steals).hasValue(1);
  }

  /// On a busy core it takes milliseconds to see what a thread does. Runs of 10 ms held their loop
  /// for a third of a second that way, one after the other, since each had ended by then.
  @Test
  void aRunThatEndsBeforeItsStackIsSeenIsAStallOfWhichNothingIsTold() {
    watch.watch(loop);
    loop.runs.incrementAndGet();
    loop.running =
        new StallWatch.Carried() {
          @Override
          public MethodPlacement placement() {
            return adaptive;
          }

          @Override
          public Thread thread() {
            loop.ends();
            return Thread.currentThread();
          }
        };
    watch.look();
    loop.computes(BUDGET);
    watch.look();
    assertThat(adaptive.onLoop()).isFalse();
    assertThat(adaptive.stalls()).isOne();
    assertThat(loop.steals).hasValue(1);
    assertThat(stalls).isEmpty();
    assertThat(adaptive.tellsOf(true)).as("the next one is told").isTrue();
  }

  @Test
  void aRunThatWaitsForTheKernelIsAStall() {
    starts(adaptive);
    loop.state = WAITING;
    clock.advance(BUDGET);
    assertThat(watch.look()).isEqualTo(BUDGET.toNanos());
    assertThat(adaptive.stalls()).as("a collection of garbage does that").isZero();
    clock.advance(BUDGET);
    watch.look();
    assertThat(stalls).extracting(Stall::activity).containsExactly(Stall.Activity.BLOCKS);
    assertThat(adaptive.onLoop()).isFalse();
  }

  @Test
  void aRunThatNobodyGaveACoreIsNone() {
    starts(adaptive);
    for (int i = 0; i < 100; i++) {
      loop.cpuNanos += BUDGET.toNanos() / 3;
      clock.advance(BUDGET);
      watch.look();
    }
    assertThat(adaptive.onLoop()).isTrue();
    assertThat(adaptive.stalls()).isZero();
    assertThat(loop.steals).hasValue(0);
  }

  @Test
  void aRunThatComputesOnlyAfterItGotACoreIsCountedFromThere() {
    starts(adaptive);
    clock.advance(BUDGET);
    watch.look();
    loop.computes(BUDGET);
    watch.look();
    assertThat(stalls).extracting(Stall::nanos).containsExactly(BUDGET.toNanos());
  }

  @Test
  void aLookThatIsLateProvesNothingAboutTime() {
    starts(adaptive);
    loop.state = WAITING; // as it does at a safepoint
    clock.advance(Duration.ofMillis(500));
    watch.look();
    assertThat(adaptive.stalls()).isZero();
    for (int i = 0; i < 2; i++) {
      clock.advance(BUDGET);
      watch.look();
    }
    assertThat(stalls).extracting(Stall::nanos).containsExactly(2 * BUDGET.toNanos());
  }

  @Test
  void aRunThatWaitedForAMomentIsNone() {
    starts(adaptive);
    for (int i = 0; i < 100; i++) {
      loop.state = i % 2 == 0 ? WAITING : RUNNABLE;
      clock.advance(BUDGET);
      watch.look();
    }
    assertThat(adaptive.stalls()).isZero();
  }

  @Test
  void cpuTimeThatWasUsedIsBelievedHoweverLateTheLook() {
    starts(adaptive);
    clock.advance(Duration.ofMillis(500));
    loop.computes(BUDGET);
    watch.look();
    assertThat(stalls).extracting(Stall::activity).containsExactly(Stall.Activity.COMPUTES);
  }

  @Test
  void runsWithinTheBudgetAreNone() {
    watch.watch(loop);
    for (int i = 0; i < 1_000; i++) {
      loop.runs(adaptive);
      watch.look();
      loop.computes(BUDGET.minusNanos(1));
      watch.look();
    }
    assertThat(adaptive.stalls()).isZero();
  }

  @Test
  void manyShortRunsAreNone() {
    watch.watch(loop);
    for (int i = 0; i < 1_000; i++) {
      loop.runs(adaptive);
      loop.computes(BUDGET);
      watch.look();
    }
    assertThat(adaptive.stalls()).isZero();
  }

  @Test
  void aRunThatEndsWhileItIsJudgedIsNone() {
    starts(adaptive);
    loop.computes(BUDGET);
    loop.endsWhenJudged = true;
    watch.look();
    assertThat(adaptive.stalls()).isZero();
    assertThat(adaptive.onLoop()).isTrue();
  }

  @Test
  void aStallIsReportedOnceAndItsLengthFollowed() {
    starts(adaptive);
    loop.computes(BUDGET);
    watch.look();
    for (int i = 0; i < 5; i++) {
      loop.computes(PATROL);
      assertThat(watch.look()).isEqualTo(PATROL.toNanos());
    }
    assertThat(stalls).hasSize(1);
    assertThat(adaptive.stalls()).isOne();
    assertThat(adaptive.longestNanos()).isEqualTo(BUDGET.plus(PATROL.multipliedBy(5)).toNanos());
  }

  @Test
  void whatWaitsBehindAStallIsStolenAsLongAsItLasts() {
    starts(adaptive);
    loop.computes(BUDGET);
    watch.look();
    for (int i = 2; i <= 10; i++) {
      loop.computes(PATROL);
      watch.look();
      assertThat(loop.steals).hasValue(i);
    }
    loop.ends();
    clock.advance(PATROL);
    watch.look();
    assertThat(loop.steals).hasValue(10);
  }

  @Test
  void behindAMethodThatStaysOnTheLoopOthersWaitForAMomentFirst() {
    starts(fixed);
    loop.computes(BUDGET);
    watch.look();
    assertThat(loop.steals).hasValue(0);
    loop.computes(PATROL);
    watch.look();
    assertThat(loop.steals).hasValue(1);
  }

  @Test
  void aMethodFixedOnTheLoopIsReportedOnceAndStays() {
    for (int i = 0; i < 10; i++) {
      loop.runs(fixed);
      if (i == 0) watch.watch(loop);
      watch.look();
      loop.computes(BUDGET);
      watch.look();
      loop.ends();
      clock.advance(PATROL);
      watch.look();
    }
    assertThat(fixed.onLoop()).isTrue();
    assertThat(fixed.stalls()).isEqualTo(10);
    assertThat(stalls).hasSize(1);
    assertThat(stalls.getFirst().moved()).isFalse();
  }

  @Test
  void eachLoopIsJudgedByItself() {
    var other = new FakeLoop();
    var good = placed("a/Good", Placement.ADAPTIVE);
    watch.watch(other);
    starts(adaptive);
    other.runs(good);
    watch.look();
    loop.computes(BUDGET);
    other.runs(good);
    watch.look();
    assertThat(adaptive.onLoop()).isFalse();
    assertThat(good.onLoop()).isTrue();
  }

  @Test
  void aLoopThatStandsStillWithoutACallIsFreedOfThoseThatWait() {
    watch.watch(loop);
    loop.waitedFor = true;
    loop.state = WAITING;
    watch.look();
    clock.advance(PATROL.minus(A_BIT));
    watch.look();
    assertThat(loop.steals).hasValue(0);
    clock.advance(A_BIT);
    watch.look();
    assertThat(loop.steals).hasValue(1);
  }

  @Test
  void aLoopThatIsBusyWithOtherThingsKeepsWhatItHas() {
    watch.watch(loop);
    loop.waitedFor = true;
    for (int i = 0; i < 100; i++) {
      watch.look();
      clock.advance(PATROL);
    }
    assertThat(loop.steals).hasValue(0);
  }

  @Test
  void aLoopThatIsWaitedForNowAndThenKeepsWhatItHas() {
    watch.watch(loop);
    for (int i = 0; i < 100; i++) {
      loop.waitedFor = i % 2 == 0;
      watch.look();
      clock.advance(PATROL);
    }
    assertThat(loop.steals).hasValue(0);
  }

  @ParameterizedTest
  @CsvSource(
      textBlock =
          """
          # kernel tells, CPU time known, state
          UNKNOWN,        true
          UNKNOWN,        false
          RUNNABLE,       false
          """)
  void whereTheKernelDoesNotTellFiveBudgetsAreAStall(KernelThread.State state, boolean cpuKnown) {
    loop.state = state;
    loop.cpuKnown = cpuKnown;
    starts(adaptive);
    for (int i = 0; i < 4; i++) {
      clock.advance(BUDGET);
      watch.look();
      assertThat(adaptive.stalls()).isZero();
    }
    clock.advance(BUDGET);
    watch.look();
    assertThat(adaptive.stalls()).isOne();
  }

  @Test
  void theReportSaysWhatWhereAndWhatToDo() {
    starts(adaptive);
    loop.computes(BUDGET);
    watch.look();
    assertThat(stalls.getFirst().report())
        .contains("a/Adaptive")
        .contains("2.0 ms")
        .contains("computes")
        .contains("@Placed(Placement.SHARED)")
        .contains("JDK's scheduler")
        .contains("\n\tat ");
  }

  @Test
  void theStackIsTheMethodsOwn() {
    var trace =
        new StackTraceElement[] {
          new StackTraceElement("java.util.Arrays", "sort", "Arrays.java", 1),
          new StackTraceElement("com.example.Greeter", "sayHello", "Greeter.java", 2),
          new StackTraceElement("io.grpc.stub.ServerCalls", "invoke", "ServerCalls.java", 3),
          new StackTraceElement("dev.weftline.internal.call.InboundCall", "run", "x", 4),
          new StackTraceElement("java.lang.VirtualThread", "run", "VirtualThread.java", 5),
        };
    assertThat(Stall.framesOf(trace))
        .extracting(StackTraceElement::getMethodName)
        .containsExactly("sort", "sayHello");
    var deep = new StackTraceElement[100];
    Arrays.fill(deep, trace[1]);
    assertThat(Stall.framesOf(deep)).hasSize(Stall.FRAMES_MAX);
  }

  @Test
  void aStallBeforeTheMethodIsReachedIsTheJvms() {
    var ours = new StackTraceElement("dev.weftline.internal.call.InboundCall", "run", "x", 1);
    var grpcs = new StackTraceElement("io.grpc.stub.ServerCalls", "startCall", "x", 2);
    var users = new StackTraceElement("com.example.Greeter", "sayHello", "Greeter.java", 3);
    var library = new StackTraceElement("java.util.Arrays", "sort", "Arrays.java", 4);
    assertThat(Stall.loads(new StackTraceElement[] {grpcs, ours})).isTrue();
    assertThat(Stall.loads(new StackTraceElement[] {users, grpcs, ours})).isFalse();
    assertThat(Stall.loads(new StackTraceElement[] {library, ours})).isFalse();
    assertThat(Stall.loads(new StackTraceElement[0])).isFalse();
  }

  /// Seen on a busy machine: the first request that a method takes links a `VarHandle` for 3 ms.
  @Test
  void aStallWhereTheMethodHasCalledUsIsTheJvmsAsWell() {
    var links = new StackTraceElement("java.lang.invoke.VarHandleInts", "getAndAdd", "x", 1);
    var ours = new StackTraceElement("dev.weftline.internal.http2.Http2Stream", "consumed", "x", 2);
    var deflates = new StackTraceElement("java.util.zip.Deflater", "deflate", "x", 3);
    var users = new StackTraceElement("com.example.Greeter", "sayHello", "Greeter.java", 4);
    assertThat(Stall.loads(new StackTraceElement[] {links, ours, users})).isTrue();
    assertThat(Stall.loads(new StackTraceElement[] {ours, users})).isTrue();
    assertThat(Stall.loads(new StackTraceElement[] {deflates, ours, users})).isFalse();
    assertThat(Stall.loads(new StackTraceElement[] {links, users, ours})).isFalse();
  }

  /// The first call of a method, mostly.
  @Test
  void loadingClassesMovesTheMethodAndIsNoWarning() throws Exception {
    var inInitializer = new CountDownLatch(1);
    var leave = new CountDownLatch(1);
    Initializing.latches = new CountDownLatch[] {inInitializer, leave};
    var thread = Thread.ofPlatform().start(Initializing::touch);
    try {
      inInitializer.await();
      watch.watch(loop);
      loop.runs(adaptive, thread);
      watch.look();
      loop.computes(BUDGET);
      watch.look();
    } finally {
      leave.countDown();
      thread.join();
    }
    assertThat(adaptive.onLoop()).isFalse();
    assertThat(stalls).extracting(Stall::activity).containsExactly(Stall.Activity.LOADS);
    assertThat(adaptive.tellsOf(true)).as("its first real stall is still told").isTrue();
  }

  private static final class Initializing {
    static volatile CountDownLatch[] latches = {};

    static void touch() {
      assertThat(Slow.VALUE).isTrue();
    }

    private static final class Slow {
      static final boolean VALUE = slowly();

      private static boolean slowly() {
        try {
          latches[0].countDown();
          latches[1].await();
          return true;
        } catch (InterruptedException e) {
          throw new AssertionError(e);
        }
      }
    }
  }

  @Test
  void looksAreFarApartUntilThereIsSomethingToSee() {
    watch.watch(loop);
    assertThat(watch.look()).isEqualTo(PATROL.toNanos());
    clock.advance(PATROL);
    loop.runs(adaptive);
    assertThat(watch.look()).isEqualTo(BUDGET.toNanos());
  }

  @Test
  void theWatchSleepsWhenNothingHasRunForASecond() {
    watch.watch(loop);
    loop.runs(adaptive);
    loop.ends();
    watch.look();
    clock.advance(Duration.ofMillis(999));
    assertThat(StallWatch.isForGood(watch.look())).isFalse();
    clock.advance(Duration.ofMillis(1));
    assertThat(StallWatch.isForGood(watch.look())).isTrue();
  }

  @Test
  void aSingleRunHoweverLongKeepsItAwake() {
    starts(adaptive);
    clock.advance(Duration.ofHours(1));
    assertThat(StallWatch.isForGood(watch.look())).isFalse();
  }

  /// With its real thread and clock: asleep until told, then at work.
  @Test
  void aSleepingWatchIsWokenByTheLoop() throws Exception {
    var found = new CountDownLatch(1);
    try (var real = new StallWatch(BUDGET, System::nanoTime, _ -> found.countDown())) {
      real.add(loop);
      for (int i = 0; i < 600 && !real.isAsleep(); i++) Thread.sleep(50);
      assertThat(real.isAsleep()).isTrue();
      loop.state = WAITING;
      loop.runs(adaptive);
      real.wake();
      assertThat(found.await(30, TimeUnit.SECONDS)).isTrue();
      assertThat(adaptive.onLoop()).isFalse();
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"PT0S", "PT-1S", "PT0.0009S", "PT1M1S", "PT2000000H"})
  void aBudgetOutOfBoundsIsRefused(Duration budget) {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> new StallWatch(budget))
        .withMessageContaining("from 1 ms to 1 min");
  }

  /// proc(5)
  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          12 (weftline-loop-0) R 1 2  | RUNNABLE
          12 (weftline-loop-0) S 1 2  | WAITING
          12 (weftline-loop-0) D 1 2  | WAITING
          12 (odd) S (name) R 1 2     | RUNNABLE
          12 (weftline-loop-0) T 1 2  | UNKNOWN
          12 (weftline-loop-0)        | UNKNOWN
          nonsense                    | UNKNOWN
          """)
  void whatTheKernelWritesAboutAThread(String stat, KernelThread.State state) {
    assertThat(KernelThread.OfJvm.stateIn(stat)).isEqualTo(state);
  }

  @Test
  void aThreadIsSeenComputingAndWaiting() throws Exception {
    Assumptions.assumeTrue(Files.exists(Path.of("/proc/thread-self/stat")));
    var self = KernelThread.current();
    long before = self.cpuNanos();
    long sum = 0;
    while (self.cpuNanos() - before < 20_000_000) sum += System.nanoTime();
    assertThat(sum).isNotZero();
    assertThat(self.state()).as("of whoever asks").isEqualTo(RUNNABLE);

    var known = new CompletableFuture<KernelThread>();
    var end = new CountDownLatch(1);
    var other =
        Thread.ofPlatform()
            .start(() -> {
              known.complete(KernelThread.current());
              try {
                end.await();
              } catch (InterruptedException e) {
                throw new AssertionError(e);
              }
            });
    var waiting = known.get();
    for (int i = 0; i < 600 && waiting.state() != WAITING; i++) Thread.sleep(50);
    assertThat(waiting.state()).isEqualTo(WAITING);
    long used = waiting.cpuNanos();
    Thread.sleep(50);
    assertThat(waiting.cpuNanos()).isEqualTo(used);
    end.countDown();
    other.join();
    for (int i = 0; i < 600 && waiting.state() != UNKNOWN; i++) Thread.sleep(50);
    assertThat(waiting.state()).as("of a thread that has ended").isEqualTo(UNKNOWN);
  }
}
