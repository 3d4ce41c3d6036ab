package dev.weftline.internal.thread;

import static org.assertj.core.api.Assertions.assertThat;

import dev.weftline.Placement;
import io.netty.channel.EventLoop;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.nio.NioIoHandler;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.locks.LockSupport;
import java.util.concurrent.locks.ReentrantLock;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.condition.EnabledIf;

/// A real loop that stands still, and a real watch.
@EnabledIf("dev.weftline.internal.thread.VirtualThreads#areSchedulable")
@Timeout(60)
final class StalledLoopTest {
  private final Placements placements = new Placements(Placement.ADAPTIVE, StallWatch.BUDGET);
  private final MethodPlacement method = placements.of("a/Method", Placement.ADAPTIVE);
  private final StallWatch watch = new StallWatch(StallWatch.BUDGET);
  private final MultiThreadIoEventLoopGroup group =
      new MultiThreadIoEventLoopGroup(1, NioIoHandler.newFactory());
  private final EventLoop loop = group.next();
  private final LoopCarrier carrier =
      loop.submit(() -> new LoopCarrier(loop, watch)).syncUninterruptibly().getNow();

  @AfterEach
  void close() {
    watch.close();
    group.shutdownGracefully(0, 5, TimeUnit.SECONDS).syncUninterruptibly();
  }

  private void start(Runnable call) {
    loop.execute(() -> carrier.start(call, method));
  }

  /// The loop waits for a lock whose holder waits for the loop, also when the watch was asleep.
  @Test
  void aLoopThatWaitsForItsOwnCallThreadIsFreed() throws InterruptedException {
    var lock = new ReentrantLock();
    var held = new CountDownLatch(1);
    var release = new AtomicBoolean();
    var loopGoesOn = new CountDownLatch(1);
    var thread = new Thread[1];
    start(() -> {
      thread[0] = Thread.currentThread();
      lock.lock();
      try {
        held.countDown();
        while (!release.get()) LockSupport.park();
      } finally {
        lock.unlock();
      }
    });
    held.await();
    while (!watch.isAsleep()) Thread.sleep(10);
    loop.execute(() -> {
      lock.lock();
      try {
        loopGoesOn.countDown();
      } finally {
        lock.unlock();
      }
    });
    while (!lock.hasQueuedThreads()) Thread.sleep(1);
    release.set(true);
    LockSupport.unpark(thread[0]);
    loopGoesOn.await();
  }

  /// One that cannot unmount, here because of a class initialiser, waits for its sibling.
  @Test
  void callsBehindOneThatWaitsForThemRunElsewhere() throws InterruptedException {
    var sibling = new CountDownLatch(1);
    var ended = new CountDownLatch(1);
    Pinned.waitsFor = sibling;
    loop.execute(() -> {
      carrier.start(
          () -> {
            Pinned.touch();
            ended.countDown();
          },
          method);
      carrier.start(sibling::countDown, method);
    });
    ended.await();
    assertThat(method.stalls()).isPositive();
    assertThat(method.onLoop()).isFalse();
    assertThat(method.callsOnLoop()).isOne();
    assertThat(method.callsShared()).isOne();
  }

  private static final class Pinned {
    static volatile CountDownLatch waitsFor = new CountDownLatch(0);

    static void touch() {
      assertThat(Slow.VALUE).isTrue();
    }

    private static final class Slow {
      static final boolean VALUE = slowly();

      private static boolean slowly() {
        try {
          waitsFor.await();
          return true;
        } catch (InterruptedException e) {
          throw new AssertionError(e);
        }
      }
    }
  }
}
