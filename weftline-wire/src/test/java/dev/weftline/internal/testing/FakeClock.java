package dev.weftline.internal.testing;

import io.netty.util.concurrent.MockTicker;
import io.netty.util.concurrent.Ticker;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;

/// The time of a test: stands still until the test moves it. The engine reads it in nanoseconds,
/// the in-memory loop as its ticker, so that rates and timers need no sleeping. Any thread.
public final class FakeClock implements LongSupplier {
  private final MockTicker ticker = Ticker.newMockTicker();

  @Override
  public long getAsLong() {
    return ticker.nanoTime();
  }

  public void advance(Duration time) {
    ticker.advance(time.toNanos(), TimeUnit.NANOSECONDS);
  }

  Ticker ticker() {
    return ticker;
  }
}
