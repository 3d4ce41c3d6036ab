package dev.weftline;

import org.jspecify.annotations.Nullable;

/// Looks at every call that a server serves, from beside it: for traces, logs and the like. What it
/// throws is logged, and changes nothing for the call.
@FunctionalInterface
public interface CallObserver {
  /// A call begins, on its call thread, before its guards, interceptors and method.
  ///
  /// @return what is told of the rest; null when this call is of no interest
  @Nullable Observation begin(CallInfo call);

  /// A call is over that never began: its request was malformed or led to no method, a limit
  /// refused it, or its deadline passed or its client left while it still waited for its request or
  /// a thread. Once for each such call, on its loop: must not block.
  default void refused(CallReport report) {}

  /// One call that is looked at.
  interface Observation {
    /// Opens what surrounds the method, such as the scope of a span; closed on the same thread when
    /// the method has ended.
    default Scope enter() {
      return () -> {};
    }

    /// The call is over: its response is written, or its stream is gone. Once, on its loop, or on
    /// the call thread where the call was over before `begin` had returned: must not block. The
    /// method may still be running, when something else has ended the call.
    default void ended(CallReport report) {}
  }

  /// What an observation has open on a thread.
  interface Scope extends AutoCloseable {
    @Override
    void close();
  }
}
