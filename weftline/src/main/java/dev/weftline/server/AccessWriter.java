package dev.weftline.server;

import dev.weftline.CallReport;
import dev.weftline.internal.call.AccessLines;
import dev.weftline.internal.http.Fields;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.security.Principal;
import java.time.Duration;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.LongAdder;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/// Writes the access log: loops put lines into a bounded queue, and a thread of its own spells and
/// writes them. Whoever starts it closes it.
final class AccessWriter implements AccessLines, AutoCloseable {
  private static final Logger access = System.getLogger("dev.weftline.access");
  private static final Logger log = System.getLogger(AccessWriter.class.getName());

  /// What waits when the server ends is still written, for so long.
  private static final Duration FAREWELL = Duration.ofSeconds(5);

  /// Lines written in one step, which is one system call.
  private static final int LINES_TOGETHER_MAX = 256;

  private final AccessLog options;
  private final Queue<AccessLine> waiting = new ConcurrentLinkedQueue<>();
  private final AtomicInteger waitingCount = new AtomicInteger();
  private final LongAdder dropped = new LongAdder();
  private volatile boolean asleep;
  private volatile boolean closed;
  private volatile @Nullable Thread thread; // from the start on

  // The thread's own.
  private @Nullable OutputStream out; // of a target that is no logger
  private boolean failing;

  AccessWriter(AccessLog options) {
    this.options = options;
  }

  /// Opens the target and starts the thread.
  ///
  /// @throws IOException with a sentence for the operator, when the file cannot be written
  void start() throws IOException {
    switch (options.target()) {
      case AccessLog.Target.SystemLogger() -> {}
      case AccessLog.Target.StandardOutput() -> out = new FileOutputStream(FileDescriptor.out);
      case AccessLog.Target.ToFile(Path path) -> {
        try {
          out = Files.newOutputStream(path, StandardOpenOption.CREATE, StandardOpenOption.APPEND);
        } catch (IOException e) {
          throw new IOException("the access log cannot be written to " + path + ": " + e, e);
        }
      }
    }
    thread = Thread.ofPlatform().name("weftline-access-log").daemon().start(this::run);
  }

  // ---- The loops.

  @Override
  public void ended(CallReport report, Fields request, @Nullable Principal caller) {
    if (report.status().isOk() && !isSampled()) return;
    // Loops that look at once may pass the bound by one line each.
    if (waitingCount.get() >= AccessLog.LINES_WAITING_MAX) {
      dropped.increment();
      return;
    }
    waitingCount.incrementAndGet();
    waiting.add(AccessLine.of(report, request, caller));
    if (asleep) LockSupport.unpark(thread);
  }

  private boolean isSampled() {
    double share = options.sampled();
    return share >= 1 || share > 0 && ThreadLocalRandom.current().nextDouble() < share;
  }

  /// Lines that were not written, because the queue was full or the target failed.
  long dropped() {
    return dropped.sum();
  }

  // ---- The thread.

  private void run() {
    while (true) {
      if (writeWaiting() > 0) continue;
      if (closed) return;
      sleep();
    }
  }

  private int writeWaiting() {
    var text = new StringBuilder();
    int lines = 0;
    for (; lines < LINES_TOGETHER_MAX; lines++) {
      var line = waiting.poll();
      if (line == null) break;
      waitingCount.decrementAndGet();
      append(text, line);
    }
    if (!text.isEmpty()) write(text, lines);
    return lines;
  }

  private void append(StringBuilder text, AccessLine line) {
    String spelled;
    try {
      spelled = line.spelled(options.format());
    } catch (RuntimeException e) { // a principal is a user's code
      dropped.increment();
      log.log(Level.WARNING, "a line of the access log cannot be spelled", e);
      return;
    }
    if (out == null) access.log(Level.INFO, spelled);
    else text.append(spelled).append('\n');
  }

  private void write(StringBuilder text, int lines) {
    var target = out;
    if (target == null) return;
    try {
      target.write(text.toString().getBytes(StandardCharsets.UTF_8));
      failing = false;
    } catch (IOException e) {
      dropped.add(lines);
      if (!failing) log.log(Level.WARNING, "the access log cannot be written", e);
      failing = true;
    }
  }

  private void sleep() {
    asleep = true;
    // Whoever adds a line looks at `asleep` behind it, and we look at the queue behind `asleep`.
    while (waiting.isEmpty() && !closed) LockSupport.park(this);
    asleep = false;
  }

  /// Writes what waits, and stops.
  @Override
  public void close() {
    closed = true;
    var writer = thread;
    if (writer == null) return;
    LockSupport.unpark(writer);
    try {
      if (!writer.join(FAREWELL)) {
        log.log(Level.WARNING, "the access log was not written to its end");
        return;
      }
      // The standard output is not ours to close.
      if (options.target() instanceof AccessLog.Target.ToFile && out != null) out.close();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    } catch (IOException e) {
      log.log(Level.WARNING, "the access log cannot be closed", e);
    }
  }
}
