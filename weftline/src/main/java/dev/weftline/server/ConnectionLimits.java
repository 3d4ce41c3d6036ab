package dev.weftline.server;

import dev.weftline.internal.http2.Lifetime;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.temporal.ChronoUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// How many connections a server carries, how long they live, and how each side may find out
/// whether the other is still there. The words and most defaults are those of gRPC's A8 and A9;
/// where they differ, decision 0012 says why. A server takes others by
/// [Server.Builder#connections].
///
/// @param connectionsMax open at once; what comes then is accepted and closed at once, before any
///   handshake. By default one for each 8 KiB of heap, three times what an idle one takes, and no
///   more than three quarters of the file descriptors, the others being for files and calls to
///   others
/// @param perPeerMax the same from one peer, an IPv4 address or an IPv6 network of 64 bits; 0, the
///   default, for as many as it likes, because a proxy's or a NAT's clients are one peer. Unix
///   domain sockets are no peers
/// @param idleMax without an open call for so long, a connection is drained; [#FOREVER] by default
/// @param ageMax at this age, give or take a tenth, a connection is drained, so that clients find
///   new servers behind a balancer of connections; [#FOREVER] by default
/// @param ageGrace what calls on such a connection then get before they are ended; [#FOREVER] by
///   default
/// @param keepaliveTime without anything read for so long, the server sends a PING; 2 h
/// @param keepaliveTimeout with nothing read for so long after it, the client is gone; 20 s
/// @param permitKeepaliveTime how often a client may ping while neither side sends anything else;
///   the fourth PING that comes sooner ends its connection with "too_many_pings". 5 s, half of the
///   least that gRPC's clients allow themselves, so that two may come closer than they were sent;
///   zero for any rate
/// @param permitKeepaliveWithoutCalls whether it may do so without open calls, too, instead of
///   every 2 h; it may by default
public record ConnectionLimits(
    int connectionsMax,
    int perPeerMax,
    Duration idleMax,
    Duration ageMax,
    Duration ageGrace,
    Duration keepaliveTime,
    Duration keepaliveTimeout,
    Duration permitKeepaliveTime,
    boolean permitKeepaliveWithoutCalls) {
  /// For what shall never happen.
  public static final Duration FOREVER = ChronoUnit.FOREVER.getDuration();

  /// Heap per connection that may be open: three times what an idle one takes.
  private static final int HEAP_BYTES = 8 << 10;

  public static final ConnectionLimits DEFAULT =
      new ConnectionLimits(
          affordable(),
          0,
          FOREVER,
          FOREVER,
          FOREVER,
          Duration.ofHours(2),
          Duration.ofSeconds(20),
          Duration.ofSeconds(5),
          true);

  public ConnectionLimits {
    if (connectionsMax < 1) throw new IllegalArgumentException("connectionsMax: " + connectionsMax);
    if (perPeerMax < 0) throw new IllegalArgumentException("perPeerMax: " + perPeerMax);
    requirePositive("idleMax", idleMax);
    requirePositive("ageMax", ageMax);
    if (ageGrace.isNegative()) throw new IllegalArgumentException("ageGrace: " + ageGrace);
    requirePositive("keepaliveTime", keepaliveTime);
    requirePositive("keepaliveTimeout", keepaliveTimeout);
    if (permitKeepaliveTime.isNegative()) {
      throw new IllegalArgumentException("permitKeepaliveTime: " + permitKeepaliveTime);
    }
  }

  private static void requirePositive(String name, Duration time) {
    if (!time.isPositive()) throw new IllegalArgumentException(name + ": " + time);
  }

  private static int affordable() {
    long byHeap = Runtime.getRuntime().maxMemory() / HEAP_BYTES;
    return Math.clamp(Math.min(byHeap, descriptors() / 4 * 3), 1, Integer.MAX_VALUE);
  }

  /// How many files and sockets this process may have open; without an answer, as many as it likes.
  private static long descriptors() {
    try (var limits = Files.lines(Path.of("/proc/self/limits"))) {
      // The soft limit, which the JVM has raised to the hard one.
      var openFiles = Pattern.compile("Max open files +([0-9]{1,18}) .*");
      return limits
          .map(openFiles::matcher)
          .filter(Matcher::matches)
          .mapToLong(line -> Long.parseLong(line.group(1)))
          .findFirst()
          .orElse(Long.MAX_VALUE);
    } catch (IOException | UncheckedIOException e) {
      // Not Linux: accepting fails when there are none left, and goes on later.
      return Long.MAX_VALUE;
    }
  }

  public ConnectionLimits withConnectionsMax(int connections) {
    return new ConnectionLimits(
        connections,
        perPeerMax,
        idleMax,
        ageMax,
        ageGrace,
        keepaliveTime,
        keepaliveTimeout,
        permitKeepaliveTime,
        permitKeepaliveWithoutCalls);
  }

  public ConnectionLimits withPerPeerMax(int connections) {
    return new ConnectionLimits(
        connectionsMax,
        connections,
        idleMax,
        ageMax,
        ageGrace,
        keepaliveTime,
        keepaliveTimeout,
        permitKeepaliveTime,
        permitKeepaliveWithoutCalls);
  }

  public ConnectionLimits withIdleMax(Duration idle) {
    return new ConnectionLimits(
        connectionsMax,
        perPeerMax,
        idle,
        ageMax,
        ageGrace,
        keepaliveTime,
        keepaliveTimeout,
        permitKeepaliveTime,
        permitKeepaliveWithoutCalls);
  }

  public ConnectionLimits withAgeMax(Duration age) {
    return new ConnectionLimits(
        connectionsMax,
        perPeerMax,
        idleMax,
        age,
        ageGrace,
        keepaliveTime,
        keepaliveTimeout,
        permitKeepaliveTime,
        permitKeepaliveWithoutCalls);
  }

  public ConnectionLimits withAgeGrace(Duration grace) {
    return new ConnectionLimits(
        connectionsMax,
        perPeerMax,
        idleMax,
        ageMax,
        grace,
        keepaliveTime,
        keepaliveTimeout,
        permitKeepaliveTime,
        permitKeepaliveWithoutCalls);
  }

  public ConnectionLimits withKeepaliveTime(Duration time) {
    return new ConnectionLimits(
        connectionsMax,
        perPeerMax,
        idleMax,
        ageMax,
        ageGrace,
        time,
        keepaliveTimeout,
        permitKeepaliveTime,
        permitKeepaliveWithoutCalls);
  }

  public ConnectionLimits withKeepaliveTimeout(Duration timeout) {
    return new ConnectionLimits(
        connectionsMax,
        perPeerMax,
        idleMax,
        ageMax,
        ageGrace,
        keepaliveTime,
        timeout,
        permitKeepaliveTime,
        permitKeepaliveWithoutCalls);
  }

  public ConnectionLimits withPermitKeepaliveTime(Duration time) {
    return new ConnectionLimits(
        connectionsMax,
        perPeerMax,
        idleMax,
        ageMax,
        ageGrace,
        keepaliveTime,
        keepaliveTimeout,
        time,
        permitKeepaliveWithoutCalls);
  }

  public ConnectionLimits withPermitKeepaliveWithoutCalls(boolean permit) {
    return new ConnectionLimits(
        connectionsMax,
        perPeerMax,
        idleMax,
        ageMax,
        ageGrace,
        keepaliveTime,
        keepaliveTimeout,
        permitKeepaliveTime,
        permit);
  }

  Lifetime lifetime() {
    return new Lifetime(
        Lifetime.nanos(keepaliveTime),
        Lifetime.nanos(keepaliveTimeout),
        Lifetime.nanos(permitKeepaliveTime),
        permitKeepaliveWithoutCalls,
        Lifetime.nanos(idleMax),
        Lifetime.nanos(ageMax),
        Lifetime.nanos(ageGrace));
  }
}
