package dev.weftline.internal.net;

import static java.lang.System.Logger.Level.WARNING;

import io.netty.channel.Channel;
import java.lang.System.Logger;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.util.Arrays;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.LongAdder;
import org.jspecify.annotations.Nullable;

/// How many connections are open, in all and from each peer, and which are refused for it. Any
/// thread.
///
/// A peer is an IPv4 address or an IPv6 network of 64 bits, of which each customer of a provider
/// has at least one (RFC 6177 §2); Unix domain sockets are no peers. Only peers with open
/// connections take memory, so the table is bounded by the connections.
public final class PeerTable {
  private static final Logger log = System.getLogger(PeerTable.class.getName());

  /// IPv6 addresses that differ behind so many octets are one peer.
  private static final int IPV6_PEER_OCTETS = 8;

  /// What is refused is told in the log this often at most, and counted each time.
  private static final long WARN_NANOS = 10_000_000_000L;

  /// Why a connection was refused.
  public enum Refusal {
    /// As many as may be are open.
    CONNECTIONS_MAX,
    /// As many as may be are open from this peer.
    PER_PEER_MAX,
    /// A PROXY header was missing, broken, or came from a peer that is not trusted.
    PROXY_HEADER
  }

  private final int connectionsMax;
  private final int perPeerMax;
  private final AtomicInteger open = new AtomicInteger();
  private final Map<Object, Integer> peers = new ConcurrentHashMap<>();
  private final LongAdder[] refused = new LongAdder[Refusal.values().length];
  private final AtomicLong warnedNanos = new AtomicLong(System.nanoTime() - WARN_NANOS);

  /// @param connectionsMax open at once in all
  /// @param perPeerMax open at once from one peer; 0 for as many as it likes
  public PeerTable(int connectionsMax, int perPeerMax) {
    if (connectionsMax < 1) throw new IllegalArgumentException("connectionsMax: " + connectionsMax);
    if (perPeerMax < 0) throw new IllegalArgumentException("perPeerMax: " + perPeerMax);
    this.connectionsMax = connectionsMax;
    this.perPeerMax = perPeerMax;
    Arrays.setAll(refused, _ -> new LongAdder());
  }

  /// Without limits.
  static PeerTable unlimited() {
    return new PeerTable(Integer.MAX_VALUE, 0);
  }

  /// Takes a place for an accepted connection, which `leave` gives back. False when it is refused,
  /// and counted so.
  boolean enter(@Nullable SocketAddress from) {
    if (open.incrementAndGet() <= connectionsMax) return true;
    open.decrementAndGet();
    refuse(Refusal.CONNECTIONS_MAX, from, connectionsMax + " connections are open");
    return false;
  }

  void leave() {
    open.decrementAndGet();
  }

  /// Takes a place among the connections of `peer` for this one, until it closes. False when it is
  /// refused, and counted so.
  boolean enterPeer(Channel channel, @Nullable SocketAddress peer) {
    if (perPeerMax == 0 || !(peer instanceof InetSocketAddress inet) || inet.isUnresolved()) {
      return true;
    }
    var key = key(inet.getAddress());
    int count = peers.merge(key, 1, Integer::sum);
    if (count > perPeerMax) {
      leavePeer(key);
      refuse(Refusal.PER_PEER_MAX, peer, perPeerMax + " connections are open from there");
      return false;
    }
    channel.closeFuture().addListener(_ -> leavePeer(key));
    return true;
  }

  private void leavePeer(Object key) {
    peers.computeIfPresent(key, (_, count) -> count == 1 ? null : Integer.valueOf(count - 1));
  }

  private static Object key(InetAddress address) {
    var octets = address.getAddress();
    if (octets.length <= IPV6_PEER_OCTETS) return address;
    long network = 0;
    for (int i = 0; i < IPV6_PEER_OCTETS; i++) network = network << 8 | octets[i] & 0xff;
    return network;
  }

  void refuse(Refusal why, @Nullable SocketAddress from, String reason) {
    refused[why.ordinal()].increment();
    long now = System.nanoTime();
    long warned = warnedNanos.get();
    if (now - warned < WARN_NANOS || !warnedNanos.compareAndSet(warned, now)) return;
    log.log(
        WARNING,
        "refused a connection from {0}: {1}; refused so far: {2}",
        from,
        reason,
        refused());
  }

  /// How many connections were refused, by reason; what never happened is left out.
  public Map<String, Long> refused() {
    var counts = new TreeMap<String, Long>();
    for (var why : Refusal.values()) {
      long count = refused[why.ordinal()].sum();
      if (count > 0) counts.put(why.name(), count);
    }
    return counts;
  }

  @Override
  public String toString() {
    return open + " connections, of " + peers.size() + " peers";
  }
}
