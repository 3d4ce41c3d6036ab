package dev.weftline.internal.call;

import dev.weftline.internal.thread.MethodPlacement;
import io.grpc.Status;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.util.IdentityHashMap;
import org.jspecify.annotations.Nullable;

/// What one loop counts. The loop writes; any thread may read. Bounded by the methods that the
/// server knows, which [dev.weftline.internal.thread.Placements] bounds.
///
/// Hot: one look-up for each call.
final class LoopTallies {
  private static final VarHandle LAST_STARTED;

  static {
    try {
      LAST_STARTED =
          MethodHandles.lookup().findVarHandle(LoopTallies.class, "lastStartedNanos", long.class);
    } catch (ReflectiveOperationException e) {
      throw new ExceptionInInitializerError(e);
    }
  }

  /// All methods that the server does not know.
  final MethodTally unknown = new MethodTally(null, null);

  /// The loop's own thread, as the JVM counts its CPU time.
  final long threadId = Thread.currentThread().threadId();

  // The loop's own.
  private final IdentityHashMap<MethodPlacement, MethodTally> tallies = new IdentityHashMap<>();
  private @Nullable MethodPlacement lastMethod;
  private MethodTally lastTally = unknown;

  private volatile MethodTally newest = unknown;

  @SuppressWarnings("unused") // by LAST_STARTED
  private long lastStartedNanos; // 0 before the first

  /// Loop: that of a method, by what it has one of.
  MethodTally of(MethodPlacement method) {
    if (method == lastMethod) return lastTally;
    var tally = tallies.get(method);
    if (tally == null) {
      tally = new MethodTally(method.method(), newest);
      tallies.put(method, tally);
      newest = tally;
    }
    lastMethod = method;
    lastTally = tally;
    return tally;
  }

  /// Loop.
  void start(MethodTally method, long nanos) {
    method.start();
    LAST_STARTED.setOpaque(this, nanos);
  }

  /// When the last call started, on the clock of `System.nanoTime()`; 0 before the first.
  long lastStartedNanos() {
    return (long) LAST_STARTED.getOpaque(this);
  }

  /// The last one of a list that all tallies are in.
  MethodTally newest() {
    return newest;
  }

  long started() {
    long all = 0;
    // What reached no method was refused, and is not counted as started.
    for (var each = newest; each != null; each = each.older) {
      if (each != unknown) all += each.started();
    }
    return all;
  }

  long ended(boolean ok) {
    long all = 0;
    for (var each = newest; each != null; each = each.older) {
      if (each == unknown) continue;
      for (var code : Status.Code.values()) {
        if ((code == Status.Code.OK) == ok) all += each.ended(code);
      }
    }
    return all;
  }
}
