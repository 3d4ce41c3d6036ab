package dev.weftline.internal.admission;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Semaphore;
import java.util.function.Supplier;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/// What a crowd of call threads waits for.
final class WaitSampleTest {
  private final WaitSample sample = new WaitSample();
  private final List<Thread> threads = new ArrayList<>();

  @AfterEach
  void end() throws InterruptedException {
    for (var thread : threads) thread.interrupt();
    for (var thread : threads) thread.join();
  }

  private interface Wait {
    void await() throws InterruptedException;
  }

  /// A hundred threads that have begun to wait, each for what it is given.
  private void waiting(Supplier<Wait> waits) throws InterruptedException {
    for (int i = 0; i < 100; i++) {
      var wait = waits.get();
      var thread =
          Thread.startVirtualThread(() -> {
            try {
              wait.await();
            } catch (InterruptedException e) {
              Thread.currentThread().interrupt(); // it ends
            }
          });
      threads.add(thread);
      sample.add(thread);
    }
    for (var thread : threads) {
      while (thread.getState() == Thread.State.RUNNABLE) Thread.sleep(1);
    }
  }

  @Test
  void waitersForOneSemaphoreAreAQueue() throws InterruptedException {
    var permits = new Semaphore(0);
    waiting(() -> permits::acquire);
    assertThat(sample.isQueue()).isTrue();
  }

  @Test
  void waitersForOneMonitorAreAQueue() throws InterruptedException {
    var monitor = new Object();
    synchronized (monitor) {
      waiting(() ->
          () -> {
            synchronized (monitor) {
              monitor.notifyAll();
            }
          });
      assertThat(sample.isQueue()).isTrue();
    }
  }

  @Test
  void sleepersAreNone() throws InterruptedException {
    waiting(() -> () -> Thread.sleep(60_000));
    assertThat(sample.isQueue()).isFalse();
  }

  @Test
  void whoWaitsEachForAnAnswerOfItsOwnIsNone() throws InterruptedException {
    waiting(() -> new CountDownLatch(1)::await);
    assertThat(sample.isQueue()).isFalse();
  }

  @Test
  void threadsThatHaveEndedDoNotCount() throws InterruptedException {
    var permits = new Semaphore(0);
    waiting(() -> permits::acquire);
    permits.release(100);
    for (var thread : threads) thread.join();
    assertThat(sample.isQueue()).isFalse();
  }
}
