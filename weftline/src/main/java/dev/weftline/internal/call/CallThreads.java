package dev.weftline.internal.call;

/// The one place that starts call threads. They are virtual, and unnamed: a name costs more than
/// the start, and the call tells who it is.
///
/// The scheduler is the JDK's. One that runs call threads on the loop that started them belongs
/// here.
public final class CallThreads {
  private CallThreads() {}

  public static void start(Runnable call) {
    Thread.startVirtualThread(call);
  }
}
