package dev.weftline.benchmarks;

import java.io.IOException;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.LongAdder;
import java.util.concurrent.locks.LockSupport;
import org.HdrHistogram.ConcurrentHistogram;

/// Clients that come at a constant rate, each with a connection of its own and one call on it: what
/// a listening socket that closes may lose.
final class Newcomers implements AutoCloseable {
  private static final long MICROS_MAX = TimeUnit.MINUTES.toMicros(2);

  /// How they come in.
  interface Door {
    RawConnection connection() throws IOException;
  }

  private final Door door;
  private final double perSecond;
  private final String path;
  private final byte[] body;
  private final int replyBytes;
  private final ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor();
  private final ConcurrentHistogram micros = new ConcurrentHistogram(MICROS_MAX, 3);
  private final LongAdder made = new LongAdder();
  private final Map<String, LongAdder> failures = new ConcurrentHashMap<>();
  private final Thread pacer;
  private volatile boolean stopping;

  private Newcomers(Door door, double perSecond, String path, byte[] body, int replyBytes) {
    this.door = door;
    this.perSecond = perSecond;
    this.path = path;
    this.body = body;
    this.replyBytes = replyBytes;
    pacer = Thread.ofPlatform().daemon().name("newcomers").unstarted(this::pace);
  }

  static Newcomers start(int port, double perSecond, String path, byte[] body, int replyBytes) {
    return start(() -> RawConnection.open(port), perSecond, path, body, replyBytes);
  }

  /// None at all when `perSecond` is 0.
  static Newcomers start(Door door, double perSecond, String path, byte[] body, int replyBytes) {
    var newcomers = new Newcomers(door, perSecond, path, body, replyBytes);
    if (perSecond > 0) {
      newcomers.pacer.start();
    }
    return newcomers;
  }

  private void pace() {
    long start = System.nanoTime();
    for (long i = 0; !stopping; i++) {
      long due = start + (long) (i * 1e9 / perSecond);
      for (long left; (left = due - System.nanoTime()) > 0; ) {
        LockSupport.parkNanos(left);
      }
      made.increment();
      threads.execute(() -> come(due));
    }
  }

  private void come(long due) {
    var stage = "connecting";
    try (var connection = door.connection()) {
      stage = "connected";
      int bytes = connection.call(path, body);
      if (bytes != replyBytes) {
        failed("a reply of " + bytes + " bytes");
      } else {
        micros.recordValue(Math.min((System.nanoTime() - due) / 1_000, MICROS_MAX));
      }
    } catch (IOException e) {
      failed(stage + ": " + e);
    }
  }

  private void failed(String how) {
    failures.computeIfAbsent(how, _ -> new LongAdder()).increment();
  }

  long made() {
    return made.sum();
  }

  long failed() {
    return failures.values().stream().mapToLong(LongAdder::sum).sum();
  }

  /// Of those who were answered, from when they were to come.
  double p99Millis() {
    return micros.getValueAtPercentile(99) / 1e3;
  }

  Map<String, Long> failures() {
    var sums = new TreeMap<String, Long>();
    failures.forEach((how, count) -> sums.put(how, count.sum()));
    return sums;
  }

  /// Lets nobody come any more, and waits for those who have.
  void finish() throws InterruptedException {
    stopping = true;
    pacer.join();
    threads.close();
  }

  @Override
  public void close() {
    stopping = true;
  }
}
