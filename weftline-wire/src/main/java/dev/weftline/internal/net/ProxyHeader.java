package dev.weftline.internal.net;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import dev.weftline.internal.http.PeerAddress;
import dev.weftline.internal.http.TrustedPeers;
import dev.weftline.internal.net.PeerTable.Refusal;
import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.handler.codec.DecoderException;
import io.netty.handler.codec.haproxy.HAProxyCommand;
import io.netty.handler.codec.haproxy.HAProxyMessage;
import io.netty.handler.codec.haproxy.HAProxyMessageDecoder;
import io.netty.handler.codec.haproxy.HAProxyProxiedProtocol.AddressFamily;
import io.netty.util.ReferenceCountUtil;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import org.jspecify.annotations.Nullable;

/// What a proxy says of its client before anything else, TLS included: HAProxy's PROXY protocol,
/// version 1 or 2. A trusted peer must say it, for its own address must not pass for its client's;
/// from anyone else it is a forgery. Leaves when it has been read.
///
/// Confined to the loop of its channel. How long it may take is bounded by [Handshake], which
/// stands behind it; how long it may be, by the protocol (version 1) and by `EXTENSION_BYTES_MAX`.
final class ProxyHeader extends ChannelInboundHandlerAdapter {
  /// Of what version 2 may carry beside addresses (TLVs), and we do not read: enough for a client
  /// certificate.
  private static final int EXTENSION_BYTES_MAX = 8 << 10;

  private static final byte[] VERSION_1 = "PROXY ".getBytes(ISO_8859_1);
  private static final byte[] VERSION_2 = "\r\n\r\n\0\r\nQUIT\n".getBytes(ISO_8859_1);

  private final TrustedPeers proxies;
  private final PeerTable peers;
  private boolean refused;
  private @Nullable ByteBuf held; // what may become a forged header

  ProxyHeader(TrustedPeers proxies, PeerTable peers) {
    this.proxies = proxies;
    this.peers = peers;
  }

  @Override
  public void handlerAdded(ChannelHandlerContext ctx) {
    var peer = PeerAddress.of(ctx.channel());
    if (proxies.trusts(peer)) {
      ctx.pipeline().addBefore(ctx.name(), null, new HAProxyMessageDecoder(EXTENSION_BYTES_MAX));
    } else if (!peers.enterPeer(ctx.channel(), peer)) {
      refused = true;
      ctx.close();
    }
  }

  @Override
  public void handlerRemoved(ChannelHandlerContext ctx) {
    if (held != null) held.release();
    held = null;
  }

  @Override
  public void channelRead(ChannelHandlerContext ctx, Object message) {
    if (refused) {
      ReferenceCountUtil.release(message);
    } else if (message instanceof HAProxyMessage header) {
      try {
        told(ctx, header);
      } finally {
        header.release();
      }
    } else {
      untold(ctx, (ByteBuf) message);
    }
  }

  private void told(ChannelHandlerContext ctx, HAProxyMessage header) {
    var client = client(header);
    if (client != null) {
      PeerAddress.tell(ctx.channel(), client);
      if (!peers.enterPeer(ctx.channel(), client)) {
        refused = true;
        ctx.close();
        return;
      }
    }
    ctx.pipeline().remove(this); // what follows the header then goes past us
  }

  /// Null where the connection is the proxy's own: for LOCAL, its health checks, and for families
  /// that it does not know or that have no IP address, the protocol wants the real address kept.
  private static @Nullable InetSocketAddress client(HAProxyMessage header) {
    var family = header.proxiedProtocol().addressFamily();
    boolean inet = family == AddressFamily.AF_IPv4 || family == AddressFamily.AF_IPv6;
    if (header.command() == HAProxyCommand.LOCAL || !inet) return null;
    return new InetSocketAddress(
        InetAddress.ofLiteral(header.sourceAddress()), header.sourcePort());
  }

  /// The first octets of a peer that is not trusted. Takes over `bytes`.
  private void untold(ChannelHandlerContext ctx, ByteBuf bytes) {
    var first = bytes;
    if (held != null) {
      first = Handshake.joined(ctx, held, bytes);
      held = null;
    }
    int same = Math.max(common(first, VERSION_1), common(first, VERSION_2));
    boolean forged =
        common(first, VERSION_1) == VERSION_1.length
            || common(first, VERSION_2) == VERSION_2.length;
    if (forged) {
      first.release();
      refuse(ctx, "it is no trusted proxy, and sent a PROXY header");
    } else if (same == first.readableBytes()) {
      held = first;
    } else {
      ctx.pipeline().remove(this);
      ctx.fireChannelRead(first);
    }
  }

  private static int common(ByteBuf bytes, byte[] start) {
    int max = Math.min(bytes.readableBytes(), start.length);
    int same = 0;
    while (same < max && bytes.getByte(bytes.readerIndex() + same) == start[same]) same++;
    return same;
  }

  @Override
  public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
    if (cause instanceof DecoderException) {
      refuse(ctx, "no valid PROXY header: " + cause.getMessage());
    } else {
      ctx.fireExceptionCaught(cause);
    }
  }

  private void refuse(ChannelHandlerContext ctx, String reason) {
    if (refused) return;
    refused = true;
    peers.refuse(Refusal.PROXY_HEADER, ctx.channel().remoteAddress(), reason);
    ctx.close();
  }
}
