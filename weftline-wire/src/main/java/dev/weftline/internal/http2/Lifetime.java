package dev.weftline.internal.http2;

import java.time.Duration;

/// How long a connection may live, and what shows that it does: gRPC's A8 and A9. In nanoseconds.
///
/// @param pingAfterNanos without anything read for so long, this side sends a PING
/// @param pingTimeoutNanos with nothing read for so long after it, the peer is gone
/// @param permitPingNanos how often the peer may ping without any work between; 0 permits any rate
///   that [AbuseBudget] does
/// @param permitIdlePings whether that holds without open streams as well, where A8 has two hours
/// @param idleNanosMax without an open stream for so long, the connection is drained
/// @param ageNanosMax at this age, give or take a tenth, it is drained
/// @param graceNanosMax what streams get to finish, once a connection of that age accepts no more
public record Lifetime(
    long pingAfterNanos,
    long pingTimeoutNanos,
    long permitPingNanos,
    boolean permitIdlePings,
    long idleNanosMax,
    long ageNanosMax,
    long graceNanosMax) {
  /// Never: 292 years.
  public static final long FOREVER = Long.MAX_VALUE;

  private static final Duration CENTURY = Duration.ofDays(36_525);

  /// Until a peer or a server closes it.
  public static final Lifetime UNLIMITED =
      new Lifetime(FOREVER, FOREVER, 0, true, FOREVER, FOREVER, FOREVER);

  public Lifetime {
    if (pingAfterNanos < 1) throw new IllegalArgumentException("pingAfter: " + pingAfterNanos);
    if (pingTimeoutNanos < 1) {
      throw new IllegalArgumentException("pingTimeout: " + pingTimeoutNanos);
    }
    if (permitPingNanos < 0) throw new IllegalArgumentException("permitPing: " + permitPingNanos);
    if (idleNanosMax < 1) throw new IllegalArgumentException("idleMax: " + idleNanosMax);
    if (ageNanosMax < 1) throw new IllegalArgumentException("ageMax: " + ageNanosMax);
    if (graceNanosMax < 0) throw new IllegalArgumentException("graceMax: " + graceNanosMax);
  }

  /// In nanoseconds; [#FOREVER] from a century on, so that sums of such times do not overflow.
  public static long nanos(Duration time) {
    return time.compareTo(CENTURY) >= 0 ? FOREVER : time.toNanos();
  }
}
