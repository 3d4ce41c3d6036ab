package dev.weftline.internal.call;

import io.grpc.Status;
import java.util.concurrent.atomic.AtomicLongArray;
import java.util.concurrent.atomic.AtomicReferenceArray;
import org.jspecify.annotations.Nullable;

/// The calls of one method on one loop, counted. The loop writes, without a fence or an atomic
/// step; any thread may read, and sees each number as it was a moment ago.
///
/// Hot: two writes for the start of a call, eight for its end.
final class MethodTally {
  // Where each histogram begins in the cells of a status; the sums stand behind them.
  private static final int SENT = Bounds.NANOS.buckets();
  private static final int RECEIVED = SENT + Bounds.BYTES.buckets();
  private static final int SUMS = RECEIVED + Bounds.BYTES.buckets();
  private static final int CELLS = SUMS + 3;

  /// Its full name; null for all that the server does not know.
  final @Nullable String method;

  /// The one that was made before it on the same loop.
  final @Nullable MethodTally older;

  private final AtomicLongArray started = new AtomicLongArray(1);
  private final AtomicReferenceArray<AtomicLongArray> ended =
      new AtomicReferenceArray<>(Status.Code.values().length); // null until one ends so

  MethodTally(@Nullable String method, @Nullable MethodTally older) {
    this.method = method;
    this.older = older;
  }

  // ---- The loop.

  void start() {
    add(started, 0, 1);
  }

  void end(Status.Code code, long nanos, long sentBytes, long receivedBytes) {
    var cells = ended.getPlain(code.value());
    if (cells == null) {
      cells = new AtomicLongArray(CELLS);
      ended.setRelease(code.value(), cells);
    }
    add(cells, Bounds.NANOS.bucket(nanos), 1);
    add(cells, SENT + Bounds.BYTES.bucket(sentBytes), 1);
    add(cells, RECEIVED + Bounds.BYTES.bucket(receivedBytes), 1);
    add(cells, SUMS, nanos);
    add(cells, SUMS + 1, sentBytes);
    add(cells, SUMS + 2, receivedBytes);
  }

  private static void add(AtomicLongArray cells, int index, long more) {
    cells.setOpaque(index, cells.getPlain(index) + more);
  }

  // ---- Any thread.

  long started() {
    return started.getOpaque(0);
  }

  /// How many calls ended with this code.
  long ended(Status.Code code) {
    var cells = ended.getAcquire(code.value());
    if (cells == null) return 0;
    long all = 0;
    for (int i = 0; i < SENT; i++) all += cells.getOpaque(i);
    return all;
  }

  /// Adds what is here to `sum`.
  void addTo(MethodCount sum) {
    sum.started += started();
    for (int code = 0; code < ended.length(); code++) {
      var cells = ended.getAcquire(code);
      if (cells == null) continue;
      var into =
          sum.ended.computeIfAbsent(
              Status.fromCodeValue(code).getCode(), _ -> new MethodCount.Ended());
      for (int i = 0; i < SENT; i++) into.durations[i] += cells.getOpaque(i);
      for (int i = SENT; i < RECEIVED; i++) into.sent[i - SENT] += cells.getOpaque(i);
      for (int i = RECEIVED; i < SUMS; i++) into.received[i - RECEIVED] += cells.getOpaque(i);
      into.nanos += cells.getOpaque(SUMS);
      into.sentBytes += cells.getOpaque(SUMS + 1);
      into.receivedBytes += cells.getOpaque(SUMS + 2);
    }
  }
}
