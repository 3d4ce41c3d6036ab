package dev.weftline.benchmarks.peer;

import dev.weftline.Service;
import dev.weftline.server.Server;
import io.grpc.protobuf.services.HealthStatusManager;
import io.grpc.protobuf.services.ProtoReflectionServiceV1;
import java.io.IOException;

/// Weftline.
final class WeftlinePeer {
  private WeftlinePeer() {}

  /// Every setting as it comes.
  static int start(Service service) throws IOException {
    return start(Server.builder().addService(service));
  }

  /// With everything that a server in production has besides its services.
  static int startFull(Service service) throws IOException {
    return start(
        Server.builder()
            .addService(service)
            .addService(new HealthStatusManager().getHealthService())
            .addService(ProtoReflectionServiceV1.newInstance()));
  }

  @SuppressWarnings("MustBeClosedChecker") // it serves until the process ends
  private static int start(Server.Builder builder) throws IOException {
    return builder.port(0).start().port();
  }
}
