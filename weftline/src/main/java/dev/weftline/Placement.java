package dev.weftline;

/// Where the virtual threads of a method's calls run.
///
/// A thread that is carried by its connection's event loop costs no hand-over, but while it
/// computes, reads files or waits in native code, everything else on that loop waits too. A thread
/// that blocks in the ordinary ways (locks, sockets, `sleep`, queues) leaves the loop and holds up
/// nobody.
public enum Placement {
  /// On the event loop while the method behaves; on the JDK's scheduler from the moment on that one
  /// of its calls has held the loop for too long, until its calls are short again. The default.
  ADAPTIVE,
  /// On the event loop, whatever the method does. Refused at start where call threads cannot run on
  /// event loops.
  LOOP,
  /// On the scheduler that the JDK has for virtual threads, as `Thread.startVirtualThread` does:
  /// for methods known to compute, to read files or to call native code.
  SHARED
}
