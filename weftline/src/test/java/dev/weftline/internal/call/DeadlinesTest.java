package dev.weftline.internal.call;

import static org.assertj.core.api.Assertions.assertThat;

import io.netty.channel.DefaultEventLoop;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

final class DeadlinesTest {
  private static final long MILLI = 1_000_000;

  private final DefaultEventLoop loop = new DefaultEventLoop();
  private final Deadlines deadlines = new Deadlines(loop);
  private final List<Long> lateNanos = Collections.synchronizedList(new ArrayList<>());

  private final class Timer extends Deadlines.Entry {
    Timer(long nanos) {
      super(System.nanoTime() + nanos);
    }

    @Override
    void expired() {
      lateNanos.add(System.nanoTime() - deadlineNanos);
    }
  }

  @AfterEach
  void closeLoop() {
    loop.shutdownGracefully(0, 1, TimeUnit.SECONDS).syncUninterruptibly();
  }

  private void onLoop(Runnable task) {
    loop.submit(task).syncUninterruptibly();
  }

  @Test
  void noneFiresEarlyAndAllFire() throws Exception {
    long seed = System.nanoTime();
    var random = new Random(seed);
    onLoop(() -> {
      for (int i = 0; i < 1_000; i++) deadlines.add(new Timer(random.nextInt(300) * MILLI));
    });
    for (int i = 0; i < 100 && lateNanos.size() < 1_000; i++) Thread.sleep(50);
    assertThat(lateNanos).as("seed " + seed).hasSize(1_000).allMatch(late -> late >= 0);
    Collections.sort(lateNanos);
    // At most a tick late on an idle machine; this one may be busy.
    assertThat(lateNanos.get(500)).isLessThan(100 * MILLI);
  }

  /// A surge that was let in expires together.
  @Test
  void aLoopGetsToItsOtherTasksWhileManyExpire() throws Exception {
    var fired = new AtomicInteger();
    var firedBefore = new CompletableFuture<Integer>();
    final class SlowTimer extends Deadlines.Entry {
      SlowTimer() {
        super(System.nanoTime());
      }

      @Override
      void expired() {
        if (fired.incrementAndGet() == 1) {
          var _ = loop.schedule(() -> firedBefore.complete(fired.get()), 0, TimeUnit.NANOSECONDS);
        }
        long end = System.nanoTime() + MILLI / 5;
        while (System.nanoTime() < end) Thread.onSpinWait();
      }
    }
    onLoop(() -> {
      for (int i = 0; i < 1_000; i++) deadlines.add(new SlowTimer());
    });
    assertThat(firedBefore.get(20, TimeUnit.SECONDS)).isLessThan(1_000);
    for (int i = 0; i < 200 && fired.get() < 1_000; i++) Thread.sleep(50);
    assertThat(fired).hasValue(1_000);
  }

  @Test
  void whatIsRemovedNeverFires() throws Exception {
    onLoop(() -> {
      var timers = new ArrayList<Timer>();
      for (int i = 0; i < 100; i++) timers.add(new Timer(20 * MILLI));
      timers.forEach(deadlines::add);
      timers.forEach(deadlines::remove);
      timers.forEach(deadlines::remove);
    });
    Thread.sleep(100);
    assertThat(lateNanos).isEmpty();
  }

  @Test
  void aDeadlineOfCenturiesStaysInTheWheel() throws Exception {
    onLoop(() -> {
      deadlines.add(new Timer(Long.MAX_VALUE / 2));
      deadlines.add(new Timer(10 * MILLI));
    });
    Thread.sleep(200);
    assertThat(lateNanos).hasSize(1);
  }

  @Test
  void aWheelThatStoodStillStartsAgain() throws Exception {
    for (int round = 1; round <= 3; round++) {
      onLoop(() -> deadlines.add(new Timer(5 * MILLI)));
      Thread.sleep(100);
      assertThat(lateNanos).hasSize(round);
    }
  }
}
