package dev.weftline.internal.straight;

import dev.weftline.Call;
import io.grpc.Context;
import java.util.LinkedHashSet;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import org.jspecify.annotations.Nullable;

/// The threads that run beside the method of one call. As many as the method starts: they are its
/// own, as with `Thread.startVirtualThread`.
final class Forks {
  /// Those that run, and those that failed: a call may live for days, and fork for each message.
  private final Set<Forked<?>> open = new LinkedHashSet<>(); // guarded by this

  private boolean interrupted; // guarded by this

  /// Starts `work` with this call, and the Context of this thread.
  <T> Call.Fork<T> fork(Call call, Callable<T> work) {
    var context = Context.current();
    var forked =
        new Forked<T>(
            () -> context.call(() -> ScopedValue.where(Call.CURRENT, call).call(work::call)));
    synchronized (this) {
      open.add(forked);
      forked.thread.start();
      if (interrupted) forked.thread.interrupt();
    }
    return forked;
  }

  /// Tells all of them, and those to come, to stop.
  synchronized void interrupt() {
    interrupted = true;
    for (var forked : open) forked.thread.interrupt();
  }

  /// Waits for all of them.
  ///
  /// @throws Exception what one threw that nobody joined
  void join() throws Exception {
    for (Forked<?> forked; (forked = first()) != null; remove(forked)) {
      boolean known = forked.joined;
      try {
        var _ = forked.join();
      } catch (InterruptedException e) {
        throw e;
      } catch (Exception e) {
        if (!known) throw e;
      }
    }
  }

  /// Waits for all of them, whatever comes of them. An interrupt makes no difference: they have
  /// been told.
  void awaitEnd() {
    boolean told = false;
    for (Forked<?> forked; (forked = first()) != null; ) {
      try {
        forked.thread.join();
        remove(forked);
      } catch (InterruptedException e) {
        told = true;
      }
    }
    if (told) Thread.currentThread().interrupt();
  }

  private synchronized @Nullable Forked<?> first() {
    return open.isEmpty() ? null : open.iterator().next();
  }

  private synchronized void remove(Forked<?> forked) {
    open.remove(forked);
  }

  private final class Forked<T> implements Call.Fork<T> {
    private final FutureTask<T> task;
    private final Thread thread;
    private volatile boolean joined;

    Forked(Callable<T> work) {
      this.task =
          new FutureTask<>(work) {
            @Override
            protected void done() {
              if (state() == State.SUCCESS) remove(Forked.this);
            }
          };
      this.thread = Thread.ofVirtual().unstarted(task);
    }

    @Override
    public T join() throws Exception {
      try {
        joined = true;
        return task.get();
      } catch (ExecutionException e) {
        if (e.getCause() instanceof Exception cause) throw cause;
        if (e.getCause() instanceof Error cause) throw cause;
        throw e;
      }
    }
  }
}
