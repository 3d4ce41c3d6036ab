package dev.weftline.internal.admission;

import java.lang.ref.WeakReference;
import java.util.IdentityHashMap;
import java.util.concurrent.atomic.AtomicReferenceArray;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/// Threads of calls that began of late, and what they wait for. Ten thousand that wait for the time
/// to pass, or each for an answer of its own, do not wait for one another; a queue does: at a
/// semaphore, a lock, a pool of connections, which the JDK tells as the blocker of a parked thread.
///
/// Any thread.
final class WaitSample {
  /// Enough for a share, and looked through in microseconds.
  private static final int SIZE = 64;

  /// Fewer tell nothing.
  private static final int KNOWN_MIN = 16;

  /// The others are on their way to the queue, or have what they waited for.
  private static final double QUEUE_SHARE = 0.75;

  /// What threads that wait for a monitor wait for: the JDK tells nobody which.
  private static final Object MONITOR = new Object();

  private final AtomicReferenceArray<@Nullable WeakReference<Thread>> threads =
      new AtomicReferenceArray<>(SIZE);
  private int next; // a race costs an entry

  void add(Thread thread) {
    threads.setRelease(next++ & SIZE - 1, new WeakReference<>(thread));
  }

  /// Whether most of them wait for one and the same thing.
  boolean isQueue() {
    var waiters = new IdentityHashMap<Object, Integer>();
    int known = 0;
    int most = 0;
    for (int i = 0; i < SIZE; i++) {
      var reference = threads.getAcquire(i);
      var thread = reference == null ? null : reference.get();
      if (thread == null) continue;
      var state = thread.getState();
      if (state == Thread.State.TERMINATED) continue;
      known++;
      var blocker = state == Thread.State.BLOCKED ? MONITOR : LockSupport.getBlocker(thread);
      if (blocker != null) most = Math.max(most, waiters.merge(blocker, 1, Integer::sum));
    }
    return known >= KNOWN_MIN && most >= QUEUE_SHARE * known;
  }
}
