package dev.weftline.testing;

import dev.weftline.probe.ProbeGrpc;
import dev.weftline.server.Limits;
import dev.weftline.server.Server;
import io.grpc.BindableService;
import io.grpc.Grpc;
import io.grpc.InsecureChannelCredentials;
import io.grpc.ManagedChannel;
import java.io.IOException;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import java.util.function.UnaryOperator;

/// A server on a free port of the loopback, and grpc-java's own client for it.
public final class RunningServer implements AutoCloseable {
  private final Server server;
  private final ManagedChannel channel;

  private RunningServer(Server server) {
    this.server = server;
    this.channel =
        Grpc.newChannelBuilder("127.0.0.1:" + server.port(), InsecureChannelCredentials.create())
            .maxInboundMessageSize(64 << 20)
            .build();
  }

  public static RunningServer of(BindableService service) {
    return with(builder -> builder.addService(service));
  }

  public static RunningServer with(UnaryOperator<Server.Builder> options) {
    var builder = Server.builder().port(0).grace(Duration.ofSeconds(2)).limits(Limits.DEFAULT);
    try {
      return new RunningServer(options.apply(builder).start());
    } catch (IOException e) {
      throw new AssertionError(e);
    }
  }

  public Server server() {
    return server;
  }

  public ManagedChannel channel() {
    return channel;
  }

  public ProbeGrpc.ProbeBlockingStub blocking() {
    return ProbeGrpc.newBlockingStub(channel);
  }

  public ProbeGrpc.ProbeStub async() {
    return ProbeGrpc.newStub(channel);
  }

  @Override
  public void close() {
    channel.shutdownNow();
    try {
      channel.awaitTermination(5, TimeUnit.SECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    server.close();
  }
}
