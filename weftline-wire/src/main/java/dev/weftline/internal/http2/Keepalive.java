package dev.weftline.internal.http2;

import static dev.weftline.internal.http2.Lifetime.FOREVER;

import dev.weftline.internal.http.ConnectionEnd;
import dev.weftline.internal.http2.Http2Exception.ConnectionError;
import io.netty.util.concurrent.Future;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/// The times of one connection: when it pings, when its peer has pinged too often, when it is idle,
/// old, or given up. Decides; [Http2Connection] does. Confined to the loop.
///
/// Implementation note: what happens on the connection only raises a flag. One timer looks at the
/// flags, four times within the period that it watches, so that nothing asks the clock per frame
/// and each end comes at most a quarter late. A connection without limits has no timer.
final class Keepalive implements Runnable {
  /// Marks our PING.
  static final long PING = 0x5745_4654_4B45_4550L; // "WEFTKEEP"

  /// A8: pings that come too early and are forgiven, until there is work again.
  private static final int STRIKES_MAX = 2;

  /// A8: without calls and without permission a client may ping no more often than TCP would.
  private static final long IDLE_PING_NANOS = TimeUnit.HOURS.toNanos(2);

  private static final int LOOKS_PER_PERIOD = 4;

  private final Http2Connection connection;
  private final Lifetime lifetime;
  private final LongSupplier nanoClock;
  private @Nullable Future<?> timer;

  // Raised by what happens, lowered by who looks.
  private boolean read;
  private boolean streamed; // a stream was opened
  private boolean worked = true; // HEADERS or DATA went either way

  private boolean pinging; // since `quietSinceNanos`
  private boolean old; // by age; then `endNanos` is the end of the grace
  private byte strikes;
  private long quietSinceNanos; // the last look that found something read, or our PING
  private long idleSinceNanos; // the last look that found a stream
  private long endNanos; // FOREVER away for none
  private long peerPingNanos; // the peer's last one that was in time

  Keepalive(Http2Connection connection, Lifetime lifetime, LongSupplier nanoClock) {
    this.connection = connection;
    this.lifetime = lifetime;
    this.nanoClock = nanoClock;
  }

  /// The connection is up.
  void start() {
    if (lifetime.pingAfterNanos() == FOREVER
        && lifetime.idleNanosMax() == FOREVER
        && lifetime.ageNanosMax() == FOREVER) {
      return;
    }
    long now = nanoClock.getAsLong();
    quietSinceNanos = now;
    idleSinceNanos = now;
    endNanos = now + jittered(lifetime.ageNanosMax());
    schedule(now);
  }

  /// A9: a tenth more or less, so that connections that came together do not leave together.
  private static long jittered(long nanos) {
    if (nanos == FOREVER) return FOREVER;
    return nanos + (long) (nanos * ThreadLocalRandom.current().nextDouble(-0.1, 0.1));
  }

  void stop() {
    if (timer != null) timer.cancel(false);
    timer = null;
  }

  /// Octets came, whatever they are.
  void read() {
    read = true;
  }

  /// HEADERS or DATA went either way: pings beside it cost little, and measure the bandwidth.
  void work() {
    worked = true;
  }

  void openStream() {
    streamed = true;
    worked = true;
  }

  /// The peer pings. A8's algorithm, except that frames of the peer's own count as work too: a
  /// proxy that makes sure of a connection before each request is no attacker when replies take
  /// long.
  void receivePing() throws ConnectionError {
    if (lifetime.permitPingNanos() == 0) return;
    long now = nanoClock.getAsLong();
    if (worked) {
      worked = false;
      strikes = 0;
    } else if (now - peerPingNanos < permitNanos()) {
      if (++strikes <= STRIKES_MAX) return;
      connection.tooManyPings();
    }
    peerPingNanos = now;
  }

  private long permitNanos() {
    return lifetime.permitIdlePings() || connection.hasStreams()
        ? lifetime.permitPingNanos()
        : Math.max(IDLE_PING_NANOS, lifetime.permitPingNanos());
  }

  /// The final GOAWAY is out. A9: the grace of age counts from here.
  void drained() {
    if (!old) return;
    stop();
    long now = nanoClock.getAsLong();
    endNanos = now + lifetime.graceNanosMax();
    schedule(now);
  }

  /// Looks what has become due.
  @Override
  public void run() {
    timer = null;
    long now = nanoClock.getAsLong();
    if (read) {
      read = false;
      pinging = false;
      quietSinceNanos = now;
    } else if (pinging) {
      if (now - quietSinceNanos >= lifetime.pingTimeoutNanos()) {
        connection.unanswered();
        return;
      }
    } else if (now - quietSinceNanos >= lifetime.pingAfterNanos()) {
      pinging = true;
      quietSinceNanos = now;
      connection.ping();
    }
    if (streamed || connection.hasStreams()) {
      streamed = false;
      idleSinceNanos = now;
    } else if (now - idleSinceNanos >= lifetime.idleNanosMax()) {
      idleSinceNanos = now; // once: it is drained now, or was before
      connection.retire(ConnectionEnd.MAX_IDLE);
    }
    if (endNanos - now <= 0) {
      if (old) {
        connection.expire();
        return;
      }
      old = true;
      endNanos = now + FOREVER; // until it is drained
      connection.retire(ConnectionEnd.MAX_AGE);
    }
    schedule(now);
  }

  private void schedule(long now) {
    long quietNanosMax = pinging ? lifetime.pingTimeoutNanos() : lifetime.pingAfterNanos();
    long ping = untilLook(quietNanosMax, quietSinceNanos, now);
    long idle = untilLook(lifetime.idleNanosMax(), idleSinceNanos, now);
    long nanos = Math.min(Math.min(ping, idle), endNanos - now);
    if (nanos == FOREVER || connection.isClosed()) return;
    timer = connection.loop().schedule(this, Math.max(nanos, 0), TimeUnit.NANOSECONDS);
  }

  private static long untilLook(long period, long since, long now) {
    if (period == FOREVER) return FOREVER;
    return Math.min(period / LOOKS_PER_PERIOD, since + period - now);
  }
}
