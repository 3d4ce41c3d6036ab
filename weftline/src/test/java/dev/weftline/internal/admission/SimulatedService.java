package dev.weftline.internal.admission;

import dev.weftline.internal.admission.MethodAdmission.Waiting;
import dev.weftline.internal.http.ByteBudget;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.PriorityQueue;
import java.util.Random;
import java.util.concurrent.Semaphore;
import java.util.function.LongUnaryOperator;
import org.jspecify.annotations.Nullable;

/// A method whose calls need one of some cores or permits for a while, and the calls that arrive at
/// it, simulated in virtual time: seconds of overload in milliseconds, the same each time.
final class SimulatedService {
  /// What calls wait for.
  enum Resource {
    /// Cores: a thread waits for one before it begins.
    CORES,
    /// A lock or a pool: threads begin at once and wait inside of the handler.
    PERMITS
  }

  /// What became of the calls that arrived within a time.
  record Outcome(int arrived, List<Long> inTimeNanos, int late, int refused) {
    double goodput(Duration time) {
      return inTimeNanos.size() / (time.toNanos() / 1e9);
    }

    Duration p99() {
      if (inTimeNanos.isEmpty()) return Duration.ZERO;
      return Duration.ofNanos(inTimeNanos.get(inTimeNanos.size() * 99 / 100));
    }

    @Override
    public String toString() {
      return "%d arrived, %d in time, p99 %.1f ms, %d late, %d refused"
          .formatted(arrived, inTimeNanos.size(), p99().toNanos() / 1e6, late, refused);
    }
  }

  private record Event(long nanos, long order, Runnable what) implements Comparable<Event> {
    @Override
    public int compareTo(Event other) {
      int byTime = Long.compare(nanos, other.nanos);
      return byTime != 0 ? byTime : Long.compare(order, other.order);
    }
  }

  /// A thread as those of calls that wait for a permit, for whoever looks at what they wait for.
  private static final Thread WAITER =
      Thread.startVirtualThread(() -> new Semaphore(0).acquireUninterruptibly());

  private final Random random = new Random(7);
  private final PriorityQueue<Event> events = new PriorityQueue<>();
  private final Resource resource;
  private final int servers;
  private final LongUnaryOperator workNanos; // of the call that arrived at this time
  private final long deadlineNanos;
  private final MethodAdmission admission;
  private final ArrayDeque<SimulatedCall> waitForResource = new ArrayDeque<>();
  private long now = 1;
  private long orders;
  private int busy;

  // Of the run under way.
  private int arrived;
  private int late;
  private int refused;
  private List<Long> inTime = new ArrayList<>();
  private long countedUntil;
  private long clientsUntil; // each call that ends is followed by another until then

  SimulatedService(
      AdmissionRules rules,
      Resource resource,
      int servers,
      LongUnaryOperator workNanos,
      Duration deadline) {
    this.resource = resource;
    this.servers = servers;
    this.workNanos = workNanos;
    this.deadlineNanos = deadline.toNanos();
    var whole =
        new Admission(
            rules, ByteBudget.UNLIMITED, resource == Resource.CORES ? servers : 2, () -> now);
    var found = whole.of("test.Service/Method", true);
    if (found == null) throw new AssertionError("exempt");
    this.admission = found;
  }

  MethodAdmission admission() {
    return admission;
  }

  /// Calls arrive at random, so many a second, for so long. Then the world stands still.
  Outcome run(double perSecond, Duration time) {
    arrived = 0;
    late = 0;
    refused = 0;
    inTime = new ArrayList<>();
    countedUntil = now + time.toNanos();
    if (perSecond > 0) arriveNext(perSecond, countedUntil);
    goOn(countedUntil);
    Collections.sort(inTime);
    return new Outcome(arrived, inTime, late, refused);
  }

  /// So many calls arrive at once; returns when all are over.
  Outcome burst(int calls) {
    arrived = 0;
    late = 0;
    refused = 0;
    inTime = new ArrayList<>();
    for (int i = 0; i < calls; i++) new SimulatedCall().arrive();
    goOn(Long.MAX_VALUE);
    Collections.sort(inTime);
    return new Outcome(arrived, inTime, late, refused);
  }

  /// So many clients call, each again as soon as it is answered or refused, for so long.
  Outcome runClients(int clients, Duration time) {
    clientsUntil = now + time.toNanos();
    for (int i = 0; i < clients; i++) {
      // Not all in the same instant: they connect one after the other.
      after(i * 10_000L, () -> new SimulatedCall().arrive());
    }
    var outcome = run(0, time);
    clientsUntil = 0;
    return outcome;
  }

  private void goOn(long until) {
    while (!events.isEmpty() && events.peek().nanos <= until) {
      var event = events.poll();
      now = event.nanos;
      event.what.run();
    }
    if (until != Long.MAX_VALUE) now = until;
  }

  private void arriveNext(double perSecond, long until) {
    long gap = (long) (-Math.log(1 - random.nextDouble()) * 1e9 / perSecond);
    if (now + gap > until) return;
    after(
        gap,
        () -> {
          new SimulatedCall().arrive();
          arriveNext(perSecond, until);
        });
  }

  private void after(long nanos, Runnable what) {
    events.add(new Event(now + nanos, orders++, what));
  }

  private void resourceFree() {
    busy--;
    while (busy < servers) {
      @Nullable SimulatedCall next = waitForResource.poll();
      if (next == null) return;
      next.useResource();
    }
  }

  private final class SimulatedCall implements Waiting {
    private final long work = workNanos.applyAsLong(now);
    private final long arrivedNanos = now;
    private long readyNanos;
    private long startedNanos;
    private boolean queued;
    private boolean over;

    void arrive() {
      arrived++;
      after(deadlineNanos, this::deadlinePasses);
      if (admission.refusal(now, deadlineNanos) != null) {
        refuse();
      } else if (admission.tryEnter()) {
        start();
      } else {
        queued = true;
        if (!admission.tryWait(this)) refuse();
        else after(admission.queueWaitNanosMax(), this::waitedInVain);
      }
    }

    private void refuse() {
      refused++;
      queued = false;
      over = true;
      askAgain();
    }

    private void askAgain() {
      if (now < clientsUntil) after(1_000_000, () -> new SimulatedCall().arrive());
    }

    private void waitedInVain() {
      if (queued && admission.leaveQueue(this)) refuse();
    }

    @Override
    public void placeFree() {
      queued = false;
      if (over) admission.giveBack();
      else start();
    }

    private void start() {
      readyNanos = now;
      startedNanos = now;
      boolean free = busy < servers;
      if (resource == Resource.PERMITS) {
        admission.begin(free ? Thread.currentThread() : WAITER, readyNanos, now);
      }
      if (free) useResource();
      else waitForResource.add(this);
    }

    /// It is given one.
    void useResource() {
      if (resource == Resource.CORES) {
        startedNanos = now;
        if (over || !admission.begin(Thread.currentThread(), readyNanos, now)) {
          if (!over) refuse();
          admission.leave(readyNanos, startedNanos, now, false, false);
          return;
        }
      }
      busy++;
      after(work, this::worked);
    }

    private void worked() {
      admission.leave(readyNanos, startedNanos, now, true, !over);
      if (!over) inTime.add(now - arrivedNanos);
      over = true;
      resourceFree();
      askAgain();
    }

    private void deadlinePasses() {
      if (over) return;
      over = true;
      late++;
      if (queued && admission.leaveQueue(this)) queued = false;
      // A thread that waits inside of its handler is interrupted.
      if (resource == Resource.PERMITS && waitForResource.remove(this)) {
        admission.leave(readyNanos, startedNanos, now, true, false);
      }
    }
  }
}
