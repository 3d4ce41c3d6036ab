package dev.weftline.internal.thread;

/// Where the call threads of one method run: on their event loops. Any thread may ask.
public final class MethodPlacement {
  /// Whether a call thread that becomes runnable now belongs on its loop; on the JDK's scheduler
  /// otherwise.
  public boolean onLoop() {
    return true;
  }

  /// One of them ran on the JDK's scheduler for so long, until it ended or waited.
  void held(long nanos) {}
}
