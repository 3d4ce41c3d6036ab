package dev.weftline.internal.net;

import static java.lang.System.Logger.Level.DEBUG;
import static java.lang.System.Logger.Level.WARNING;

import dev.weftline.internal.http.Connection;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandler;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ChannelOption;
import io.netty.channel.ServerChannel;
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
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;

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
  private final Supplier<? extends ChannelHandler> handshakes;
  private final List<Channel> servers = new ArrayList<>();
  private final ConcurrentHashMap<Channel, Loops.Place> connections = new ConcurrentHashMap<>();
  private final CompletableFuture<Void> drained = new CompletableFuture<>();
  private volatile boolean stopped;

  private Listener(Loops loops, Options options, Supplier<? extends ChannelHandler> handshakes) {
    this.loops = loops;
    this.options = options;
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
    if (addresses.isEmpty()) throw new IllegalArgumentException("no address to listen on");
    var listener = new Listener(loops, options, handshakes);
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
    // The close runs on the acceptor's loop, so what it accepted before has its loop by then.
    for (var server : servers) server.close().awaitUninterruptibly();
    stopped = true;
    if (connections.isEmpty()) drained.complete(null);
  }

  /// Stops accepting and lets every connection finish its exchanges: each HTTP/2 connection says
  /// GOAWAY and closes once it is done, each HTTP/1 connection closes behind the response under
  /// way, one that has not said what it speaks closes at once.
  ///
  /// @return done when the last connection has closed; a connection may take as long as its calls
  ///   do, so bound the wait and then [#close]
  public CompletableFuture<Void> drain() {
    stopAccepting();
    connections.forEach((channel, place) ->
        place.loop.execute(() -> {
          var connection = channel.pipeline().get(Connection.class);
          if (connection == null) channel.close();
          else connection.shutdown();
        }));
    return drained;
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
    channel.config().setOption(ChannelOption.WRITE_BUFFER_WATER_MARK, WRITE_WATER_MARK);
    if (channel.localAddress() instanceof InetSocketAddress) {
      // We flush once per batch and know when a batch ends; Nagle's algorithm would only wait.
      channel.config().setOption(ChannelOption.TCP_NODELAY, true);
    }
    channel.pipeline().addLast(handshakes.get());
    var place = loops.take();
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
    if (place != null) loops.giveBack(place);
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
