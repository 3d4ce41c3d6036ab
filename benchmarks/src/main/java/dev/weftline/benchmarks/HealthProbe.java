package dev.weftline.benchmarks;

import java.io.IOException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import org.HdrHistogram.ConcurrentHistogram;

/// What a load balancer asks, every 50 ms on a connection of its own: is this server healthy? Times
/// each answer from when the question was due.
final class HealthProbe implements AutoCloseable {
  static final String PATH = "/grpc.health.v1.Health/Check";

  /// An empty message: the server as a whole.
  static final byte[] REQUEST = new byte[5];

  private static final int REPLY_BYTES = 7; // the prefix, and `status`
  private static final long INTERVAL_NANOS = TimeUnit.MILLISECONDS.toNanos(50);
  private static final long MICROS_MAX = TimeUnit.MINUTES.toMicros(2);

  private final RawConnection connection;
  private final ConcurrentHistogram micros = new ConcurrentHistogram(MICROS_MAX, 3);
  private volatile int failed;
  private volatile long due =
      System.nanoTime(); // the question that waits for its answer, or the next
  private volatile boolean stopping;

  private HealthProbe(int port) throws IOException {
    connection = RawConnection.open(port);
  }

  static HealthProbe start(int port) throws IOException {
    var probe = new HealthProbe(port);
    Thread.ofPlatform().daemon().name("health probe").start(probe::probe);
    return probe;
  }

  @SuppressWarnings("NonAtomicVolatileUpdate") // one thread writes
  private void probe() {
    while (!stopping) {
      for (long left; (left = due - System.nanoTime()) > 0; ) {
        LockSupport.parkNanos(left);
      }
      try {
        if (connection.call(PATH, REQUEST) != REPLY_BYTES) {
          failed++;
        }
      } catch (IOException e) {
        if (!stopping) {
          failed++;
        }
        return;
      }
      micros.recordValue(Math.min((System.nanoTime() - due) / 1_000, MICROS_MAX));
      due += INTERVAL_NANOS;
    }
  }

  int failed() {
    return failed;
  }

  /// The longest so far; a question that nobody has answered yet counts with its age.
  double maxMillis() {
    return Math.max(micros.getMaxValue() / 1e3, (System.nanoTime() - due) / 1e6);
  }

  /// Does not wait for an answer that is due: a server that gives none has failed.
  @Override
  public void close() throws IOException {
    stopping = true;
    connection.close();
  }
}
