package dev.weftline.internal.http;

import io.netty.channel.unix.DomainSocketAddress;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.net.UnixDomainSocketAddress;
import java.util.ArrayList;
import java.util.List;

/// Proxies whose word about their clients counts, by their addresses. Immutable.
public final class TrustedPeers {
  private static final String UNIX = "unix";

  private final List<Network> networks;
  private final boolean unix;

  private TrustedPeers(List<Network> networks, boolean unix) {
    this.networks = List.copyOf(networks);
    this.unix = unix;
  }

  /// Addresses and networks, such as `192.0.2.7`, `10.0.0.0/8` and `2001:db8::/32`; or `unix`,
  /// which is whoever connects to a Unix domain socket.
  ///
  /// @throws IllegalArgumentException with a sentence, when there is none, or one is no network
  public static TrustedPeers of(String... names) {
    if (names.length == 0) throw new IllegalArgumentException("no trusted proxy is named");
    var networks = new ArrayList<Network>();
    boolean unix = false;
    for (var name : names) {
      if (name.equals(UNIX)) unix = true;
      else networks.add(Network.of(name));
    }
    return new TrustedPeers(networks, unix);
  }

  public boolean trusts(SocketAddress peer) {
    return switch (peer) {
      case InetSocketAddress inet when !inet.isUnresolved() -> trusts(inet.getAddress());
      case UnixDomainSocketAddress _, DomainSocketAddress _ -> unix;
      default -> false;
    };
  }

  private boolean trusts(InetAddress peer) {
    var octets = peer.getAddress();
    for (var network : networks) {
      if (network.contains(octets)) return true;
    }
    return false;
  }

  /// The first `bits` of `address` (RFC 4632 §3.1, RFC 4291 §2.3).
  private record Network(InetAddress address, int bits) {
    static Network of(String name) {
      int slash = name.indexOf('/');
      var literal = PeerAddress.literal(slash < 0 ? name : name.substring(0, slash));
      if (literal == null) throw noNetwork(name);
      int all = literal.getAddress().length * Byte.SIZE;
      if (slash < 0) return new Network(literal, all);
      var digits = name.substring(slash + 1);
      if (!digits.matches("[0-9]{1,3}") || Integer.parseInt(digits) > all) throw noNetwork(name);
      return new Network(literal, Integer.parseInt(digits));
    }

    private static IllegalArgumentException noNetwork(String name) {
      return new IllegalArgumentException(
          "\"" + name + "\" is not an address, a network such as 10.0.0.0/8, or unix");
    }

    boolean contains(byte[] peer) {
      byte[] own = address.getAddress();
      if (peer.length != own.length) return false;
      for (int bit = 0; bit < bits; bit++) {
        int mask = 0x80 >>> (bit & 7);
        if (((peer[bit >>> 3] ^ own[bit >>> 3]) & mask) != 0) return false;
      }
      return true;
    }
  }
}
