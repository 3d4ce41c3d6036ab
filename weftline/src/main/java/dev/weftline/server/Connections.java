package dev.weftline.server;

import dev.weftline.internal.call.CallCounters;
import dev.weftline.internal.call.Router;
import dev.weftline.internal.grpcjava.ConnectionAttributes;
import dev.weftline.internal.http.ByteBudget;
import dev.weftline.internal.http.Connection;
import dev.weftline.internal.http.ConnectionEnd;
import dev.weftline.internal.http.Exchange;
import dev.weftline.internal.http.ExchangeHandler;
import dev.weftline.internal.http.PeerAddress;
import io.grpc.InternalChannelz;
import io.grpc.InternalChannelz.SocketStats;
import io.netty.handler.ssl.SslHandler;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.util.Arrays;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.LongAdder;
import javax.net.ssl.SSLSession;
import org.jspecify.annotations.Nullable;

/// The open connections of a server, as channelz and transport filters see them; their exchanges go
/// on to the router.
final class Connections implements ExchangeHandler.Factory {
  private final Router router;
  private final ConnectionAttributes attributes;
  private final GrpcJavaServer server;
  private final CallCounters counters;
  private final ByteBudget budget;
  private final Map<Object, ChannelzSocket> sockets = new ConcurrentHashMap<>();
  private final LongAdder[] endings = new LongAdder[ConnectionEnd.values().length];

  Connections(
      Router router,
      ConnectionAttributes attributes,
      GrpcJavaServer server,
      CallCounters counters,
      ByteBudget budget) {
    Arrays.setAll(endings, _ -> new LongAdder());
    this.budget = budget;
    this.counters = counters;
    this.router = router;
    this.attributes = attributes;
    this.server = server;
  }

  @Override
  public ByteBudget budget() {
    return budget;
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
    var remote = PeerAddress.of(channel);
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
  public void connectionEnding(ConnectionEnd end) {
    endings[end.ordinal()].increment();
  }

  /// How many connections this side ended, by reason; what never happened is left out.
  Map<String, Long> ended() {
    var counts = new TreeMap<String, Long>();
    for (var end : ConnectionEnd.values()) {
      long count = endings[end.ordinal()].sum();
      if (count > 0) counts.put(end.name(), count);
    }
    return counts;
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
