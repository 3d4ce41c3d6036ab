package dev.weftline.internal.net;

import static java.lang.System.Logger.Level.DEBUG;
import static java.lang.System.Logger.Level.WARNING;

import dev.weftline.internal.http.Connection;
import dev.weftline.internal.http.TrustedPeers;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandler;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ChannelOption;
import io.netty.channel.MaxMessagesRecvByteBufAllocator;
import io.netty.channel.ServerChannel;
import io.netty.channel.ServerChannelRecvByteBufAllocator;
import io.netty.channel.WriteBufferWaterMark;
import io.netty.channel.unix.Errors.NativeIoException;
import io.netty.util.NetUtil;
import java.io.IOException;
import java.lang.System.Logger;
import java.net.BindException;
import java.net.Inet6Address;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.net.UnixDomainSocketAddress;
import java.net.UnknownHostException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/// The sockets a server listens on, and the connections accepted from them. Any thread may call,
/// except a loop: binding and closing wait for one.
///
/// Implementation note: one acceptor gives each connection to the loop that has the fewest. A
/// socket per loop with SO_REUSEPORT would let the kernel choose by hash, which leaves loops idle
/// when connections are few, as they are with HTTP/2.
public final class Listener implements AutoCloseable {
  private static final Logger log = System.getLogger(Listener.class.getName());

  /// What may wait in a channel for the socket: above the high mark a connection stops writing,
  /// below the low one it goes on. A socket's send buffer worth, so that the kernel never runs dry;
  /// a thousand peers that do not read hold 256 MiB at most.
  private static final WriteBufferWaterMark WRITE_WATER_MARK =
      new WriteBufferWaterMark(64 << 10, 256 << 10);

  /// After a failed accept, most often for want of file descriptors: time for some to come free.
  private static final long ACCEPT_PAUSE_MILLIS = 1_000;

  /// EADDRINUSE as Netty's native transports report it, which are all for Linux.
  private static final int LINUX_ADDRESS_IN_USE = -98;

  /// Over which a drain tells its connections, unless told otherwise: long enough that a thousand
  /// clients are no crowd, short beside any grace.
  public static final Duration SPREAD = Duration.ofSeconds(1);

  private static final long APART_NANOS_MAX = 1_000_000;

  /// How sockets listen.
  ///
  /// @param backlog connections the kernel completes and keeps before we accept them; 4096 is
  ///   Linux' own upper limit (net.core.somaxconn), so that a storm of reconnects is not turned
  ///   away
  /// @param reusePort SO_REUSEPORT: several processes of one user share the port, which lets a new
  ///   release start before the old one stops. Off by default, because with it a port that is taken
  ///   by mistake is not noticed
  public record Options(int backlog, boolean reusePort) {
    public static final Options DEFAULT = new Options(4_096, false);

    public Options {
      if (backlog < 1) throw new IllegalArgumentException("backlog: " + backlog);
    }

    public Options withReusePort(boolean newReusePort) {
      return new Options(backlog, newReusePort);
    }
  }

  private final Loops loops;
  private final Options options;
  private final PeerTable peers;
  private final @Nullable TrustedPeers proxies; // who says whom they connect for; null for nobody
  private final Supplier<? extends ChannelHandler> handshakes;
  private final List<Channel> servers = new ArrayList<>();
  private final MaxMessagesRecvByteBufAllocator accepts = new ServerChannelRecvByteBufAllocator();
  private final ConcurrentHashMap<Channel, Loops.Place> connections = new ConcurrentHashMap<>();
  private final CompletableFuture<Void> drained = new CompletableFuture<>();
  private volatile boolean stopped;

  private Listener(
      Loops loops,
      Options options,
      PeerTable peers,
      @Nullable TrustedPeers proxies,
      Supplier<? extends ChannelHandler> handshakes) {
    this.loops = loops;
    this.options = options;
    this.peers = peers;
    this.proxies = proxies;
    this.handshakes = handshakes;
  }

  /// Listens on all of `addresses`, or on none when one fails. Each accepted channel gets a handler
  /// from `handshakes`, most often a [Handshake].
  ///
  /// A wildcard address means every interface, IPv6 and IPv4, or IPv4 alone where IPv6 is off. Port
  /// 0 lets the kernel choose. A [UnixDomainSocketAddress] takes the place of a socket file that a
  /// dead process left.
  ///
  /// @throws IOException with one sentence for the operator; a [BindException] when an address is
  ///   taken
  public static Listener bind(
      Loops loops,
      List<? extends SocketAddress> addresses,
      Options options,
      Supplier<? extends ChannelHandler> handshakes)
      throws IOException {
    return bind(loops, addresses, options, PeerTable.unlimited(), null, handshakes);
  }

  /// The same, with limits for connections.
  ///
  /// @param peers counts connections, and refuses those that are too many
  /// @param proxies peers that must begin with a PROXY header; null where nobody may
  public static Listener bind(
      Loops loops,
      List<? extends SocketAddress> addresses,
      Options options,
      PeerTable peers,
      @Nullable TrustedPeers proxies,
      Supplier<? extends ChannelHandler> handshakes)
      throws IOException {
    if (addresses.isEmpty()) throw new IllegalArgumentException("no address to listen on");
    var listener = new Listener(loops, options, peers, proxies, handshakes);
    try {
      for (var address : addresses) listener.listen(address);
      return listener;
    } catch (IOException | RuntimeException e) {
      listener.close();
      throw e;
    }
  }

  /// The addresses bound, in the order asked for, with the ports the kernel chose.
  public List<SocketAddress> addresses() {
    return servers.stream().map(server -> Transport.fromNetty(server.localAddress())).toList();
  }

  /// How many accepted connections are open.
  public int openConnections() {
    return connections.size();
  }

  /// Closes the sockets that listen; connections go on. When it returns none is added any more.
  public synchronized void stopAccepting() {
    if (stopped) return;
    // The kernel resets what it has completed and we have not accepted. So the last look at the
    // socket, right before it closes, takes all that is there. The close runs on the acceptor's
    // loop, behind that look, so what was accepted has its loop by then.
    accepts.maxMessagesPerRead(options.backlog);
    for (var server : servers) server.close().awaitUninterruptibly();
    stopped = true;
    if (connections.isEmpty()) drained.complete(null);
  }

  /// Drains within [#SPREAD].
  public CompletableFuture<Void> drain() {
    return drain(SPREAD);
  }

  /// Stops accepting and lets every connection finish its exchanges: each HTTP/2 connection says
  /// GOAWAY and closes once it is done, each HTTP/1 connection closes behind the response under
  /// way, one that has not said what it speaks has a second to do so.
  ///
  /// The connections are told one after the other, spread evenly over `spread`, so that their
  /// clients do not all come back to the next server in the same instant; a millisecond apart is
  /// enough, so a few are told almost at once.
  ///
  /// @return done when the last connection has closed; a connection may take as long as its calls
  ///   do, so bound the wait and then [#close]
  public CompletableFuture<Void> drain(Duration spread) {
    stopAccepting();
    var open = List.copyOf(connections.entrySet());
    long apartNanos = apartNanos(spread, open.size());
    for (int i = 0; i < open.size(); i++) {
      var channel = open.get(i).getKey();
      var loop = open.get(i).getValue().loop;
      loop.schedule(() -> drain(channel), i * apartNanos, TimeUnit.NANOSECONDS);
    }
    return drained;
  }

  static long apartNanos(Duration spread, int connections) {
    return Math.min(spread.toNanos() / Math.max(1, connections), APART_NANOS_MAX);
  }

  private static void drain(Channel channel) {
    var pipeline = channel.pipeline();
    var connection = pipeline.get(Connection.class);
    var handshake = pipeline.get(Handshake.class);
    if (connection != null) connection.shutdown();
    else if (handshake != null) handshake.drain(channel);
    else channel.close();
  }

  /// Stops accepting and closes every connection, streams or not. Does not wait for peers.
  @Override
  public void close() {
    stopAccepting();
    for (var channel : connections.keySet()) channel.close();
  }

  /// The addresses, as an operator writes them.
  @Override
  public String toString() {
    return String.join(", ", addresses().stream().map(Listener::spell).toList());
  }

  private void listen(SocketAddress address) throws IOException {
    switch (address) {
      case InetSocketAddress inet when inet.isUnresolved() ->
          throw new UnknownHostException(
              "cannot listen on " + inet.getHostString() + ": no such host is known");
      case InetSocketAddress inet when inet.getAddress().isAnyLocalAddress() ->
          listenEverywhere(inet.getPort());
      case UnixDomainSocketAddress unix -> {
        SocketFile.removeStale(unix.getPath());
        listenOn(unix);
      }
      default -> listenOn(address);
    }
  }

  private void listenEverywhere(int port) throws IOException {
    var anyIpv4 = new InetSocketAddress(InetAddress.getByAddress(new byte[4]), port);
    if (NetUtil.isIpV4StackPreferred()) {
      listenOn(anyIpv4);
      return;
    }
    try {
      // On Linux a socket bound to [::] takes IPv4 as well (ipv6(7), IPV6_V6ONLY off).
      listenOn(new InetSocketAddress(InetAddress.getByAddress(new byte[16]), port));
    } catch (BindException e) {
      throw e; // IPv6 works, the port is taken
    } catch (IOException e) {
      log.log(DEBUG, "no IPv6, listening on IPv4 alone: {0}", e.getMessage());
      listenOn(anyIpv4);
    }
  }

  private void listenOn(SocketAddress address) throws IOException {
    ServerChannel server = loops.transport().serverChannel(address);
    server.config().setOption(ChannelOption.SO_BACKLOG, options.backlog);
    server.config().setRecvByteBufAllocator(accepts);
    if (options.reusePort && address instanceof InetSocketAddress) {
      server.config().setOption(loops.transport().reusePort(), true);
    }
    server.pipeline().addLast(new Acceptor());
    loops.next().register(server).syncUninterruptibly();
    var bound = server.bind(loops.transport().toNetty(address)).awaitUninterruptibly();
    var cause = bound.cause();
    if (cause != null) {
      server.close().awaitUninterruptibly();
      throw bindFault(address, cause);
    }
    servers.add(server);
  }

  private static IOException bindFault(SocketAddress address, Throwable cause) {
    if (!isInUse(cause)) {
      return new IOException(
          "cannot listen on " + spell(address) + ": " + cause.getMessage(), cause);
    }
    var taken =
        address instanceof InetSocketAddress inet
            ? "port " + inet.getPort() + " is already in use on " + spellHost(inet)
            : spell(address) + " is already in use";
    var fault =
        new BindException(
            taken + " (BindException): stop the other process or choose another port");
    fault.initCause(cause);
    return fault;
  }

  private static boolean isInUse(Throwable cause) {
    return cause instanceof NativeIoException fault
        ? fault.expectedErr() == LINUX_ADDRESS_IN_USE
        : cause instanceof BindException && "Address already in use".equals(cause.getMessage());
  }

  private static String spell(SocketAddress address) {
    return address instanceof InetSocketAddress inet
        ? spellHost(inet) + ":" + inet.getPort()
        : address.toString();
  }

  private static String spellHost(InetSocketAddress address) {
    var host = NetUtil.toAddressString(address.getAddress());
    return address.getAddress() instanceof Inet6Address ? "[" + host + "]" : host;
  }

  private void accepted(Channel channel) {
    // Before anything is spent on it: no handshake, no loop.
    if (!peers.enter(channel.remoteAddress())) {
      channel.unsafe().closeForcibly();
      return;
    }
    // Behind a proxy its client is the peer, whom only the header tells.
    if (proxies == null && !peers.enterPeer(channel, channel.remoteAddress())) {
      peers.leave();
      channel.unsafe().closeForcibly();
      return;
    }
    channel.config().setOption(ChannelOption.WRITE_BUFFER_WATER_MARK, WRITE_WATER_MARK);
    if (channel.localAddress() instanceof InetSocketAddress) {
      // We flush once per batch and know when a batch ends; Nagle's algorithm would only wait.
      channel.config().setOption(ChannelOption.TCP_NODELAY, true);
    }
    if (proxies != null) channel.pipeline().addLast(new ProxyHeader(proxies, peers));
    channel.pipeline().addLast(handshakes.get());
    var place = loops.take();
    channel.config().setRecvByteBufAllocator(place.reads);
    connections.put(channel, place);
    place
        .loop
        .register(channel)
        .addListener(registered -> {
          if (registered.isSuccess()) return;
          // Its close future never completes, for no loop owns it.
          channel.unsafe().closeForcibly();
          left(channel);
        });
    channel.closeFuture().addListener(_ -> left(channel));
  }

  private void left(Channel channel) {
    var place = connections.remove(channel);
    if (place != null) {
      loops.giveBack(place);
      peers.leave();
    }
    if (stopped && connections.isEmpty()) drained.complete(null);
  }

  /// Gives each accepted channel its loop. Confined to the loop of the socket that listens.
  private final class Acceptor extends ChannelInboundHandlerAdapter {
    @Override
    public void channelRead(ChannelHandlerContext ctx, Object message) {
      accepted((Channel) message);
    }

    @Override
    public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
      log.log(
          WARNING,
          "cannot accept on {0}, trying again in a second: {1}",
          ctx.channel().localAddress(),
          cause);
      var config = ctx.channel().config();
      config.setAutoRead(false);
      ctx.executor()
          .schedule(
              () -> {
                config.setAutoRead(true);
              },
              ACCEPT_PAUSE_MILLIS,
              TimeUnit.MILLISECONDS);
    }
  }
}
