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

  /// One call that is looked at.
  interface Observation {
    /// Opens what surrounds the method, such as the scope of a span; closed on the same thread when
    /// the method has ended.
    default Scope enter() {
      return () -> {};
    }
  }

  /// What an observation has open on a thread.
  interface Scope extends AutoCloseable {
    @Override
    void close();
  }
}
