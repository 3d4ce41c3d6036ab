package dev.weftline.internal.call;

import java.util.concurrent.atomic.LongAdder;

/// What a server has answered so far. Counted on the loops, readable from any thread.
public final class CallCounters {
  private final LongAdder started = new LongAdder();
  private final LongAdder succeeded = new LongAdder();
  private final LongAdder failed = new LongAdder();
  private final LongAdder refused = new LongAdder();
  private volatile long lastStartedMillis;

  void start() {
    started.increment();
    long now = System.currentTimeMillis();
    // Read first: most calls find the same millisecond, and a shared line stays shared.
    if (lastStartedMillis != now) lastStartedMillis = now;
  }

  void end(boolean ok) {
    (ok ? succeeded : failed).increment();
  }

  void refuse() {
    refused.increment();
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

  /// Requests that never reached a method: malformed, unsupported, or for a method nobody knows.
  public long refused() {
    return refused.sum();
  }

  /// When the last call started, in milliseconds since the epoch; 0 before the first.
  public long lastStartedMillis() {
    return lastStartedMillis;
  }
}
