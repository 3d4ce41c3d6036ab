package dev.weftline.internal.http2;

import dev.weftline.internal.http.ExchangeHandler;
import java.util.function.LongSupplier;

/// Makes the engine's connections for the test kit, with a clock of the test.
public final class EngineUnderTest {
  private EngineUnderTest() {}

  public static Http2Connection with(
      Http2Limits limits, ExchangeHandler.Factory exchanges, LongSupplier nanoClock) {
    return with(limits, Lifetime.UNLIMITED, exchanges, nanoClock);
  }

  public static Http2Connection with(
      Http2Limits limits,
      Lifetime lifetime,
      ExchangeHandler.Factory exchanges,
      LongSupplier nanoClock) {
    return new Http2Connection(limits, lifetime, null, exchanges, nanoClock);
  }
}
