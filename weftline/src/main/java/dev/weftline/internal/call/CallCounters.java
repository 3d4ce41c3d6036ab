package dev.weftline.internal.call;

import dev.weftline.internal.http2.ErrorCode;
import dev.weftline.internal.thread.Placements;
import java.lang.management.ManagementFactory;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.LongAdder;
import org.jspecify.annotations.Nullable;

/// What a server has answered so far. Each loop counts its own calls ([LoopTallies]) and nothing is
/// shared for them; what is rare is counted here. Any thread may read, at the cost of adding up.
public final class CallCounters {
  private final List<LoopTallies> loops = new CopyOnWriteArrayList<>();
  private final Map<String, LongAdder> refused = new ConcurrentHashMap<>();
  private final LongAdder[] rulesBroken = new LongAdder[ErrorCode.values().length];

  public CallCounters() {
    Arrays.setAll(rulesBroken, _ -> new LongAdder());
  }

  /// The tallies of the loop that this runs on, which has none yet.
  LoopTallies addLoop() {
    var added = new LoopTallies();
    loops.add(added);
    return added;
  }

  /// A request was refused: for what it says, or because the server had no room for it.
  ///
  /// @param reason one of a few constants, such as `UNKNOWN_METHOD`
  public void refuse(String reason) {
    var known = refused.get(reason);
    if (known == null) known = refused.computeIfAbsent(reason, _ -> new LongAdder());
    known.increment();
  }

  /// A client broke a rule of HTTP/2 and was answered with this code.
  public void breakRule(long code) {
    rulesBroken[ErrorCode.of(code).code()].increment();
  }

  /// How often clients broke rules of HTTP/2, by the names of RFC 9113 §7; what never happened is
  /// left out.
  public Map<String, Long> rulesBroken() {
    var counts = new TreeMap<String, Long>();
    for (var code : ErrorCode.values()) {
      long count = rulesBroken[code.code()].sum();
      if (count > 0) counts.put(code.name(), count);
    }
    return counts;
  }

  /// Calls that reached a method.
  public long started() {
    return loops.stream().mapToLong(LoopTallies::started).sum();
  }

  /// Calls that ended with status OK, written whole.
  public long succeeded() {
    return loops.stream().mapToLong(loop -> loop.ended(true)).sum();
  }

  /// Calls that ended in any other way.
  public long failed() {
    return loops.stream().mapToLong(loop -> loop.ended(false)).sum();
  }

  /// Requests refused: malformed, unsupported, too large, for a method nobody knows, or for want of
  /// room.
  public long refused() {
    return refused.values().stream().mapToLong(LongAdder::sum).sum();
  }

  /// The same by their reasons.
  public Map<String, Long> refusedByReason() {
    var counts = new TreeMap<String, Long>();
    refused.forEach((reason, count) -> counts.put(reason, count.sum()));
    return counts;
  }

  /// When the last call started, in milliseconds since the epoch; 0 before the first.
  public long lastStartedMillis() {
    long youngest = Long.MAX_VALUE;
    long now = System.nanoTime();
    for (var loop : loops) {
      long nanos = loop.lastStartedNanos();
      if (nanos != 0) youngest = Math.min(youngest, now - nanos);
    }
    return youngest == Long.MAX_VALUE
        ? 0
        : System.currentTimeMillis() - TimeUnit.NANOSECONDS.toMillis(youngest);
  }

  /// The calls of every method that was called, by its full name.
  ///
  /// @param unknown the name for all methods that the server does not know, together
  public Map<String, MethodCount> byMethod(String unknown) {
    var sums = new TreeMap<String, MethodCount>();
    for (var loop : loops) {
      for (@Nullable MethodTally each = loop.newest(); each != null; each = each.older) {
        if (each.started() == 0) continue;
        var method = each.method;
        var name = method == null || method.equals(Placements.OTHERS) ? unknown : method;
        each.addTo(sums.computeIfAbsent(name, _ -> new MethodCount()));
      }
    }
    return sums;
  }

  /// The CPU time that each loop has used so far, in seconds, by its number: for the calls that it
  /// carried, for its connections and streams. Loops that have ended, or of which the JVM does not
  /// tell, are left out.
  public Map<String, Double> loopCpuSeconds() {
    var threads = ManagementFactory.getThreadMXBean();
    var seconds = new TreeMap<String, Double>();
    if (!threads.isThreadCpuTimeSupported() || !threads.isThreadCpuTimeEnabled()) return seconds;
    int number = 0;
    for (var loop : loops) {
      long nanos = threads.getThreadCpuTime(loop.threadId);
      if (nanos >= 0) seconds.put(Integer.toString(number), nanos / 1e9);
      number++;
    }
    return seconds;
  }
}
