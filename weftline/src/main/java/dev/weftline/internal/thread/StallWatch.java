package dev.weftline.internal.thread;

import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.time.Duration;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Consumer;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/// Looks at event loops from a thread of its own, for call threads that hold one for too long: says
/// so, moves the method, and frees what waits behind it.
///
/// The loops read no clock for that. They publish what they run and count the runs; two looks that
/// find the same run have found one that lasted from the first look to the second. Looks are
/// patrols, far apart, until one finds a run under way; a second look follows after the budget. So
/// a run of a patrol and a budget is found for certain, a shorter one that comes again and again is
/// found after some times, and one within the budget never.
///
/// That a run lasted is not enough, since the machine can make any run last. The loop's thread must
/// have computed for half of the time, or be found waiting by two looks. A look that comes late
/// itself (a collection of garbage, a busy machine) proves nothing about time; CPU time that was
/// used it still believes.
///
/// Any thread may call. Whoever makes one closes it.
public final class StallWatch implements AutoCloseable {
  /// An event loop that carries call threads. Any thread may ask.
  interface Loop {
    /// How many runs have begun, ever.
    long runs();

    /// What runs now; null for none.
    @Nullable Carried running();

    /// Whether call threads wait for their turn.
    boolean isWaitedFor();

    KernelThread kernelThread();

    /// Moves what waits to the JDK's scheduler. Returns how many.
    int steal();
  }

  /// A call thread while it runs.
  interface Carried {
    MethodPlacement placement();

    /// Null when it has just ended.
    @Nullable Thread thread();
  }

  /// Within it a stall is noise, and above it a neighbour's call takes twice as long as a network
  /// of the same data centre makes it take anyway.
  public static final Duration BUDGET = Duration.ofMillis(2);

  /// Below, the kernel's own time slices would be reported; above, this is no watch any more.
  public static final Duration BUDGET_MIN = Duration.ofMillis(1);

  public static final Duration BUDGET_MAX = Duration.ofMinutes(1);

  /// A look costs the machine some 5 to 20 µs, nearly all for the sleep before it. With this a loop
  /// that is never idle is looked at 100 to 200 times a second, for 0.1 to 0.4 % of a core; one
  /// look a millisecond would cost 2 %.
  private static final long PATROL_NANOS_MIN = TimeUnit.MILLISECONDS.toNanos(10);

  /// So many budgets between patrols, where the budget is large.
  private static final int PATROL_BUDGETS = 5;

  /// After so long without a run the watch sleeps. Waking it costs a loop some microseconds, which
  /// it is asked for once a second at most.
  private static final long LINGER_NANOS = TimeUnit.SECONDS.toNanos(1);

  /// Where the kernel does not tell whether a thread waits: what it was not given in so many
  /// budgets it does not want.
  private static final int BLIND_BUDGETS = 5;

  private static final long FOR_GOOD = Long.MAX_VALUE;

  private static final Logger log = System.getLogger(StallWatch.class.getName());

  private final long budgetNanos;
  private final long patrolNanos;
  private final LongSupplier clock;
  private final Consumer<Stall> reports;
  private final List<Watched> loops = new CopyOnWriteArrayList<>();

  private volatile boolean asleep;
  private volatile boolean closed;
  private volatile @Nullable Thread thread; // from the first loop on

  // The watch's own.
  private long dueNanos; // when this look was to be
  private long idleNanos; // since when nothing ran

  /// @param budget what a run may take; from [#BUDGET_MIN] to [#BUDGET_MAX]
  public StallWatch(Duration budget) {
    this(budget, System::nanoTime, StallWatch::log);
  }

  StallWatch(Duration budget, LongSupplier clock, Consumer<Stall> reports) {
    this.budgetNanos = require(budget).toNanos();
    this.patrolNanos = Math.max(PATROL_NANOS_MIN, PATROL_BUDGETS * budgetNanos);
    this.clock = clock;
    this.reports = reports;
    this.dueNanos = clock.getAsLong();
    this.idleNanos = dueNanos;
  }

  /// The same budget, when it is one.
  ///
  /// @throws IllegalArgumentException with the bounds, otherwise
  public static Duration require(Duration budget) {
    if (budget.compareTo(BUDGET_MIN) < 0 || budget.compareTo(BUDGET_MAX) > 0) {
      throw new IllegalArgumentException(
          "a stall budget is from 1 ms to 1 min, not " + budget.toString().substring(2));
    }
    return budget;
  }

  /// Looks at this loop as well, from now on. The first one starts the thread.
  synchronized void add(Loop loop) {
    watch(loop);
    if (closed) return;
    if (thread == null) {
      thread = Thread.ofPlatform().name("weftline-stall-watch").daemon().start(this::run);
    } else {
      wake();
    }
  }

  /// As above, without a thread.
  void watch(Loop loop) {
    loops.add(new Watched(loop));
  }

  /// A loop has something to run, after it had nothing. Hot: one volatile read.
  void wake() {
    if (!asleep) return;
    asleep = false;
    LockSupport.unpark(thread);
  }

  @Override
  public void close() {
    closed = true;
    LockSupport.unpark(thread);
  }

  private void run() {
    while (!closed) {
      long pause = PATROL_NANOS_MIN;
      try {
        pause = look();
      } catch (RuntimeException e) { // the logger's, if anybody's
        log.log(Level.ERROR, "the stall watch goes on after", e);
      }
      if (pause == FOR_GOOD) sleep();
      else LockSupport.parkNanos(this, pause);
    }
  }

  private void sleep() {
    asleep = true;
    // A loop that did not see that yet has begun something that we did not see yet. No store takes
    // so long to arrive, so one of us sees the other.
    LockSupport.parkNanos(this, patrolNanos);
    while (asleep && !closed && isIdle()) LockSupport.park(this);
    asleep = false;
    dueNanos = clock.getAsLong();
    idleNanos = dueNanos;
  }

  private boolean isIdle() {
    for (var watched : loops) {
      if (watched.isBusy()) return false;
    }
    return true;
  }

  /// One look at every loop. Returns how long to pause until the next.
  long look() {
    long now = clock.getAsLong();
    boolean late = now - dueNanos > budgetNanos;
    long pause = patrolNanos;
    boolean busy = false;
    for (var watched : loops) {
      busy |= watched.isBusy();
      pause = Math.min(pause, watched.look(now, late));
    }
    if (busy) idleNanos = now;
    else if (now - idleNanos >= LINGER_NANOS) return FOR_GOOD;
    // What came of this look has taken its time too.
    dueNanos = clock.getAsLong() + pause;
    return pause;
  }

  boolean isAsleep() {
    return asleep;
  }

  /// Whether it is time to sleep until a loop wakes us; for tests.
  static boolean isForGood(long pause) {
    return pause == FOR_GOOD;
  }

  private static void log(Stall stall) {
    var level = stall.activity() == Stall.Activity.LOADS ? Level.DEBUG : Level.WARNING;
    if (log.isLoggable(level)) log.log(level, stall.report());
  }

  /// One loop, and what was last seen there. The watch's own.
  private final class Watched {
    private final Loop loop;
    private long runs = -1;
    private @Nullable Carried running;
    private long sinceNanos; // this run, or this wait for a run, has lasted since then, at least
    private long sinceCpuNanos;
    private boolean waitedFor;
    private boolean waited; // this run was found waiting once
    private boolean stalled;

    Watched(Loop loop) {
      this.loop = loop;
    }

    boolean isBusy() {
      return loop.runs() != runs || loop.running() != null || loop.isWaitedFor();
    }

    /// Returns when to look again.
    long look(long now, boolean late) {
      long runsNow = loop.runs();
      var runningNow = loop.running();
      if (runsNow != runs || !Objects.equals(runningNow, running)) {
        runs = runsNow;
        running = runningNow;
        stalled = false;
        return begin(now);
      }
      if (runningNow == null) {
        lookAtQueue(now, late);
        return patrolNanos;
      }
      if (stalled) {
        runningNow.placement().lasted(now - sinceNanos);
        loop.steal(); // what came since
        return patrolNanos;
      }
      return suspect(runningNow, now, late);
    }

    private long begin(long now) {
      sinceNanos = now;
      waited = false;
      waitedFor = loop.isWaitedFor();
      if (running == null) return patrolNanos;
      sinceCpuNanos = loop.kernelThread().cpuNanos();
      return budgetNanos;
    }

    /// The loop runs no call thread, though some wait. It may be in a lock that one of them holds.
    private void lookAtQueue(long now, boolean late) {
      boolean waitedForNow = loop.isWaitedFor();
      if (waitedForNow && waitedFor && !late) {
        if (now - sinceNanos < patrolNanos) return;
        if (loop.kernelThread().state() == KernelThread.State.RUNNABLE) {
          sinceNanos = now; // busy with its sockets, or without a core
          return;
        }
        int stolen = loop.steal();
        log.log(Level.DEBUG, "{0} call threads waited for a loop that stands still", stolen);
      }
      waitedFor = waitedForNow;
      sinceNanos = now;
    }

    private long suspect(Carried suspect, long now, boolean late) {
      long held = now - sinceNanos;
      if (held < budgetNanos) return budgetNanos - held;
      long cpuNow = loop.kernelThread().cpuNanos();
      long cpu = cpuNow - sinceCpuNanos;
      if (cpu >= (late ? budgetNanos : Math.min(budgetNanos, held / 2))) {
        return convict(suspect, Stall.Activity.COMPUTES, held);
      }
      if (late) return begin(now);
      var state = loop.kernelThread().state();
      if (state == KernelThread.State.RUNNABLE && cpuNow < 0) state = KernelThread.State.UNKNOWN;
      return switch (state) {
        case WAITING -> {
          // Twice, because a thread that a collection of garbage has stopped waits for a moment
          // too.
          if (waited) yield convict(suspect, Stall.Activity.BLOCKS, held);
          waited = true;
          yield budgetNanos;
        }
        case RUNNABLE -> begin(now); // nobody gave it a core
        case UNKNOWN ->
            held >= BLIND_BUDGETS * budgetNanos
                ? convict(suspect, Stall.Activity.BLOCKS, held)
                : budgetNanos;
      };
    }

    private long convict(Carried culprit, Stall.Activity activity, long held) {
      // All that we know is of this run only if it still goes on.
      if (!goesOn(culprit)) return budgetNanos;
      stalled = true;
      var thread = culprit.thread();
      var placement = culprit.placement();
      boolean moved = placement.stalled(held);
      // Those of the same method have no business here any more. Others may wait until the next
      // look.
      if (moved) loop.steal();
      var trace = thread == null ? new StackTraceElement[0] : thread.getStackTrace();
      // On a busy core the trace takes milliseconds, and may be of what came then, or of nothing.
      // The next stall that is seen is the one to tell of.
      if (!goesOn(culprit)) return patrolNanos;
      if (Stall.loads(trace)) activity = Stall.Activity.LOADS;
      // Loading tells nothing about the method, so its real stalls are still to be reported.
      if (activity == Stall.Activity.LOADS ? moved : placement.tellsOf(moved)) {
        reports.accept(new Stall(placement, activity, held, Stall.framesOf(trace), moved));
      }
      return patrolNanos;
    }

    /// Whether it is still the run that we have seen.
    private boolean goesOn(Carried seen) {
      return loop.runs() == runs && seen.equals(loop.running());
    }
  }
}
