package dev.weftline.internal.thread;

import io.netty.util.concurrent.EventExecutor;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/// One event loop as the carrier of call threads: runs those that can run, one after the other, in
/// a task of the loop, until each ends or waits.
///
/// Whoever makes a call thread runnable pushes it onto a stack; the loop takes the stack whole and
/// turns it around, so that each runs in its turn:
///
/// ```
///   any thread ─push─▶ pushed ─takePushed─▶ taken ─poll─▶ running        the loop
///                        └────────steal────────┴─────────▶ JDK's scheduler    a watchdog
/// ```
///
/// A loop can be stuck for good: in a lock that one of its own call threads holds, which waits here
/// for its turn; or because a thread that cannot unmount waits for a sibling. So both lists can be
/// stolen at any time, and what was stolen runs on the JDK's scheduler, where any call thread can.
/// Only the loop puts something into `taken`, and only while that is empty: a thread that was
/// stolen and comes back while the loop is about to take it cannot be taken for itself.
///
/// Hot: one push and one run for each time that a call starts or goes on.
public final class LoopCarrier implements StallWatch.Loop {
  /// So many runs, then the loop looks at its sockets again. A run is some microseconds, so that is
  /// about a millisecond; fewer would split what one read brought, and its replies, into several
  /// turns with a flush for each connection.
  static final int RUNS_MAX = 256;

  /// A run that is not compiled yet takes a hundred times as long, so a drain also ends after so
  /// much time. The clock is read once for so many runs: a few, since those of a method that has
  /// come back from the JDK's scheduler too early may take 10 ms each.
  private static final long DRAIN_NANOS_MAX = TimeUnit.MILLISECONDS.toNanos(2);

  private static final int RUNS_BETWEEN_LOOKS = 4;

  private static final Logger log = System.getLogger(LoopCarrier.class.getName());

  private static final VarHandle PUSHED;
  private static final VarHandle TAKEN;
  private static final VarHandle SCHEDULED;
  private static final VarHandle RUNNING;
  private static final VarHandle RUNS;

  static {
    try {
      var lookup = MethodHandles.lookup();
      PUSHED = lookup.findVarHandle(LoopCarrier.class, "pushed", CallThread.class);
      TAKEN = lookup.findVarHandle(LoopCarrier.class, "taken", CallThread.class);
      SCHEDULED = lookup.findVarHandle(LoopCarrier.class, "scheduled", boolean.class);
      RUNNING = lookup.findVarHandle(LoopCarrier.class, "running", CallThread.class);
      RUNS = lookup.findVarHandle(LoopCarrier.class, "runs", long.class);
    } catch (ReflectiveOperationException e) {
      throw new ExceptionInInitializerError(e);
    }
  }

  private final EventExecutor loop;
  private final Thread thread;
  private final KernelThread kernelThread;
  private final @Nullable StallWatch watch;
  private final Runnable drain = this::drain;

  private volatile @Nullable CallThread pushed; // newest first
  private volatile @Nullable CallThread taken; // oldest first
  private volatile boolean scheduled; // a drain is to come, or at work

  // The loop writes, without a fence; a watchdog reads.
  private volatile @Nullable CallThread running;
  private volatile long runs;

  /// On the loop that is to carry. Only where threads are
  /// [schedulable][VirtualThreads#areSchedulable()].
  ///
  /// @param watch looks at this carrier from now on; null for nobody
  public LoopCarrier(EventExecutor loop, @Nullable StallWatch watch) {
    if (!loop.inEventLoop()) throw new IllegalStateException("off the loop: " + loop);
    this.loop = loop;
    this.thread = Thread.currentThread();
    this.kernelThread = KernelThread.current();
    this.watch = watch;
    // A loop that ends forgets what was to run later, and call threads may outlive it.
    loop.terminationFuture().addListener(_ -> ended());
    if (watch != null) watch.add(this);
  }

  /// Loop: starts a call thread, which runs `call` when the loop has read what its sockets have.
  public void start(Runnable call, MethodPlacement placement) {
    new CallThread(this, placement, call).start();
  }

  /// Any thread: queues a call thread that is in no list.
  void push(CallThread runnable) {
    CallThread below;
    do {
      below = pushed;
      runnable.next(below);
    } while (!PUSHED.compareAndSet(this, below, runnable));
    if (below == null) schedule();
  }

  /// While a drain is at work it will see what was pushed. Otherwise the loop must be told, which
  /// wakes it where it sleeps.
  private void schedule() {
    if (scheduled || !SCHEDULED.compareAndSet(this, false, true)) return;
    if (watch != null) watch.wake();
    try {
      loop.execute(drain);
    } catch (RejectedExecutionException e) {
      log.log(Level.DEBUG, "resumed after its loop has ended", e);
      ended();
    }
  }

  private void drain() {
    long end = System.nanoTime() + DRAIN_NANOS_MAX;
    for (int left = RUNS_MAX; left > 0; left--) {
      if (left % RUNS_BETWEEN_LOOKS == 0 && System.nanoTime() - end > 0) break;
      var next = poll();
      if (next == null) {
        scheduled = false;
        // What was pushed before that was left to us.
        if (pushed == null || !SCHEDULED.compareAndSet(this, false, true)) return;
        next = poll();
        if (next == null) continue; // stolen
      }
      run(next);
    }
    // A task that is executed would run before the sockets are looked at; a timer runs after.
    loop.schedule(drain, 0, TimeUnit.NANOSECONDS);
  }

  private @Nullable CallThread poll() {
    for (; ; ) {
      var first = taken;
      if (first == null) {
        first = takePushed();
        if (first == null) return null;
      }
      if (TAKEN.compareAndSet(this, first, first.next())) return first;
    }
  }

  /// The oldest of what was pushed, now the first of `taken`.
  private @Nullable CallThread takePushed() {
    if (pushed == null) return null;
    var newest = (CallThread) PUSHED.getAndSet(this, null);
    CallThread oldest = null;
    while (newest != null) {
      var older = newest.next();
      newest.next(oldest);
      oldest = newest;
      newest = older;
    }
    TAKEN.setRelease(this, oldest);
    return oldest;
  }

  private void run(CallThread next) {
    RUNS.setOpaque(this, runs + 1);
    RUNNING.setRelease(this, next);
    try {
      next.resume();
    } catch (Throwable e) { // the JVM's own trouble: what a call throws ends in its thread
      log.log(Level.ERROR, "a call thread could not be run", e);
    } finally {
      RUNNING.setRelease(this, null);
    }
  }

  private void ended() {
    // From here on each push that finds nothing tries to schedule, and comes here again.
    scheduled = false;
    steal();
  }

  /// Any thread: moves everything that waits for this loop to the JDK's scheduler. What the loop
  /// runs just now stays. Returns how many were moved.
  @Override
  public int steal() {
    return forward((CallThread) TAKEN.getAndSet(this, null))
        + forward((CallThread) PUSHED.getAndSet(this, null));
  }

  private static int forward(@Nullable CallThread first) {
    int moved = 0;
    for (var each = first; each != null; moved++) {
      var following = each.next();
      each.toPool();
      each = following;
    }
    return moved;
  }

  /// What the loop runs just now; null for none. Any thread.
  @Override
  public @Nullable CallThread running() {
    return running;
  }

  /// How many runs the loop has begun, ever. Any thread.
  @Override
  public long runs() {
    return runs;
  }

  @Override
  public boolean isWaitedFor() {
    return taken != null || pushed != null;
  }

  @Override
  public KernelThread kernelThread() {
    return kernelThread;
  }

  /// The loop's own thread.
  public Thread thread() {
    return thread;
  }
}
