package dev.weftline.benchmarks.peer;

import dev.weftline.benchmarks.work.Done;
import dev.weftline.benchmarks.work.Task;
import java.lang.management.ManagementFactory;
import java.util.concurrent.Semaphore;
import java.util.concurrent.atomic.LongAdder;

/// What the methods of a server do, whoever serves them: use the processor, wait for something
/// scarce, or wait for nothing.
final class Workshop {
  /// Like a pool of database connections: with 10 ms for each use it lets 3,200 through a second.
  private static final int PERMITS = 32;

  private static final Semaphore SCARCE = new Semaphore(PERMITS);
  private static final LongAdder SERVED = new LongAdder();

  /// Apart, so that only who burns pays for finding out.
  private static final class Pace {
    static final double TURNS_PER_MILLI = calibrate();
  }

  private Workshop() {}

  /// Finds out how fast this machine is; without, the first call does.
  static void prepare() {
    burn(Pace.TURNS_PER_MILLI);
  }

  static Done once(Task task) throws InterruptedException {
    work(task);
    return done(1);
  }

  static Done done(int number) {
    return Done.newBuilder().setNumber(number).build();
  }

  static void work(Task task) throws InterruptedException {
    SERVED.increment();
    if (task.getBurnMillis() > 0) {
      burn(task.getBurnMillis() * Pace.TURNS_PER_MILLI);
    }
    if (task.getHoldMillis() > 0) {
      SCARCE.acquire();
      try {
        Thread.sleep(task.getHoldMillis());
      } finally {
        SCARCE.release();
      }
    }
    if (task.getNapMillis() > 0) {
      Thread.sleep(task.getNapMillis());
    }
  }

  /// Tasks begun, so that one who starts a server sees when it takes part.
  static long served() {
    return SERVED.sum();
  }

  /// A number of turns and not a time: on a busy processor it must stay as much work.
  private static long burn(double turns) {
    long x = 88_172_645_463_325_252L;
    for (long i = (long) turns; i > 0; i--) {
      x ^= x << 13;
      x ^= x >>> 7;
      x ^= x << 17;
    }
    if (x == 0) {
      throw new IllegalStateException("xorshift never gets to 0");
    }
    return x;
  }

  private static double calibrate() {
    var threads = ManagementFactory.getThreadMXBean();
    double turns = 1_000_000;
    double best = 0;
    for (int i = 0; i < 40; i++) { // the first ones are compiled meanwhile
      long start = threads.getCurrentThreadCpuTime();
      burn(turns);
      best = Math.max(best, turns / ((threads.getCurrentThreadCpuTime() - start) / 1e6));
    }
    return best;
  }
}
