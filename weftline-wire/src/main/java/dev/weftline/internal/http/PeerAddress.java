package dev.weftline.internal.http;

import io.netty.channel.Channel;
import io.netty.channel.local.LocalAddress;
import io.netty.util.AttributeKey;
import io.netty.util.NetUtil;
import java.net.InetAddress;
import java.net.SocketAddress;
import org.jspecify.annotations.Nullable;

/// Who is at the other end of a connection: what a trusted proxy told in its PROXY header, else
/// what the kernel says. Does not change once a protocol is spoken.
public final class PeerAddress {
  private static final AttributeKey<SocketAddress> TOLD =
      AttributeKey.valueOf(PeerAddress.class, "TOLD");

  /// Stands for an address that the kernel no longer tells.
  private static final SocketAddress UNKNOWN = new LocalAddress("unknown");

  private PeerAddress() {}

  /// A trusted proxy says that the connection comes from here.
  public static void tell(Channel channel, SocketAddress address) {
    channel.attr(TOLD).set(address);
  }

  public static SocketAddress of(Channel channel) {
    // `hasAttr` first: `attr` would make an attribute for each connection.
    return channel.hasAttr(TOLD) ? known(channel.attr(TOLD).get()) : known(channel.remoteAddress());
  }

  /// Our own end of the connection.
  public static SocketAddress local(Channel channel) {
    return known(channel.localAddress());
  }

  /// An IPv4 address of four numbers or an IPv6 address; null for anything else, such as a name.
  static @Nullable InetAddress literal(String text) {
    // The JDK would take "10" for 0.0.0.10.
    return NetUtil.isValidIpV4Address(text) || NetUtil.isValidIpV6Address(text)
        ? InetAddress.ofLiteral(text)
        : null;
  }

  private static SocketAddress known(@Nullable SocketAddress address) {
    return address != null ? address : UNKNOWN;
  }
}
