package dev.weftline.internal.thread;

import static org.assertj.core.api.Assertions.assertThat;

import dev.weftline.Placement;
import io.netty.channel.EventLoop;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.nio.NioIoHandler;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.LockSupport;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.condition.EnabledIf;

/// Call threads on a real event loop, without calls.
@EnabledIf("dev.weftline.internal.thread.VirtualThreads#areSchedulable")
@Timeout(60)
final class LoopCarrierTest {
  private static final MethodPlacement ON_LOOP =
      new Placements(Placement.LOOP, StallWatch.BUDGET).of("a/Method", Placement.LOOP);

  private final MultiThreadIoEventLoopGroup group =
      new MultiThreadIoEventLoopGroup(1, NioIoHandler.newFactory());
  private final EventLoop loop = group.next();
  private LoopCarrier carrier;

  @BeforeEach
  void open() {
    carrier = loop.submit(() -> new LoopCarrier(loop, null)).syncUninterruptibly().getNow();
  }

  @AfterEach
  void close() {
    group.shutdownGracefully(0, 5, TimeUnit.SECONDS).syncUninterruptibly();
  }

  private void start(Runnable call) {
    loop.execute(() -> carrier.start(call, ON_LOOP));
  }

  /// Virtual threads say by their name who carries them.
  private boolean isCarriedByLoop() {
    return Thread.currentThread().toString().endsWith("@" + carrier.thread().getName());
  }

  private static boolean isCarriedByPool() {
    return Thread.currentThread().toString().contains("@ForkJoinPool");
  }

  @Test
  void aCallThreadRunsOnTheLoopAndIsShownWhileItDoes() throws InterruptedException {
    var seen = new ArrayList<Object>();
    var done = new CountDownLatch(1);
    start(() -> {
      seen.add(isCarriedByLoop());
      var running = carrier.running();
      seen.add(running != null && Thread.currentThread().equals(running.thread()));
      done.countDown();
    });
    done.await();
    loop.submit(() -> {}).syncUninterruptibly();

    assertThat(seen).containsExactly(true, true);
    assertThat(carrier.running()).isNull();
    assertThat(carrier.runs()).isEqualTo(1);
    assertThat(carrier.thread()).isEqualTo(threadOf(loop));
  }

  private static Thread threadOf(EventLoop loop) {
    return loop.submit(Thread::currentThread).syncUninterruptibly().getNow();
  }

  /// What the loop's sockets brought comes before the calls that it brought, and what is queued
  /// first runs first.
  @Test
  void callThreadsRunInTheirOrderAfterTheTaskThatStartedThem() throws InterruptedException {
    var order = new ArrayList<Integer>();
    var done = new CountDownLatch(3);
    loop.execute(() -> {
      for (int i = 1; i <= 3; i++) {
        int number = i;
        carrier.start(
            () -> {
              order.add(number);
              done.countDown();
            },
            ON_LOOP);
      }
      order.add(0);
    });
    done.await();
    assertThat(order).containsExactly(0, 1, 2, 3);
  }

  /// A call thread that always has more to do must not keep the loop from what else it has.
  @Test
  @SuppressWarnings("ThreadPriorityCheck") // yield is what is tested
  void callThreadsThatNeverWaitLeaveTheLoopItsTimersAndSockets() throws Exception {
    var stop = new AtomicBoolean();
    var ended = new CountDownLatch(2);
    for (int i = 0; i < 2; i++) {
      start(() -> {
        while (!stop.get()) Thread.yield();
        ended.countDown();
      });
    }
    try {
      for (int i = 0; i < 20; i++) loop.schedule(() -> {}, 1, TimeUnit.MILLISECONDS).get();
      assertThat(carrier.runs()).isGreaterThan(LoopCarrier.RUNS_MAX);
    } finally {
      stop.set(true);
    }
    ended.await();
  }

  @Test
  void longRunsLeaveTheLoopItsTimersAndSocketsAfterAFew() throws Exception {
    int before =
        loop.submit(
                () -> {
                  var begun = new AtomicInteger();
                  for (int i = 0; i < 16; i++) carrier.start(() -> longRun(begun), ON_LOOP);
                  return loop.schedule(begun::get, 0, TimeUnit.NANOSECONDS);
                })
            .get()
            .get();
    assertThat(before).isBetween(1, 4);
  }

  private static void longRun(AtomicInteger begun) {
    begun.incrementAndGet();
    long end = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(3);
    while (System.nanoTime() < end) Thread.onSpinWait();
  }

  @Test
  void threadsMadeOnACallThreadRunOnTheJdksScheduler() throws InterruptedException {
    var onPool = new AtomicInteger();
    var comesBack = new AtomicBoolean();
    var done = new CountDownLatch(1);
    start(() -> {
      try {
        Thread.startVirtualThread(
                () -> {
                  if (isCarriedByPool()) onPool.incrementAndGet();
                  LockSupport.parkNanos(1_000_000);
                  if (isCarriedByPool()) onPool.incrementAndGet();
                  grandchild(onPool);
                })
            .join();
        comesBack.set(isCarriedByLoop());
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
      }
      done.countDown();
    });
    done.await();
    assertThat(onPool).hasValue(3);
    assertThat(comesBack).isTrue();
  }

  private static void grandchild(AtomicInteger onPool) {
    try {
      Thread.startVirtualThread(
              () -> {
                if (isCarriedByPool()) onPool.incrementAndGet();
              })
          .join();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  /// A child outlives its call, and the scheduler that it was given must not keep the call.
  @Test
  void aChildThatOutlivesTheCallRunsOnAndTheCallIsLetGo() throws InterruptedException {
    var release = new CountDownLatch(1);
    var childEnded = new CountDownLatch(1);
    var onPool = new AtomicBoolean();
    var thread = new AtomicReference<@Nullable CallThread>();
    var started = new CountDownLatch(1);
    start(() -> {
      thread.set(carrier.running());
      Thread.startVirtualThread(() -> {
        try {
          release.await();
        } catch (InterruptedException e) {
          Thread.currentThread().interrupt();
        }
        onPool.set(isCarriedByPool());
        childEnded.countDown();
      });
      started.countDown();
    });
    started.await();
    loop.submit(() -> {}).syncUninterruptibly();
    assertThat(thread.get())
        .hasAllNullFieldsOrPropertiesExcept("carrier", "placement", "own", "pooled");
    assertThat(thread.get()).extracting("own").isInstanceOf(Enum.class);
    release.countDown();
    childEnded.await();
    assertThat(onPool).isTrue();
  }

  /// The loop waits for a lock, and the call thread that holds it waits for the loop: for ever, if
  /// nobody takes its turn away from the loop.
  @Test
  void stealingEndsADeadlockOfTheLoopWithItsOwnCallThread() throws InterruptedException {
    var lock = new ReentrantLock();
    var held = new CountDownLatch(1);
    var loopGoesOn = new CountDownLatch(1);
    var unparked = new AtomicBoolean();
    var onPool = new AtomicBoolean();
    var unlocked = new CountDownLatch(1);
    var thread = new Thread[1];
    start(() -> {
      thread[0] = Thread.currentThread();
      lock.lock();
      try {
        held.countDown();
        while (!unparked.get()) LockSupport.park();
        onPool.set(isCarriedByPool());
      } finally {
        lock.unlock();
      }
      unlocked.countDown();
    });
    held.await();
    loop.execute(() -> {
      lock.lock();
      try {
        loopGoesOn.countDown();
      } finally {
        lock.unlock();
      }
    });
    while (carrier.thread().getState() != Thread.State.WAITING || !lock.hasQueuedThreads()) {
      Thread.sleep(1);
    }
    long runs = carrier.runs();
    unparked.set(true);
    LockSupport.unpark(thread[0]);
    assertThat(unlocked.await(50, TimeUnit.MILLISECONDS)).isFalse();

    assertThat(carrier.steal()).isEqualTo(1);
    unlocked.await();
    loopGoesOn.await();
    assertThat(onPool).isTrue();
    assertThat(carrier.runs()).isEqualTo(runs);
    assertThat(carrier.steal()).isZero();
  }

  /// Calls that came together and did not start yet are not bound to the one that holds the loop.
  @Test
  void callsThatHaveNotStartedCanBeStolenToo() throws InterruptedException {
    var atWork = new CountDownLatch(1);
    var release = new CountDownLatch(1);
    var others = new CountDownLatch(10);
    var onPool = new AtomicInteger();
    loop.execute(() -> {
      carrier.start(
          () -> {
            atWork.countDown();
            // Computes: a thread that waits in the ordinary way would leave the loop.
            while (release.getCount() > 0) Thread.onSpinWait();
          },
          ON_LOOP);
      for (int i = 0; i < 10; i++) {
        carrier.start(
            () -> {
              if (isCarriedByPool()) onPool.incrementAndGet();
              others.countDown();
            },
            ON_LOOP);
      }
    });
    atWork.await();
    assertThat(carrier.steal()).isEqualTo(10);
    others.await();
    assertThat(onPool).hasValue(10);
    release.countDown();
  }

  @Test
  void aCallThreadGoesOnWhenItsLoopHasEnded() throws InterruptedException {
    var parked = new CountDownLatch(1);
    var release = new CountDownLatch(1);
    var ended = new CountDownLatch(1);
    start(() -> {
      parked.countDown();
      try {
        release.await();
        Thread.sleep(1);
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
      }
      if (isCarriedByPool()) ended.countDown();
    });
    parked.await();
    close();
    release.countDown();
    ended.await();
  }

  /// What a submit asks for happens once, whoever it is that runs it, and what was not asked for
  /// does not happen.
  @Test
  void everyContinuationRunsOnceForEachSubmit() throws InterruptedException {
    long seed = System.nanoTime();
    System.getLogger(LoopCarrierTest.class.getName())
        .log(System.Logger.Level.INFO, "seed {0}", Long.toString(seed));
    var works = new ArrayList<Work>();
    for (int i = 0; i < 64; i++) works.add(new Work(new CallThread(carrier, ON_LOOP, () -> {})));
    var stop = new AtomicBoolean();
    var producers = new ArrayList<Thread>();
    for (int i = 0; i < 4; i++) {
      var random = new Random(seed + i);
      producers.add(
          Thread.ofPlatform()
              .start(() -> {
                for (int n = 0; n < 200_000; n++) works.get(random.nextInt(64)).submit();
              }));
    }
    var stolen = new AtomicInteger();
    var thief =
        Thread.ofPlatform()
            .start(() -> {
              var random = new Random(seed - 1);
              while (!stop.get()) {
                stolen.addAndGet(carrier.steal());
                LockSupport.parkNanos(random.nextInt(50_000));
              }
            });
    for (var producer : producers) producer.join();
    stop.set(true);
    thief.join();
    for (var work : works) {
      while (!work.idle.get()) Thread.sleep(1);
      assertThat(work.runs).as("seed " + seed).hasValue(work.submits.get());
    }
    assertThat(stolen.get()).isPositive();
    assertThat(carrier.runs()).isPositive();
  }

  /// The JDK submits a thread that waits for its turn once more after somebody has looked at its
  /// stack.
  @Test
  void aThreadSubmittedAgainWhileItIsQueuedRunsOnce() {
    var works = new ArrayList<Work>();
    for (int i = 0; i < 3; i++) works.add(new Work(new CallThread(carrier, ON_LOOP, () -> {})));
    loop.submit(
            () -> {
              for (int number : new int[] {0, 1, 0, 2, 1, 2}) {
                var work = works.get(number);
                work.thread.execute(work);
              }
            })
        .syncUninterruptibly();
    loop.submit(() -> {}).syncUninterruptibly();
    for (var work : works) assertThat(work.runs).hasValue(1);
  }

  private static final class Work implements Runnable {
    final CallThread thread;
    final AtomicBoolean idle = new AtomicBoolean(true);
    final AtomicLong submits = new AtomicLong();
    final AtomicLong runs = new AtomicLong();

    Work(CallThread thread) {
      this.thread = thread;
    }

    void submit() {
      if (!idle.compareAndSet(true, false)) return;
      submits.incrementAndGet();
      thread.execute(this);
    }

    @Override
    public void run() {
      runs.incrementAndGet();
      idle.set(true);
    }
  }

  @Test
  void threadsThatAreUnparkedLookedAtAndStolenAllComeToTheirEnd() throws InterruptedException {
    int count = 100;
    int waits = 500;
    var threads = new Thread[count];
    var passed = new AtomicInteger[count];
    var started = new CountDownLatch(count);
    var ended = new CountDownLatch(count);
    for (int i = 0; i < count; i++) {
      int number = i;
      passed[i] = new AtomicInteger();
      start(() -> {
        threads[number] = Thread.currentThread();
        started.countDown();
        while (passed[number].get() < waits) LockSupport.park();
        ended.countDown();
      });
    }
    started.await();
    var disturbers = new ArrayList<Thread>();
    for (int i = 0; i < 2; i++) {
      disturbers.add(
          Thread.ofPlatform()
              .start(() -> {
                for (int n = 0; n < waits; n++) {
                  for (int each = 0; each < count; each++) {
                    passed[each].incrementAndGet();
                    LockSupport.unpark(threads[each]);
                  }
                }
              }));
    }
    var stop = new AtomicBoolean();
    for (Runnable each :
        List.<Runnable>of(
            carrier::steal,
            () -> {
              for (var thread : threads) thread.getStackTrace();
            })) {
      disturbers.add(
          Thread.ofPlatform()
              .start(() -> {
                while (!stop.get()) each.run();
              }));
    }
    ended.await();
    stop.set(true);
    for (var disturber : disturbers) disturber.join();
  }
}
