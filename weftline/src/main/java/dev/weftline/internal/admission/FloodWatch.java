package dev.weftline.internal.admission;

import java.util.concurrent.TimeUnit;

/// Whether the many calls of a method that are under way are a flood: more than twice as many come
/// as end, they wait for one another, and at the pace of late the last of them would take far
/// longer than calls do. Asked every 10 ms at most; it takes two looks.
///
/// `add` from any thread, all else from one at a time.
final class FloodWatch {
  private static final long LOOK_NANOS_MIN = TimeUnit.MILLISECONDS.toNanos(10);

  /// A look that is so long ago was at another crowd.
  private static final long LOOK_NANOS_MAX = TimeUnit.MILLISECONDS.toNanos(100);

  private static final int FLOODED_MIN = 2;

  private final WaitSample waits = new WaitSample();
  private volatile long lookedNanos;
  private long completions;
  private int underWay;
  private double perNano;
  private int flooded; // looks in a row

  /// A call's thread begins to run.
  void add(Thread thread) {
    waits.add(thread);
  }

  boolean isDue(long now) {
    return now - lookedNanos >= LOOK_NANOS_MIN;
  }

  /// @param underWayNow calls
  /// @param completionsNow ever, modulo 2^32
  /// @param longNanos more than calls take
  boolean isFlood(long now, int underWayNow, long completionsNow, long longNanos) {
    long elapsed = now - lookedNanos;
    long completed = completionsNow - completions & 0xffff_ffffL;
    boolean rises = underWayNow - underWay > completed;
    perNano = (double) Math.max(1, completed) / elapsed;
    lookedNanos = now;
    completions = completionsNow;
    underWay = underWayNow;
    boolean slow = underWayNow / perNano > longNanos;
    flooded = elapsed < LOOK_NANOS_MAX && rises && slow && waits.isQueue() ? flooded + 1 : 0;
    if (flooded < FLOODED_MIN) return false;
    flooded = 0;
    return true;
  }

  /// Calls completed per nanosecond, between the last two looks.
  double perNano() {
    return perNano;
  }
}
