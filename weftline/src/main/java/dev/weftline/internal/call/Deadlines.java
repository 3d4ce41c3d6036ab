package dev.weftline.internal.call;

import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/// One timer wheel per loop. The calls themselves are its nodes: a deadline costs no allocation,
/// and setting or dropping one costs two pointer writes.
///
/// A deadline fires at the first tick after it, never before it, so at most one tick late. The
/// wheel turns only while it holds something.
///
/// Hot: confined to its loop.
final class Deadlines {
  /// A node of the wheel.
  abstract static class Entry {
    /// When this entry expires, on the clock of `System.nanoTime()`; 0 when it never does.
    final long deadlineNanos;

    @Nullable Entry next; // null when not in the wheel
    @Nullable Entry previous;

    Entry(long deadlineNanos) {
      this.deadlineNanos = deadlineNanos;
    }

    /// The deadline passed; the entry has left the wheel.
    abstract void expired();
  }

  /// 8.4 ms: clients round to milliseconds, networks are slower, and a tick costs about a
  /// microsecond.
  private static final int TICK_NANOS_LOG2 = 23;

  private static final long TICK_NANOS = 1L << TICK_NANOS_LOG2;

  /// One turn is 4.3 s. A longer deadline is looked at once per turn.
  private static final int BUCKETS = 512;

  /// What a surge let in expires together: after so long the loop looks at its sockets again. The
  /// clock is looked at once for so many.
  private static final long FIRING_NANOS_MAX = TimeUnit.MILLISECONDS.toNanos(2);

  private static final int FIRED_BETWEEN_LOOKS = 16;

  private static final class Bucket extends Entry {
    Bucket() {
      super(0);
      next = this;
      previous = this;
    }

    @Override
    void expired() {
      throw new IllegalStateException("a bucket does not expire");
    }
  }

  private final ScheduledExecutorService loop;
  private final Runnable tick = this::tick;
  private final Bucket[] buckets = new Bucket[BUCKETS];
  private final long startNanos = System.nanoTime();
  private long ticksDone;
  private int size;
  private int fired; // in this tick
  private boolean turning;

  Deadlines(ScheduledExecutorService loop) {
    this.loop = loop;
    for (int i = 0; i < BUCKETS; i++) buckets[i] = new Bucket();
  }

  /// Expires `entry` at its `deadlineNanos`. An entry is in the wheel once at most.
  void add(Entry entry) {
    assert entry.next == null : "twice in the wheel";
    if (!turning) {
      // Nothing was due while the wheel stood still.
      ticksDone = ticksUntil(System.nanoTime());
      turning = true;
      turn();
    }
    long due = Math.max(ticksUntil(entry.deadlineNanos), ticksDone) + 1;
    var bucket = buckets[(int) (due & (BUCKETS - 1))];
    var last = bucket.previous;
    if (last == null) throw new IllegalStateException("a bucket is a ring");
    entry.next = bucket;
    entry.previous = last;
    last.next = entry;
    bucket.previous = entry;
    size++;
  }

  /// Forgets `entry`, if it is in the wheel.
  void remove(Entry entry) {
    var next = entry.next;
    var previous = entry.previous;
    if (next == null || previous == null) return;
    previous.next = next;
    next.previous = previous;
    entry.next = null;
    entry.previous = null;
    size--;
  }

  private void turn() {
    var _ = loop.schedule(tick, TICK_NANOS, TimeUnit.NANOSECONDS);
  }

  private void tick() {
    long nowNanos = System.nanoTime();
    long target = ticksUntil(nowNanos);
    // A loop that stood still for more than a turn looks at each bucket once.
    long first = Math.max(ticksDone + 1, target - BUCKETS + 1);
    fired = 0;
    for (long i = first; i <= target; i++) {
      if (expire(buckets[(int) (i & (BUCKETS - 1))], nowNanos)) continue;
      ticksDone = i - 1;
      var _ = loop.schedule(tick, 0, TimeUnit.NANOSECONDS);
      return;
    }
    ticksDone = target;
    turning = size > 0;
    if (turning) turn();
  }

  /// Fires what is due in this bucket. False when some of it is left for the next tick.
  private boolean expire(Bucket bucket, long nowNanos) {
    var entry = bucket.next;
    while (entry != null && entry != bucket) {
      var next = entry.next;
      if (entry.deadlineNanos - nowNanos <= 0) {
        remove(entry);
        entry.expired();
        fired++;
        if (fired % FIRED_BETWEEN_LOOKS == 0 && System.nanoTime() - nowNanos > FIRING_NANOS_MAX) {
          return false;
        }
      }
      entry = next;
    }
    return true;
  }

  /// Differences of `nanoTime` only, which may overflow by design.
  private long ticksUntil(long nanos) {
    return (nanos - startNanos) >> TICK_NANOS_LOG2;
  }
}
