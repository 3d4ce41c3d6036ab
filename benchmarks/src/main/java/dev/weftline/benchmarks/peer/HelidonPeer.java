package dev.weftline.benchmarks.peer;

import io.helidon.webserver.WebServer;
import io.helidon.webserver.grpc.GrpcRouting;

/// Helidon with a grpc-java service.
final class HelidonPeer {
  private HelidonPeer() {}

  static int start() {
    return WebServer.builder()
        .port(0)
        .addRouting(GrpcRouting.builder().service(new HelloService()))
        .build()
        .start()
        .port();
  }
}
