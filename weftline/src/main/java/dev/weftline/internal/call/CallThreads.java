package dev.weftline.internal.call;

/// Starts threads on the JDK's scheduler: call threads that do not belong on a loop, and what must
/// not hold one up. They are virtual, and unnamed: a name costs more than the start, and the call
/// tells who it is.
///
/// On a carried call thread this is the JDK's scheduler as well: `CallThread` sends its children
/// there.
public final class CallThreads {
  private CallThreads() {}

  public static void start(Runnable call) {
    Thread.startVirtualThread(call);
  }
}
