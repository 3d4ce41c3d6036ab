package dev.weftline.benchmarks.peer;

import dev.weftline.server.Server;
import dev.weftline.server.TlsFiles;
import io.grpc.health.v1.HealthCheckResponse.ServingStatus;
import io.grpc.netty.NettyServerBuilder;
import io.grpc.protobuf.services.HealthStatusManager;
import io.netty.channel.unix.UnixChannelOption;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Locale;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/// A server of [Workshop]'s work, as an operator runs it: with health, at a port that stays, and
/// stopped by SIGTERM.
public enum Replica {
  WEFTLINE("Weftline"),
  /// Its own executor starts a thread for each call that finds none idle.
  GRPC_JAVA("grpc-java"),
  GRPC_JAVA_VIRTUAL("grpc-java, virtual threads"),
  GRPC_JAVA_POOL("grpc-java, 200 threads"),
  GRPC_JAVA_BARE("grpc-java, no shutdown hook");

  private static final int GRACE_SECONDS = 20;
  private static final int POOL_THREADS = 200; // as servlet containers have

  private static final Duration RELOAD = Duration.ofMillis(100);

  private final String label;

  Replica(String label) {
    this.label = label;
  }

  /// How it is named on the command line.
  public String id() {
    return name().toLowerCase(Locale.ROOT).replace('_', '-');
  }

  /// How it is named in a table.
  public String label() {
    return label;
  }

  /// Whether it is Weftline.
  public boolean isOurs() {
    return this == WEFTLINE;
  }

  /// Whether every call that waits costs the machine a thread.
  public boolean hasThreadPerWaitingCall() {
    return this == GRPC_JAVA || this == GRPC_JAVA_BARE;
  }

  public static Replica of(String id) {
    for (var replica : values()) {
      if (replica.id().equals(id)) {
        return replica;
      }
    }
    throw new IllegalArgumentException("no such server here: " + id);
  }

  /// Where and how it listens.
  ///
  /// @param port 0 lets the kernel choose one
  /// @param shared whether another process may listen there as well
  /// @param certificates a directory with `tls.crt` and `tls.key`; plain text without
  record Place(int port, boolean shared, @Nullable Path certificates) {}

  /// Starts the server in this process and returns its port.
  int start(Place place) throws IOException {
    return switch (this) {
      case WEFTLINE -> weftline(place);
      case GRPC_JAVA -> grpcJava(place, true, b -> b);
      case GRPC_JAVA_VIRTUAL ->
          grpcJava(place, true, b -> b.executor(Executors.newVirtualThreadPerTaskExecutor()));
      case GRPC_JAVA_POOL ->
          grpcJava(place, true, b -> b.executor(Executors.newFixedThreadPool(POOL_THREADS)));
      case GRPC_JAVA_BARE -> grpcJava(place, false, b -> b);
    };
  }

  /// Every setting as it comes: health, and what SIGTERM does, are part of it.
  @SuppressWarnings("MustBeClosedChecker") // it serves until the process ends
  private static int weftline(Place place) throws IOException {
    var builder =
        Server.builder()
            .port(place.port)
            .reusePort(place.shared)
            .addService(StraightWork.service());
    if (place.certificates != null) {
      var files =
          TlsFiles.pem(
              place.certificates.resolve("tls.crt"), place.certificates.resolve("tls.key"));
      builder.tls(files.withReload(RELOAD)); // a hundred swaps are to take less than ten minutes
    }
    return builder.start().port();
  }

  /// With the hook it is what careful tutorials show: health first, then no new calls, then time
  /// for those that are open.
  private static int grpcJava(Place place, boolean hook, UnaryOperator<NettyServerBuilder> executor)
      throws IOException {
    if (place.certificates != null) {
      throw new IllegalArgumentException("TLS is only asked of Weftline");
    }
    var health = new HealthStatusManager();
    health.setStatus("", ServingStatus.SERVING);
    var builder = executor.apply(NettyServerBuilder.forPort(place.port));
    if (place.shared) {
      builder.withOption(UnixChannelOption.SO_REUSEPORT, true);
    }
    var server =
        builder.addService(new WorkService()).addService(health.getHealthService()).build().start();
    if (hook) {
      Runtime.getRuntime()
          .addShutdownHook(
              new Thread(
                  () -> {
                    health.enterTerminalState();
                    server.shutdown();
                    try {
                      if (!server.awaitTermination(GRACE_SECONDS, TimeUnit.SECONDS)) {
                        server.shutdownNow();
                      }
                    } catch (InterruptedException e) {
                      server.shutdownNow();
                      Thread.currentThread().interrupt();
                    }
                  },
                  "shutdown"));
    }
    return server.getPort();
  }
}
