package dev.weftline.internal.thread;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.util.concurrent.Executor;
import org.jspecify.annotations.Nullable;

/// The virtual thread of one call, and what schedules it.
///
/// It is the scheduler of that one thread, and not the loop for all, because a thread hands its
/// scheduler down to every virtual thread that is made on it: those a handler starts, the JVM's
/// socket pollers. Here they can be told apart, since each thread has one continuation from start
/// to end: the first that comes is the call's own, any other is of such a child and belongs on the
/// JDK's scheduler.
///
/// A child may keep its scheduler as long as it likes, so the call is let go of when it ends.
///
/// Hot: one for each call.
public final class CallThread implements Executor, Runnable {
  private static final VarHandle NEXT;

  static {
    try {
      NEXT = MethodHandles.lookup().findVarHandle(CallThread.class, "next", CallThread.class);
    } catch (ReflectiveOperationException e) {
      throw new ExceptionInInitializerError(e);
    }
  }

  /// What `own` is when the call has ended: nobody's continuation.
  private enum Ended implements Runnable {
    ENDED;

    @Override
    public void run() {}
  }

  private final LoopCarrier carrier;
  private final MethodPlacement placement;
  private @Nullable Runnable call; // until it runs
  // These are seen by whoever resumes the thread, since they had to see that it was parked.
  private @Nullable Runnable own;
  private @Nullable Thread thread; // until the call has ended

  /// Null while this is not queued; itself while it is the last one of its list.
  private volatile @Nullable CallThread next;

  CallThread(LoopCarrier carrier, MethodPlacement placement, Runnable call) {
    this.carrier = carrier;
    this.placement = placement;
    this.call = call;
  }

  /// Makes the thread and queues it for its first run.
  void start() {
    var made = VirtualThreads.unstarted(this, this);
    thread = made;
    made.start();
  }

  /// The thread; null when the call has ended.
  public @Nullable Thread thread() {
    return thread;
  }

  /// The body of the thread.
  @Override
  public void run() {
    var body = call;
    if (body == null) throw new IllegalStateException("only its own thread runs this");
    call = null; // the stack holds it, as long as it is needed
    try {
      body.run();
    } finally {
      thread = null;
      own = Ended.ENDED;
    }
  }

  /// The thread, or a child of it, can run. Called by the JDK from any thread: a loop, a virtual
  /// thread while that cannot unmount, the JDK's timers and pollers.
  @Override
  public void execute(Runnable continuation) {
    var mine = own;
    if (mine == null) {
      own = continuation;
    } else if (!mine.equals(continuation)) {
      VirtualThreads.onJdkScheduler(continuation);
      return;
    }
    // The JDK queues a thread anew after it has looked at its stack, which anybody may ask for, so
    // it may be queued already. Whoever runs it clears `next` before, and sees what we did.
    if (!NEXT.compareAndSet(this, null, this)) return;
    if (placement.onLoop()) carrier.push(this);
    else toPool();
  }

  /// Queued: goes on where the JDK runs virtual threads.
  void toPool() {
    VirtualThreads.onJdkScheduler(this::resumeOnPool);
  }

  private void resumeOnPool() {
    long start = System.nanoTime();
    resume();
    placement.held(System.nanoTime() - start);
  }

  /// Queued until now: runs on until it ends or waits. On a platform thread.
  void resume() {
    next = null;
    var mine = own;
    if (mine != null) mine.run();
  }

  // ---- The list this is queued in; for whoever owns that.

  @Nullable CallThread next() {
    var following = next;
    return following == this ? null : following;
  }

  /// Queued, and not yet visible to others.
  void next(@Nullable CallThread following) {
    NEXT.setRelease(this, following == null ? this : following);
  }
}
