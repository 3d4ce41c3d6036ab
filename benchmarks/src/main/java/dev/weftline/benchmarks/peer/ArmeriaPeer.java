package dev.weftline.benchmarks.peer;

import com.linecorp.armeria.server.Server;
import com.linecorp.armeria.server.grpc.GrpcService;

/// Armeria with a grpc-java service on its event loops, its default.
final class ArmeriaPeer {
  private ArmeriaPeer() {}

  static int start() {
    var server =
        Server.builder()
            .http(0)
            .service(GrpcService.builder().addService(new HelloService()).build())
            .build();
    server.start().join();
    return server.activeLocalPort();
  }
}
