package dev.weftline.server;

import com.google.common.util.concurrent.Futures;
import com.google.common.util.concurrent.ListenableFuture;
import dev.weftline.server.Connections.ChannelzSocket;
import io.grpc.InternalChannelz;
import io.grpc.InternalChannelz.ServerStats;
import io.grpc.InternalInstrumented;
import io.grpc.InternalLogId;
import io.grpc.ServerServiceDefinition;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/// A [Server] as `io.grpc.Server`: what grpc-java's builder returns, what reflection finds in the
/// Context, what channelz shows.
final class GrpcJavaServer extends io.grpc.Server implements InternalInstrumented<ServerStats> {
  private final Server server;
  private final InternalLogId logId = InternalLogId.allocate("Server", "weftline");
  private volatile List<ChannelzSocket> listenSockets = List.of();
  private volatile boolean shown;

  GrpcJavaServer(Server server) {
    this.server = server;
  }

  /// Before the first connection: channelz shows the server.
  void show() {
    InternalChannelz.instance().addServer(this);
    shown = true;
  }

  /// The server listens here.
  void listening(List<SocketAddress> addresses) {
    var sockets = new ArrayList<ChannelzSocket>();
    for (var address : addresses) {
      var socket = new ChannelzSocket(address, null, null);
      sockets.add(socket);
      InternalChannelz.instance().addListenSocket(socket);
    }
    listenSockets = List.copyOf(sockets);
  }

  /// Every connection of the server is gone.
  void hide() {
    if (!shown) return;
    shown = false;
    var channelz = InternalChannelz.instance();
    for (var socket : listenSockets) channelz.removeListenSocket(socket);
    channelz.removeServer(this);
  }

  @Override
  public io.grpc.Server start() throws IOException {
    server.start();
    return this;
  }

  @Override
  public int getPort() {
    for (var address : server.addresses()) {
      if (address instanceof InetSocketAddress inet) return inet.getPort();
    }
    return -1;
  }

  @Override
  public List<? extends SocketAddress> getListenSockets() {
    return server.addresses();
  }

  @Override
  public List<ServerServiceDefinition> getServices() {
    var all = new ArrayList<>(server.definitions());
    all.addAll(server.fallbackDefinitions());
    return List.copyOf(all);
  }

  @Override
  public List<ServerServiceDefinition> getImmutableServices() {
    return server.definitions();
  }

  @Override
  public List<ServerServiceDefinition> getMutableServices() {
    return server.fallbackDefinitions();
  }

  @Override
  public io.grpc.Server shutdown() {
    server.stop();
    return this;
  }

  @Override
  public io.grpc.Server shutdownNow() {
    server.shutdownNow();
    return this;
  }

  @Override
  public boolean isShutdown() {
    return server.isShutdown();
  }

  @Override
  public boolean isTerminated() {
    return server.isTerminated();
  }

  @Override
  public boolean awaitTermination(long timeout, TimeUnit unit) throws InterruptedException {
    return server.awaitTermination(timeout, unit);
  }

  @Override
  public void awaitTermination() throws InterruptedException {
    server.awaitTermination();
  }

  @Override
  public InternalLogId getLogId() {
    return logId;
  }

  @Override
  public ListenableFuture<ServerStats> getStats() {
    var counters = server.counters();
    var stats =
        new ServerStats.Builder()
            .setCallsStarted(counters.started())
            .setCallsSucceeded(counters.succeeded())
            .setCallsFailed(counters.failed())
            .setLastCallStartedNanos(TimeUnit.MILLISECONDS.toNanos(counters.lastStartedMillis()));
    stats.addListenSockets(List.copyOf(listenSockets));
    return Futures.immediateFuture(stats.build());
  }

  @Override
  public String toString() {
    return logId.toString();
  }
}
