package dev.weftline.internal.admission;

import dev.weftline.internal.http.Fields;
import io.grpc.StatusRuntimeException;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.time.Duration;
import java.util.OptionalInt;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/// Which calls of one method are let in: a count of those under way, a limit that is set, found by
/// [AdaptiveLimit] or absent, and a short queue of those that wait for a place.
///
/// A call enters on its loop, or waits, or is turned away; whoever has entered leaves when its
/// handler has really ended, for one that ignores its interrupt still takes what it takes. A place
/// that comes free goes to who waits longest, by [Waiting#placeFree].
///
/// Hot: while no limit binds, a call costs one atomic addition when it enters, one when it leaves,
/// and one in some is measured. No locks: loops and call threads meet here.
public final class MethodAdmission {
  /// A call that stands in the queue.
  public interface Waiting {
    /// A place is yours, unless you do not want it any more: then [MethodAdmission#giveBack]. Any
    /// thread.
    void placeFree();
  }

  /// The queue evens out what comes in bursts; while the limit binds for longer, every call waits
  /// as long as the queue is, so it is short: a quarter of the calls under way.
  private static final int QUEUED_SHARE = 4;

  /// One completed call in `state`: what changes together is one word.
  private static final long COMPLETED = 1L << 32;

  /// A place that nobody left and a limit that nobody confirmed for so long bind no more: a window
  /// takes a tenth of a second, and calls that last may have taken all the places meanwhile.
  private static final long LIMIT_NANOS_MAX = TimeUnit.SECONDS.toNanos(5);

  /// How long the time that calls took tells what the next will take. Those that are turned away
  /// add nothing to it, so it must not tell for long.
  private static final long EXPECTED_NANOS_MAX = TimeUnit.SECONDS.toNanos(1);

  /// 2^64 over the golden ratio: neighbours come to lie far apart.
  private static final long SCATTER = 0x9e37_79b9_7f4a_7c15L;

  private static final VarHandle STATE;
  private static final VarHandle MEASURING;

  static {
    try {
      var lookup = MethodHandles.lookup();
      STATE = lookup.findVarHandle(MethodAdmission.class, "state", long.class);
      MEASURING = lookup.findVarHandle(MethodAdmission.class, "measuring", boolean.class);
    } catch (ReflectiveOperationException e) {
      throw new ExceptionInInitializerError(e);
    }
  }

  private final Admission server;
  private final String method;
  private final boolean adaptive;
  private final boolean measured;
  private final boolean expects;
  private final int fixedLimit;
  private final int priority;
  private final long queueWaitNanosMax;
  private final LongSupplier clock;
  private final Answers answers;

  private final Queue<Waiting> queue = new ConcurrentLinkedQueue<>();
  private final AtomicInteger queued = new AtomicInteger();

  @SuppressWarnings("unused") // by STATE
  private volatile long state; // calls under way, and from bit 32 on those that were completed

  private volatile int limit;

  // What was measured: written under MEASURING.
  private final AdaptiveLimit measure;
  private volatile boolean measuring;
  private volatile int stride; // of this many completed calls one is measured, less one
  private volatile long measuredNanos; // when a window ended last
  private volatile long usualNanos;
  private volatile long expectedNanos;
  private volatile long startWaitNanosMax = Long.MAX_VALUE;
  private volatile double perNano;
  private volatile boolean turnedAway; // or made wait, since the last window
  private volatile long turnedAwayNanos; // when that was; or when the limit was found

  private final FloodWatch floods = new FloodWatch(); // looks under MEASURING
  private volatile long calmNanosMax;
  private volatile int floodMin = AdaptiveLimit.NONE;

  MethodAdmission(
      Admission server,
      String method,
      boolean unary,
      AdmissionRules rules,
      int cores,
      LongSupplier clock) {
    this.server = server;
    this.method = method;
    this.fixedLimit = AdmissionRules.of(rules.limits(), method, AdaptiveLimit.NONE);
    this.adaptive = unary && rules.adaptive() && fixedLimit == AdaptiveLimit.NONE;
    this.expects = unary && rules.deadlines();
    this.measured = adaptive || expects;
    this.priority = AdmissionRules.of(rules.priorities(), method, 0);
    this.queueWaitNanosMax = rules.queueWaitNanos();
    this.clock = clock;
    this.limit = fixedLimit;
    this.measure = new AdaptiveLimit(cores, clock.getAsLong());
    this.answers = new Answers(method);
  }

  // ---- On the loop.

  /// Why a call that has just begun would be turned away as soon as it has all that it needs; null
  /// when it may be let in or may wait.
  ///
  /// @param nowNanos on the clock of `System.nanoTime()`
  /// @param nanosLeft until its deadline; negative without
  public @Nullable Refusal refusal(long nowNanos, long nanosLeft) {
    if (nanosLeft >= 0 && !canFinish(nowNanos, nanosLeft)) return Refusal.DEADLINE_TOO_SHORT;
    if (!isFull() || liftWhereCalm(nowNanos)) return null;
    return Refusal.CONCURRENCY_LIMIT;
  }

  /// Whether all places are taken, and those to wait at as well.
  private boolean isFull() {
    boolean taken = (int) state >= limit || server.isFull();
    return taken && queued.get() >= queueMax();
  }

  /// Whether a call may be done in what is left until its deadline, as far as is known: calls of
  /// late took this long at least, and some may wait before it.
  ///
  /// @param nowNanos on the clock of `System.nanoTime()`
  public boolean canFinish(long nowNanos, long nanosLeft) {
    if (!expects) return true;
    long expected = expectedNanos;
    if (expected == 0 || nowNanos - measuredNanos > EXPECTED_NANOS_MAX) return true;
    return expected + expectedWaitNanos() <= nanosLeft;
  }

  private long expectedWaitNanos() {
    int waiting = queued.get();
    double rate = perNano;
    return waiting == 0 || rate == 0 ? 0 : (long) (waiting / rate);
  }

  /// Takes a place. False when all are taken, or others wait for one.
  public boolean tryEnter() {
    if (limit == AdaptiveLimit.NONE && !server.isShared()) {
      STATE.getAndAdd(this, 1L);
      return true;
    }
    return queued.get() == 0 && take();
  }

  private boolean take() {
    if (!server.tryTake()) return false;
    long now;
    do {
      now = state;
      if ((int) now >= limit) {
        server.giveBack();
        return false;
      }
    } while (!STATE.compareAndSet(this, now, now + 1));
    return true;
  }

  /// Waits for a place, at the end of the queue. False when that is full.
  public boolean tryWait(Waiting call) {
    var _ = liftWhereCalm(clock.getAsLong());
    if (queued.incrementAndGet() > queueMax()) {
      queued.decrementAndGet();
      return false;
    }
    server.waitsFor(1);
    queue.add(call);
    letIn(); // a place may have come free before we stood here
    return true;
  }

  /// A call is about to be turned away or made wait: lifts the limit where there is no reason for
  /// that any more, and tells whether it did. The call is the first in a while, or nothing has
  /// confirmed for long that the limit is right, since whoever has the places keeps them.
  private boolean liftWhereCalm(long now) {
    turnedAway = true;
    long before = turnedAwayNanos;
    turnedAwayNanos = now;
    if (!adaptive || limit == AdaptiveLimit.NONE) return false;
    boolean calm = now - before > calmNanosMax;
    if (!calm && now - measuredNanos <= Math.max(LIMIT_NANOS_MAX, 4 * usualNanos)) return false;
    limit = AdaptiveLimit.NONE;
    startWaitNanosMax = Long.MAX_VALUE;
    return true;
  }

  /// How many may wait.
  private int queueMax() {
    int places = Math.min(limit, server.isShared() ? server.callsMax() : AdaptiveLimit.NONE);
    if (places == AdaptiveLimit.NONE) return places;
    if (fixedLimit == places) return places;
    // A limit that was found has room for one that waits already.
    return adaptive && places == limit ? places / QUEUED_SHARE : Math.max(1, places / QUEUED_SHARE);
  }

  /// How long one may wait: where the limit is measured, no longer than the work itself usually
  /// takes, since a client that waits longer is better off elsewhere.
  public long queueWaitNanosMax() {
    if (!adaptive || usualNanos == 0) return queueWaitNanosMax;
    return Math.min(queueWaitNanosMax, Math.max(usualNanos, AdaptiveLimit.SLACK_NANOS));
  }

  /// Stops waiting. False when a place was found for the call before, and
  /// [placeFree][Waiting#placeFree] is on its way.
  public boolean leaveQueue(Waiting call) {
    if (!queue.remove(call)) return false;
    queued.decrementAndGet();
    server.waitsFor(-1);
    return true;
  }

  // ---- On the call thread.

  /// The thread of a call that was let in begins to run. False when the call is turned away yet: it
  /// waited for too long, came before the limit was found, and stands before those that it lets in.
  ///
  /// @param placedNanos when the call had its place
  /// @param startedNanos now
  public boolean begin(Thread thread, long placedNanos, long startedNanos) {
    int underWay = (int) state;
    if (underWay >= floodMin && limit == AdaptiveLimit.NONE) look(thread, startedNanos, underWay);
    return startedNanos - placedNanos <= startWaitNanosMax || underWay <= limit;
  }

  private void look(Thread thread, long now, int underWay) {
    floods.add(thread);
    if (!floods.isDue(now) || measuring || !MEASURING.compareAndSet(this, false, true)) return;
    try {
      long completions = state >>> 32;
      long longNanos = 2 * (usualNanos + measure.toleratedNanos());
      if (!floods.isFlood(now, underWay, completions, longNanos)) return;
      limitTo(measure.flood(now, completions, floods.perNano()), now);
    } finally {
      measuring = false;
    }
  }

  /// A place that was not used comes free.
  public void giveBack() {
    STATE.getAndAdd(this, -1L);
    server.giveBack();
    letInNext();
  }

  /// The handler has ended.
  ///
  /// @param readyNanos when the call had its place
  /// @param startedNanos when its thread began to run
  /// @param endedNanos when the handler was done with it; 0 for now
  /// @param ran whether the handler ran at all
  /// @param completed whether it ran to its own end, and was not cancelled
  public void leave(
      long readyNanos, long startedNanos, long endedNanos, boolean ran, boolean completed) {
    long change = completed ? COMPLETED - 1 : -1L;
    long now = (long) STATE.getAndAdd(this, change) + change;
    server.giveBack();
    if (measured && isMeasured(now, startedNanos)) {
      long ended = endedNanos != 0 ? endedNanos : clock.getAsLong();
      measure(ended, readyNanos, startedNanos, ran, completed, now >>> 32);
    }
    letInNext();
  }

  /// One in some, by chance: calls that are all given up change neither half of the state.
  private boolean isMeasured(long stateNow, long startedNanos) {
    return ((stateNow ^ startedNanos) * SCATTER >>> 32 & stride) == 0;
  }

  private void letInNext() {
    if (server.isShared()) server.freed();
    else if (queued.get() > 0) letIn();
  }

  /// Gives places that are free to those that wait.
  void letIn() {
    while (!queue.isEmpty() && take()) {
      var next = queue.poll();
      if (next == null) { // it has gone; others may have found no place while we held this one
        STATE.getAndAdd(this, -1L);
        server.giveBack();
        continue;
      }
      queued.decrementAndGet();
      server.waitsFor(-1);
      next.placeFree();
    }
  }

  private void measure(
      long ended, long ready, long started, boolean ran, boolean completed, long completions) {
    // One at a time, and nobody waits for it: one call in some is enough.
    if (measuring || !MEASURING.compareAndSet(this, false, true)) return;
    try {
      long served = ended - started;
      measure.add(
          ended, started - ready, ran ? served : AdaptiveLimit.NOT_RUN, completed, underWay());
      if (!measure.isFull(ended)) return;
      boolean opened = limit == AdaptiveLimit.NONE;
      int found = measure.close(ended, completions, opened, turnedAway);
      turnedAway = false;
      stride = measure.stride();
      perNano = measure.perNano();
      limitTo(found, ended);
    } finally {
      measuring = false;
    }
    letInNext(); // the limit may have risen
  }

  /// Publishes what was found, under MEASURING.
  private void limitTo(int found, long now) {
    usualNanos = measure.usualNanos();
    expectedNanos = measure.expectedNanos();
    measuredNanos = now;
    if (!adaptive) return;
    boolean none = found == AdaptiveLimit.NONE;
    if (limit == AdaptiveLimit.NONE) turnedAwayNanos = now;
    limit = found;
    calmNanosMax = measure.calmNanosMax();
    startWaitNanosMax = none ? Long.MAX_VALUE : 2 * measure.toleratedNanos();
    floodMin = measure.floodMin(now);
  }

  // ---- What there is to see.

  /// The trailers of a call that is turned away, for its only field section.
  public Fields answer(Refusal why) {
    return answers.to(why, limitOf(why));
  }

  /// The same as a status that ends a call which has begun.
  public StatusRuntimeException failure(Refusal why) {
    return answers.failure(why, limitOf(why));
  }

  private long limitOf(Refusal why) {
    return switch (why) {
      case CONCURRENCY_LIMIT, QUEUE_WAIT -> limitShown();
      case DEADLINE_TOO_SHORT -> TimeUnit.NANOSECONDS.toMillis(expectedNanos);
      case BYTE_BUDGET -> server.budget().bytes();
    };
  }

  private long limitShown() {
    int own = limit;
    return server.isShared() ? Math.min(own, server.callsMax()) : own;
  }

  /// Its full name, such as `helloworld.Greeter/SayHello`.
  public String method() {
    return method;
  }

  int priority() {
    return priority;
  }

  /// Calls under way: those whose handler has not ended.
  public int underWay() {
    return (int) state;
  }

  /// Calls that wait for a place.
  public int queued() {
    return queued.get();
  }

  /// Calls that may be under way now; empty for any number.
  public OptionalInt limit() {
    int now = limit;
    return now == AdaptiveLimit.NONE ? OptionalInt.empty() : OptionalInt.of(now);
  }

  /// What a call takes when it waits for nobody; zero before that was measured.
  public Duration usual() {
    return Duration.ofNanos(usualNanos);
  }

  @Override
  public String toString() {
    return method + " " + underWay() + " under way, limit " + limit();
  }
}
