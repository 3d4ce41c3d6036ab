package dev.weftline.internal.thread;

import dev.weftline.Placement;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.LongSupplier;

/// Where the call threads of one method run: on their event loops, or on the JDK's scheduler, which
/// all share. One for each method of a server.
///
/// An adaptive method starts on the loops. A stall, which [StallWatch] finds, moves it to the
/// shared scheduler; enough short runs there, and some time, bring it back:
///
/// ```
///            stalled                                    held, GOOD_RUNS short ones in a row
///   loops ─────────────▶ shared, for the back-off ─────────────────────────────────────────▶ loops
///                            1 s, doubled by every relapse
/// ```
///
/// A run is what a thread does between two waits. The first call of a method often stalls because
/// the JVM loads and interprets its code: that costs one short back-off, in which the method warms
/// up where it is in nobody's way.
///
/// Hot: any thread asks, for every run.
public final class MethodPlacement {
  /// Short runs in a row until a method may return. Enough to meet what one call in some tens does;
  /// few enough that a busy machine, which makes a run look long now and then by not scheduling it,
  /// lets them happen. Rarer long runs are left to the back-off.
  static final int GOOD_RUNS = 100;

  /// The first back-off. A cold method is warm after it, and a stall of some milliseconds each
  /// second would be noticed, so the next one is longer.
  static final long BACK_OFF_NANOS_MIN = TimeUnit.SECONDS.toNanos(1);

  /// The longest. A loop that stands still for a moment every five minutes is lost in the noise of
  /// any machine, and a method whose input has changed for the better need not wait for a restart.
  static final long BACK_OFF_NANOS_MAX = TimeUnit.MINUTES.toNanos(5);

  /// So long on the loops, and the next stall is a first one: twice the longest back-off, so that
  /// one who relapses as soon as he may is never forgiven.
  static final long FORGIVEN_NANOS = 2 * BACK_OFF_NANOS_MAX;

  /// Between two reports of a method that goes to and fro, as it may in the first seconds.
  static final long REPORT_NANOS_MIN = TimeUnit.MINUTES.toNanos(1);

  private static final VarHandle LONGEST;

  static {
    try {
      LONGEST =
          MethodHandles.lookup().findVarHandle(MethodPlacement.class, "longestNanos", long.class);
    } catch (ReflectiveOperationException e) {
      throw new ExceptionInInitializerError(e);
    }
  }

  private final String method;
  private final Placement placement;
  private final boolean carried;
  private final long budgetNanos;
  private final LongSupplier clock;

  private volatile boolean onLoop;
  private volatile long longestNanos;
  private final LongAdder callsOnLoop = new LongAdder();
  private final LongAdder callsShared = new LongAdder();
  private final AtomicInteger goodRuns = new AtomicInteger(); // in a row, since the last move

  // Guarded by this.
  private long stalls;
  private long moves;
  private long movedNanos; // since the first move
  private long backOffNanos;
  private boolean reported;
  private long reportedNanos;

  /// @param method its full name, such as `helloworld.Greeter/SayHello`
  /// @param loopsCarry whether call threads can run on event loops at all; without, all is shared
  /// @param budgetNanos what a run may take on a loop
  /// @param clock `System::nanoTime`
  MethodPlacement(
      String method,
      Placement placement,
      boolean loopsCarry,
      long budgetNanos,
      LongSupplier clock) {
    this.method = method;
    this.placement = placement;
    this.carried = loopsCarry && placement != Placement.SHARED;
    this.budgetNanos = budgetNanos;
    this.clock = clock;
    this.onLoop = carried;
  }

  /// Whether a call thread that becomes runnable now belongs on its loop; on the JDK's scheduler
  /// otherwise.
  public boolean onLoop() {
    return onLoop;
  }

  /// Whether its calls may ever run on a loop. Those of other methods need nothing that follows
  /// them.
  public boolean isCarried() {
    return carried;
  }

  // ---- What happens to its calls.

  /// A call begins to run on its loop.
  public void startedOnLoop() {
    callsOnLoop.increment();
  }

  /// A call begins to run on the JDK's scheduler.
  public void startedShared() {
    callsShared.increment();
  }

  /// A call thread ran on the JDK's scheduler for so long, until it ended or waited.
  void held(long nanos) {
    lasted(nanos);
    if (onLoop || !carried) return;
    if (nanos >= budgetNanos) {
      goodRuns.set(0);
    } else if (goodRuns.get() >= GOOD_RUNS || goodRuns.incrementAndGet() >= GOOD_RUNS) {
      comeBack();
    }
  }

  /// A call ended before its method ran, since it was given up or turned away. That was short, and
  /// says nothing of the method, but that it has more calls than it can do.
  public void notRun() {
    if (!onLoop && carried) goodRuns.set(0);
  }

  private synchronized void comeBack() {
    long now = clock.getAsLong();
    if (onLoop || goodRuns.get() < GOOD_RUNS || now - movedNanos < backOffNanos) return;
    movedNanos = now;
    moves++;
    onLoop = true;
  }

  /// A run on a loop has taken more than the budget, and goes on. True when that moves the method.
  synchronized boolean stalled(long nanos) {
    stalls++;
    lasted(nanos);
    if (!onLoop || placement != Placement.ADAPTIVE) return false;
    long now = clock.getAsLong();
    boolean relapse = moves > 0 && now - movedNanos < FORGIVEN_NANOS;
    backOffNanos = relapse ? Math.min(2 * backOffNanos, BACK_OFF_NANOS_MAX) : BACK_OFF_NANOS_MIN;
    goodRuns.set(0);
    movedNanos = now;
    moves++;
    onLoop = false;
    return true;
  }

  /// A run has taken so long, and may go on.
  void lasted(long nanos) {
    long longest = longestNanos;
    while (nanos > longest && !LONGEST.compareAndSet(this, longest, nanos)) longest = longestNanos;
  }

  /// Whether the stall of now is to be told: of a fixed method once, since its owner chose; of
  /// others each time they move, but not twice a minute. Asking means telling.
  synchronized boolean tellsOf(boolean moved) {
    if (placement == Placement.ADAPTIVE && !moved) return false;
    long now = clock.getAsLong();
    if (reported && (!moved || now - reportedNanos < REPORT_NANOS_MIN)) return false;
    reported = true;
    reportedNanos = now;
    return true;
  }

  // ---- What there is to see.

  /// Its full name, such as `helloworld.Greeter/SayHello`.
  public String method() {
    return method;
  }

  /// What was asked for.
  public Placement placement() {
    return placement;
  }

  /// Calls that began to run on a loop.
  public long callsOnLoop() {
    return callsOnLoop.sum();
  }

  /// Calls that began to run on the JDK's scheduler.
  public long callsShared() {
    return callsShared.sum();
  }

  /// Runs that held a loop for too long.
  public synchronized long stalls() {
    return stalls;
  }

  /// How often it was moved, there or back.
  synchronized long moves() {
    return moves;
  }

  /// How long it must stay away from the loops, at least, once it has moved; 0 before.
  synchronized long backOffNanos() {
    return backOffNanos;
  }

  /// The longest run seen; those on a loop are seen only when they stall it.
  public long longestNanos() {
    return longestNanos;
  }

  @Override
  public String toString() {
    return method + " " + placement + (onLoop ? ", on its loops" : ", shared");
  }
}
