package dev.weftline.server;

import dev.weftline.internal.call.CallCounters;
import dev.weftline.internal.call.Router;
import dev.weftline.internal.grpcjava.ConnectionAttributes;
import dev.weftline.internal.http.Connection;
import dev.weftline.internal.http.Exchange;
import dev.weftline.internal.http.ExchangeHandler;
import io.grpc.InternalChannelz;
import io.grpc.InternalChannelz.SocketStats;
import io.netty.handler.ssl.SslHandler;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import javax.net.ssl.SSLSession;
import org.jspecify.annotations.Nullable;

/// The open connections of a server, as channelz and transport filters see them; their exchanges go
/// on to the router.
final class Connections implements ExchangeHandler.Factory {
  private final Router router;
  private final ConnectionAttributes attributes;
  private final GrpcJavaServer server;
  private final CallCounters counters;
  private final Map<Object, ChannelzSocket> sockets = new ConcurrentHashMap<>();

  Connections(
      Router router,
      ConnectionAttributes attributes,
      GrpcJavaServer server,
      CallCounters counters) {
    this.counters = counters;
    this.router = router;
    this.attributes = attributes;
    this.server = server;
  }

  @Override
  public ExchangeHandler open(Exchange exchange, boolean endOfRequest) {
    return router.open(exchange, endOfRequest);
  }

  @Override
  public void connectionOpened(Object connection) {
    if (!(connection instanceof Connection accepted)) {
      throw new IllegalArgumentException("not a connection: " + connection);
    }
    var channel = accepted.channel();
    var local = known(channel.localAddress());
    var remote = known(channel.remoteAddress());
    var tls = channel.pipeline().get(SslHandler.class);
    SSLSession session = tls == null ? null : tls.engine().getSession();
    var socket = new ChannelzSocket(local, remote, session);
    sockets.put(connection, socket);
    InternalChannelz.instance().addServerSocket(server, socket);
    attributes.opened(connection, remote, local, session, channel::close);
  }

  @Override
  public void peerBrokeRule(long code, boolean wholeConnection) {
    counters.breakRule(code);
  }

  @Override
  public void connectionClosed(Object connection) {
    var socket = sockets.remove(connection);
    if (socket != null) InternalChannelz.instance().removeServerSocket(server, socket);
    attributes.closed(connection);
  }

  /// Netty answers null for an address that the kernel no longer tells.
  private static SocketAddress known(@Nullable SocketAddress address) {
    return address != null ? address : InetSocketAddress.createUnresolved("unknown", 0);
  }

  /// One socket, as channelz shows it.
  static final class ChannelzSocket extends Instrumented<SocketStats> {
    private final SocketAddress local;
    private final @Nullable SocketAddress remote; // null for one that listens
    private final @Nullable SSLSession session; // null over plain text

    ChannelzSocket(
        SocketAddress local, @Nullable SocketAddress remote, @Nullable SSLSession session) {
      super(remote == null ? "ListenSocket" : "ServerSocket", String.valueOf(remote));
      this.local = local;
      this.remote = remote;
      this.session = session;
    }

    @Override
    SocketStats stats() {
      return new SocketStats(
          null,
          local,
          remote,
          new InternalChannelz.SocketOptions.Builder().build(),
          session == null
              ? null
              : new InternalChannelz.Security(new InternalChannelz.Tls(session)));
    }
  }
}
