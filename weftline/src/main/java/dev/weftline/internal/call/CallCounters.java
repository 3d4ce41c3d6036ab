package dev.weftline.internal.call;

import dev.weftline.internal.http2.ErrorCode;
import java.util.Arrays;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.atomic.LongAdder;

/// What a server has answered so far. Counted on the loops, readable from any thread.
public final class CallCounters {
  private final LongAdder started = new LongAdder();
  private final LongAdder succeeded = new LongAdder();
  private final LongAdder failed = new LongAdder();
  private final LongAdder cut = new LongAdder();
  private final LongAdder refused = new LongAdder();
  private final LongAdder[] rulesBroken = new LongAdder[ErrorCode.values().length];
  private volatile long lastStartedMillis;

  public CallCounters() {
    Arrays.setAll(rulesBroken, _ -> new LongAdder());
  }

  void start() {
    started.increment();
    long now = System.currentTimeMillis();
    // Read first: most calls find the same millisecond, and a shared line stays shared.
    if (lastStartedMillis != now) lastStartedMillis = now;
  }

  void end(boolean ok) {
    (ok ? succeeded : failed).increment();
  }

  /// The server ends a call because its time is over.
  void cut() {
    cut.increment();
  }

  void refuse() {
    refused.increment();
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
    return started.sum();
  }

  /// Calls that ended with status OK, written whole.
  public long succeeded() {
    return succeeded.sum();
  }

  /// Calls that ended in any other way.
  public long failed() {
    return failed.sum();
  }

  /// Calls that the server ended because it closes.
  public long cutShort() {
    return cut.sum();
  }

  /// Requests refused for what they say: malformed, unsupported, too large, or for a method nobody
  /// knows.
  public long refused() {
    return refused.sum();
  }

  /// When the last call started, in milliseconds since the epoch; 0 before the first.
  public long lastStartedMillis() {
    return lastStartedMillis;
  }
}
