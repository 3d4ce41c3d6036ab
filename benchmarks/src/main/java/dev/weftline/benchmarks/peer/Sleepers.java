package dev.weftline.benchmarks.peer;

import dev.weftline.benchmarks.hello.Nap;
import java.util.concurrent.atomic.AtomicInteger;

/// Calls that sleep, counted by the server: what tells that they all do so at once.
final class Sleepers {
  private static final AtomicInteger ASLEEP = new AtomicInteger();

  private Sleepers() {}

  static void sleep(Nap nap) throws InterruptedException {
    ASLEEP.incrementAndGet();
    try {
      Thread.sleep(nap.getMillis());
    } finally {
      ASLEEP.decrementAndGet();
    }
  }

  static int count() {
    return ASLEEP.get();
  }
}
