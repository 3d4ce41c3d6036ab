package dev.weftline.internal.thread;

import dev.weftline.Placement;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;

/// One run of a method that held its event loop for too long, as it was found: for the log.
///
/// @param nanos how long it has run so far, at least
/// @param stack the method's own frames, the innermost first
/// @param moved whether the method's calls run on the JDK's scheduler because of it
record Stall(
    MethodPlacement method,
    Activity activity,
    long nanos,
    List<StackTraceElement> stack,
    boolean moved) {
  /// What the thread does instead of waiting in a way that leaves the loop.
  enum Activity {
    COMPUTES("computes"),
    BLOCKS("waits in a way that keeps the loop: a file, native code, or a lock inside of one"),
    /// A first call, most likely.
    LOADS("loads or links classes, as first calls do");

    private final String words;

    Activity(String words) {
      this.words = words;
    }
  }

  /// As much as shows where the time goes; who called whom before that is in the source.
  static final int FRAMES_MAX = 15;

  /// The frames of `trace` that are the method's: what the runtime and we have called to get there
  /// is left out.
  static List<StackTraceElement> framesOf(StackTraceElement[] trace) {
    int end = trace.length;
    while (end > 0 && isPlumbing(trace[end - 1].getClassName())) end--;
    if (end == 0) end = trace.length; // all of it is ours, so that is where it is
    return List.copyOf(Arrays.asList(trace).subList(0, Math.min(end, FRAMES_MAX)));
  }

  private static boolean isPlumbing(String type) {
    return type.startsWith("dev.weftline.internal.")
        || type.startsWith("io.grpc.")
        || type.startsWith("java.lang.VirtualThread")
        || type.startsWith("java.lang.Thread")
        || type.startsWith("java.lang.ScopedValue")
        || type.startsWith("jdk.internal.vm.");
  }

  /// Whether the JVM is busy making code runnable. It shows no frame for some of that; but what we
  /// and grpc-java do around a method, and what we do when it calls us, is short once it has run.
  static boolean loads(StackTraceElement[] trace) {
    if (isOurs(trace)) return true;
    boolean inMethod = trace.length == 0;
    for (var frame : trace) {
      var type = frame.getClassName();
      if (frame.getMethodName().equals("<clinit>")
          || type.startsWith("jdk.internal.loader.")
          || type.equals("java.lang.ClassLoader")
          || type.equals("java.lang.invoke.MethodHandleNatives")) {
        return true;
      }
      inMethod |= !isPlumbing(type);
    }
    return !inMethod;
  }

  /// Whether what runs is our own code. Linking one of its `VarHandle`s shows as frames of
  /// `java.lang.invoke`; what else we call may take its time.
  private static boolean isOurs(StackTraceElement[] trace) {
    for (var frame : trace) {
      var type = frame.getClassName();
      if (!type.startsWith("java.lang.invoke.")) return type.startsWith("dev.weftline.internal.");
    }
    return false;
  }

  /// For the operator: what, how long, where, and what to do.
  String report() {
    var text =
        new StringBuilder(method.method())
            .append(String.format(Locale.ROOT, " has held its event loop for %.1f ms", nanos / 1e6))
            .append(", and with it every call there: it ")
            .append(activity.words)
            .append(". ")
            .append(advice());
    for (var frame : stack) text.append("\n\tat ").append(frame);
    return text.toString();
  }

  private String advice() {
    if (method.placement() == Placement.LOOP) {
      return "It is fixed on the loops with Placement.LOOP and stays there; Placement.SHARED or"
          + " ADAPTIVE would move it. Further stalls are counted, not reported.";
    }
    var moves = "Its calls run on the JDK's scheduler for now, and return when they are short. ";
    return activity == Activity.LOADS
        ? moves + "Nothing needs to be done."
        : moves + "Nothing needs to be done; @Placed(Placement.SHARED) would keep them there.";
  }
}
