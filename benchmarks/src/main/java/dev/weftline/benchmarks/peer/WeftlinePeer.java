package dev.weftline.benchmarks.peer;

import dev.weftline.server.Server;
import java.io.IOException;

/// Weftline with the same grpc-java service, every setting as it comes.
final class WeftlinePeer {
  private WeftlinePeer() {}

  @SuppressWarnings("MustBeClosedChecker") // it serves until the process ends
  static int start() throws IOException {
    return Server.builder().port(0).addService(new HelloService()).start().port();
  }
}
