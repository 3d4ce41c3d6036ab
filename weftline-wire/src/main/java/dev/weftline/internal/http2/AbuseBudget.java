package dev.weftline.internal.http2;

import static dev.weftline.internal.http2.ErrorCode.ENHANCE_YOUR_CALM;

import dev.weftline.internal.http2.Http2Exception.ConnectionError;
import java.util.function.LongSupplier;

/// How much of each attack one connection may try before it is closed with ENHANCE_YOUR_CALM (RFC
/// 9113 §10.5). Confined to the loop. Two purses that time refills: *resets*, and *overhead*, which
/// honest work refills as well, so that no number of small messages is ever taken for an attack.
///
/// Hot: counting is one subtraction; the clock is asked only when a purse is empty.
final class AbuseBudget {
  /// Streams a peer may open and see reset per second before it is an attack: resets by the peer
  /// (CVE-2023-44487, rapid reset) and resets that it provokes from us (CVE-2025-8671,
  /// MadeYouReset). A rate, not a count: long-lived connections cancel calls legitimately. The
  /// purse holds as many as there can be open streams, because a peer may give up all of them at
  /// once.
  static final int RESETS_PER_SECOND_MAX = 200;

  /// Frames that carry nothing (PING, SETTINGS, WINDOW_UPDATE, PRIORITY, empty DATA, unknown types)
  /// per second. A client that probes the bandwidth-delay product on loopback sends some thousand
  /// PINGs a second, each after DATA, which refills.
  static final int OVERHEAD_PER_SECOND_MAX = 1_000;

  /// What may come in one burst; a few milliseconds of our time.
  static final int OVERHEAD_BURST_MAX = 10_000;

  /// A frame with content pays for this many without: a window update for stream and connection,
  /// and a PING to spare.
  static final int OVERHEAD_PER_USEFUL_FRAME = 3;

  /// Acknowledgements and resets that may wait for a peer that does not read (CVE-2019-9512,
  /// CVE-2019-9515): 17 KiB.
  static final int UNREAD_CONTROL_FRAMES_MAX = 1_000;

  private final LongSupplier nanoClock;
  private final int resetsBurstMax;
  private int resetsLeft;
  private int overheadLeft = OVERHEAD_BURST_MAX;
  private long resetsRefilledNanos;
  private long overheadRefilledNanos;

  AbuseBudget(int streamsMax, LongSupplier nanoClock) {
    this.nanoClock = nanoClock;
    this.resetsBurstMax = Math.max(streamsMax, RESETS_PER_SECOND_MAX);
    this.resetsLeft = resetsBurstMax;
    this.resetsRefilledNanos = nanoClock.getAsLong();
    this.overheadRefilledNanos = resetsRefilledNanos;
  }

  /// A stream was reset by the peer, or by us because of what the peer did.
  void spendReset() throws ConnectionError {
    if (--resetsLeft >= 0) return;
    long now = nanoClock.getAsLong();
    resetsLeft += refill(now - resetsRefilledNanos, RESETS_PER_SECOND_MAX, resetsBurstMax);
    resetsRefilledNanos = now;
    if (resetsLeft < 0) {
      throw new ConnectionError(
          ENHANCE_YOUR_CALM, "more than " + RESETS_PER_SECOND_MAX + " stream resets per second");
    }
  }

  /// A frame without content came.
  void spendOverhead() throws ConnectionError {
    if (--overheadLeft >= 0) return;
    long now = nanoClock.getAsLong();
    overheadLeft +=
        refill(now - overheadRefilledNanos, OVERHEAD_PER_SECOND_MAX, OVERHEAD_BURST_MAX);
    overheadRefilledNanos = now;
    if (overheadLeft < 0) {
      throw new ConnectionError(
          ENHANCE_YOUR_CALM,
          "more than " + OVERHEAD_PER_SECOND_MAX + " frames without content per second");
    }
  }

  /// A request, or body octets either way.
  void earn() {
    overheadLeft = Math.min(OVERHEAD_BURST_MAX, overheadLeft + OVERHEAD_PER_USEFUL_FRAME);
  }

  private static int refill(long nanos, int perSecond, int burstMax) {
    return (int) Math.min(burstMax, nanos / (1_000_000_000L / perSecond));
  }
}
