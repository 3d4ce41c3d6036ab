package dev.weftline.internal.net;

import io.netty.channel.ChannelOption;
import io.netty.channel.DefaultSelectStrategyFactory;
import io.netty.channel.IoHandlerFactory;
import io.netty.channel.ServerChannel;
import io.netty.channel.epoll.Epoll;
import io.netty.channel.epoll.EpollIoHandler;
import io.netty.channel.epoll.EpollServerDomainSocketChannel;
import io.netty.channel.epoll.EpollServerSocketChannel;
import io.netty.channel.nio.NioIoHandler;
import io.netty.channel.socket.nio.NioChannelOption;
import io.netty.channel.socket.nio.NioServerDomainSocketChannel;
import io.netty.channel.socket.nio.NioServerSocketChannel;
import io.netty.channel.unix.DomainSocketAddress;
import io.netty.channel.unix.UnixChannelOption;
import io.netty.channel.uring.IoUring;
import io.netty.channel.uring.IoUringIoHandler;
import io.netty.channel.uring.IoUringServerDomainSocketChannel;
import io.netty.channel.uring.IoUringServerSocketChannel;
import java.net.SocketAddress;
import java.net.StandardSocketOptions;
import java.net.UnixDomainSocketAddress;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/// How loops wait for sockets.
public enum Transport {
  EPOLL,
  IO_URING,
  NIO;

  /// Names the transport for this process: `epoll`, `io_uring` or `nio`.
  private static final String PROPERTY = "weftline.transport";

  /// How many sockets a loop serves before it looks which others have something, its tasks
  /// included. With all that are ready, whoever becomes so a moment later waits for them twice, and
  /// a call for all of them to be read before it runs; fewer are more system calls. Only epoll has
  /// the choice.
  static final int EVENTS_MAX = 16;

  /// What the system property `weftline.transport` names; without it epoll where Linux offers it,
  /// NIO elsewhere. io_uring is never chosen unasked: it was not faster on loaded connections, and
  /// container runtimes often forbid it.
  ///
  /// @throws IllegalArgumentException when the property names no transport, or one this machine
  ///   lacks
  public static Transport preferred() {
    var name = System.getProperty(PROPERTY);
    if (name == null) return EPOLL.isAvailable() ? EPOLL : NIO;
    for (var transport : values()) {
      if (transport.name().equals(name.toUpperCase(Locale.ROOT))) {
        transport.requireAvailable();
        return transport;
      }
    }
    throw new IllegalArgumentException(
        PROPERTY + " is " + name + ", but only epoll, io_uring and nio are known");
  }

  public boolean isAvailable() {
    return unavailableCause() == null;
  }

  void requireAvailable() {
    var cause = unavailableCause();
    if (cause == null) return;
    throw new IllegalArgumentException(
        "transport "
            + name().toLowerCase(Locale.ROOT)
            + " is not available on this machine: "
            + cause.getMessage(),
        cause);
  }

  private @Nullable Throwable unavailableCause() {
    return switch (this) {
      case EPOLL -> Epoll.unavailabilityCause();
      case IO_URING -> IoUring.unavailabilityCause();
      case NIO -> null;
    };
  }

  IoHandlerFactory ioHandlers() {
    return switch (this) {
      case EPOLL -> EpollIoHandler.newFactory(EVENTS_MAX, DefaultSelectStrategyFactory.INSTANCE);
      case IO_URING -> IoUringIoHandler.newFactory();
      case NIO -> NioIoHandler.newFactory();
    };
  }

  /// An unbound channel that can listen on addresses of this kind.
  ServerChannel serverChannel(SocketAddress address) {
    boolean unix = address instanceof UnixDomainSocketAddress;
    return switch (this) {
      case EPOLL -> unix ? new EpollServerDomainSocketChannel() : new EpollServerSocketChannel();
      case IO_URING ->
          unix ? new IoUringServerDomainSocketChannel() : new IoUringServerSocketChannel();
      case NIO -> unix ? new NioServerDomainSocketChannel() : new NioServerSocketChannel();
    };
  }

  ChannelOption<Boolean> reusePort() {
    return switch (this) {
      case EPOLL, IO_URING -> UnixChannelOption.SO_REUSEPORT;
      case NIO -> NioChannelOption.of(StandardSocketOptions.SO_REUSEPORT);
    };
  }

  /// Netty's native transports have their own type for what the JDK calls UnixDomainSocketAddress.
  SocketAddress toNetty(SocketAddress address) {
    return this != NIO && address instanceof UnixDomainSocketAddress unix
        ? new DomainSocketAddress(unix.getPath().toString())
        : address;
  }

  static SocketAddress fromNetty(SocketAddress address) {
    return address instanceof DomainSocketAddress unix
        ? UnixDomainSocketAddress.of(unix.path())
        : address;
  }
}
