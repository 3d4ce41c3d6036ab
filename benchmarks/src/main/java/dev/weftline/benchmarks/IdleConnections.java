package dev.weftline.benchmarks;

import java.io.IOException;
import java.util.ArrayList;
import java.util.concurrent.TimeUnit;

/// What a connection costs that made one call and now waits: memory after a full collection with
/// and without many of them.
final class IdleConnections {
  private static final int CONNECTIONS = 2_000;
  private static final int ROUNDS = 3;
  private static final int SECONDS_MAX = 30;

  /// For one connection.
  record Cost(double heapBytes, double directBytes) {
    double bytes() {
      return heapBytes + directBytes;
    }
  }

  private IdleConnections() {}

  static Cost measure(PeerProcess server) throws IOException, InterruptedException {
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

  private static PeerProcess.Memory hold(PeerProcess server, int connections)
      throws IOException, InterruptedException {
    byte[] body = Scenario.UNARY_1X1.body();
    long files = server.openFiles();
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
      awaitFiles(server, files);
    }
  }

  /// A connection that the server still holds would count as cost of having none.
  private static void awaitFiles(PeerProcess server, long files)
      throws IOException, InterruptedException {
    long until = System.nanoTime() + TimeUnit.SECONDS.toNanos(SECONDS_MAX);
    // A library may have opened a file of its own meanwhile.
    while (server.openFiles() > files + CONNECTIONS / 100) {
      if (System.nanoTime() > until) {
        throw new IllegalStateException("closed connections stay open at the server");
      }
      Thread.sleep(50);
    }
  }
}
