package dev.weftline.server;

import dev.weftline.internal.admission.AdmissionRules;
import dev.weftline.internal.http.ByteBudget;
import io.netty.util.internal.PlatformDependent;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;

/// How a server protects its goodput, the calls that end well and in time, when more is asked of it
/// than it can do. What it refuses it refuses at once, with RESOURCE_EXHAUSTED, the reason as
/// `google.rpc.ErrorInfo` and the time to come again as `google.rpc.RetryInfo`. Health, reflection
/// and channelz are always served.
///
/// Methods are named `pkg.Service/Method`; a service's name stands for all of its methods that are
/// not named themselves.
///
/// @param adaptive finds how many calls of each unary method may be under way, from the times that
///   they take; there is no limit while these do not rise. On by default: a server without it that
///   is asked for too much answers everybody too late
/// @param deadlines refuses unary calls that cannot be done before their deadline, judged by the
///   calls of late. On by default, since such work is in vain
/// @param limits calls of a method under way at once, in place of the adaptive limit; for streams
///   the only one
/// @param priorities which method's waiting calls take a free place of `callsMax` first: that with
///   the higher number; 0 unless said
/// @param callsMax calls under way at once, all methods together; 0, as by default, for any number,
///   since waiting costs a virtual thread little
/// @param queueWait how long a call may wait for a place. 100 ms: bursts are shorter, and who waits
///   longer is better off at another server. Where the limit is adaptive, no longer than the
///   method's calls usually take
/// @param budgetBytes what the server may hold for its clients: replies that they have not read,
///   requests that have not come whole; 0, as by default, for a quarter of the JVM's heap
public record Overload(
    boolean adaptive,
    boolean deadlines,
    Map<String, Integer> limits,
    Map<String, Integer> priorities,
    int callsMax,
    Duration queueWait,
    long budgetBytes) {
  /// Longer waits are for clients to make.
  private static final Duration QUEUE_WAIT_MAX = Duration.ofMinutes(1);

  public static final Overload DEFAULT =
      new Overload(true, true, Map.of(), Map.of(), 0, Duration.ofMillis(100), 0);

  /// Every call is let in; what the server holds for its clients is still bounded.
  public static final Overload OFF = DEFAULT.withAdaptive(false).withDeadlines(false);

  /// @throws IllegalArgumentException with a sentence, when a number makes no sense
  public Overload {
    limits = Map.copyOf(limits);
    priorities = Map.copyOf(priorities);
    limits.forEach((method, limit) -> {
      if (limit < 1) throw new IllegalArgumentException("limit of " + method + ": " + limit);
    });
    if (callsMax < 0) throw new IllegalArgumentException("callsMax: " + callsMax);
    if (queueWait.isNegative() || queueWait.compareTo(QUEUE_WAIT_MAX) > 0) {
      throw new IllegalArgumentException("queueWait: " + queueWait);
    }
    if (budgetBytes < 0) throw new IllegalArgumentException("budgetBytes: " + budgetBytes);
  }

  public Overload withAdaptive(boolean newAdaptive) {
    return new Overload(
        newAdaptive, deadlines, limits, priorities, callsMax, queueWait, budgetBytes);
  }

  public Overload withDeadlines(boolean newDeadlines) {
    return new Overload(
        adaptive, newDeadlines, limits, priorities, callsMax, queueWait, budgetBytes);
  }

  /// With a limit that is set, for a method or for each method of a service.
  public Overload withLimit(String method, int calls) {
    return new Overload(
        adaptive,
        deadlines,
        with(limits, method, calls),
        priorities,
        callsMax,
        queueWait,
        budgetBytes);
  }

  /// With the priority of a method, or of each method of a service.
  public Overload withPriority(String method, int priority) {
    return new Overload(
        adaptive,
        deadlines,
        limits,
        with(priorities, method, priority),
        callsMax,
        queueWait,
        budgetBytes);
  }

  public Overload withCallsMax(int calls) {
    return new Overload(adaptive, deadlines, limits, priorities, calls, queueWait, budgetBytes);
  }

  public Overload withQueueWait(Duration longest) {
    return new Overload(adaptive, deadlines, limits, priorities, callsMax, longest, budgetBytes);
  }

  public Overload withBudgetBytes(long bytes) {
    return new Overload(adaptive, deadlines, limits, priorities, callsMax, queueWait, bytes);
  }

  private static Map<String, Integer> with(Map<String, Integer> map, String method, int number) {
    var more = new HashMap<>(map);
    more.put(method, number);
    return more;
  }

  /// A quarter of the heap: objects of one's own and garbage need the rest, and small messages take
  /// more than their octets. Half of the memory outside of it, where sockets' buffers are.
  ByteBudget budget() {
    if (budgetBytes > 0) return new ByteBudget(budgetBytes);
    long heap = Runtime.getRuntime().maxMemory();
    long direct = PlatformDependent.maxDirectMemory();
    return new ByteBudget(Math.max(1, Math.min(heap / 4, direct / 2)));
  }

  AdmissionRules rules() {
    return new AdmissionRules(
        adaptive, deadlines, limits, priorities, callsMax, queueWait.toNanos());
  }
}
