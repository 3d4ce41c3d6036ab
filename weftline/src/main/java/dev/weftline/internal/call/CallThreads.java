package dev.weftline.internal.call;

/// Starts threads of calls on the JDK's scheduler: where loops carry none, and what must not run on
/// a loop. They are virtual, and unnamed: a name costs more than the start, and the call tells who
/// it is. [LoopCalls] decides; threads that loops carry are in `internal.thread`.
public final class CallThreads {
  private CallThreads() {}

  public static void start(Runnable call) {
    Thread.startVirtualThread(call);
  }
}
