package dev.weftline.benchmarks;

import java.io.IOException;
import java.util.ArrayList;

/// What a connection costs that made one call and now waits: memory after a full collection with
/// and without many of them.
final class IdleConnections {
  private static final int CONNECTIONS = 2_000;
  private static final int ROUNDS = 3;

  /// For one connection.
  record Cost(double heapBytes, double directBytes) {
    double bytes() {
      return heapBytes + directBytes;
    }
  }

  private IdleConnections() {}

  static Cost measure(PeerProcess server) throws IOException {
    // The first connections pay for classes, pools and caches that all later ones share.
    hold(server, CONNECTIONS / 4);
    var heap = new double[ROUNDS];
    var direct = new double[ROUNDS];
    for (int round = 0; round < ROUNDS; round++) {
      var before = server.collect();
      var during = hold(server, CONNECTIONS);
      heap[round] = (double) (during.heapBytes() - before.heapBytes()) / CONNECTIONS;
      direct[round] = (double) (during.directBytes() - before.directBytes()) / CONNECTIONS;
    }
    return new Cost(Sample.middle(heap), Sample.middle(direct));
  }

  private static PeerProcess.Memory hold(PeerProcess server, int connections) throws IOException {
    byte[] body = Scenario.UNARY_1X1.body();
    var open = new ArrayList<RawConnection>();
    try {
      for (int i = 0; i < connections; i++) {
        var connection = RawConnection.open(server.port());
        open.add(connection);
        int got = connection.call(Scenario.UNARY_1X1.path(), body);
        if (got != Scenario.UNARY_1X1.replyBytes()) {
          throw new IllegalStateException("a reply of " + got + " bytes");
        }
      }
      return server.collect();
    } finally {
      for (var connection : open) {
        connection.close();
      }
    }
  }
}
