package dev.weftline.benchmarks.peer;

import dev.weftline.Service;
import dev.weftline.server.Server;
import java.io.IOException;

/// Weftline, every setting as it comes.
final class WeftlinePeer {
  private WeftlinePeer() {}

  @SuppressWarnings("MustBeClosedChecker") // it serves until the process ends
  static int start(Service service) throws IOException {
    return Server.builder().port(0).addService(service).start().port();
  }
}
