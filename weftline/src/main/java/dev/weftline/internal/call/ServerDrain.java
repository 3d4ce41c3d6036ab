package dev.weftline.internal.call;

import dev.weftline.Drain;
import io.grpc.Context;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;

/// The drain of one server: one flag that all its calls read when they want to know, so that a call
/// that does not ask pays nothing.
public final class ServerDrain implements Drain {
  private final CountDownLatch begun = new CountDownLatch(1);

  /// What is run at the beginning. Bounded by the open calls: each hook leaves with its Context.
  private final Set<Hook> hooks = ConcurrentHashMap.newKeySet();

  /// From now on calls hear of it; whoever waits in [#await] goes on, and each hook gets a thread.
  public void begin() {
    // Those of calls that end as soon as they hear of it are run as well; those that come meanwhile
    // are there the second time, or see the flag.
    var before = List.copyOf(hooks);
    begun.countDown();
    before.forEach(Hook::start);
    hooks.forEach(Hook::start);
  }

  @Override
  public boolean hasBegun() {
    return begun.getCount() == 0;
  }

  @Override
  public boolean await(Duration timeout) throws InterruptedException {
    return begun.await(TimeUnit.NANOSECONDS.convert(timeout), TimeUnit.NANOSECONDS);
  }

  @Override
  public void onBegin(Runnable hook) {
    onBegin(hook, Context.current());
  }

  /// As above, until `context` ends.
  public void onBegin(Runnable action, Context context) {
    var hook = new Hook(action);
    hooks.add(hook);
    context.addListener(_ -> hooks.remove(hook), Runnable::run);
    // It may have begun before the hook could be seen.
    if (hasBegun()) hook.start();
  }

  private final class Hook {
    private final Runnable action;
    private final AtomicBoolean started = new AtomicBoolean();

    Hook(Runnable action) {
      this.action = action;
    }

    void start() {
      if (!started.compareAndSet(false, true)) return;
      hooks.remove(this);
      CallThreads.start(action);
    }
  }
}
