package dev.weftline;

import io.grpc.Context;
import java.time.Duration;

/// The way of a server to its end, as its calls may learn of it: it begins when the server is told
/// to stop, while calls and connections are still welcome, and a call that would go on for ever
/// ends itself in order when it hears of it.
///
/// Straight-line methods have the same by [Call#draining], [Call#awaitDrain], [Call#onDrain] and
/// [Receiver#untilDrain]. This is for grpc-java services, which have no current call:
///
/// ```java
/// while (!Drain.current().await(Duration.ofSeconds(1))) observer.onNext(tick());
/// observer.onCompleted();
/// ```
///
/// One for each server. Any thread may call any method.
public interface Drain {
  /// Where the Context of every call of a server has it.
  Context.Key<Drain> KEY = Context.key("weftline-drain");

  /// That of the server whose call this thread serves, found in the current [Context]; one that
  /// never begins where there is none, as with another server.
  static Drain current() {
    var known = KEY.get();
    return known != null ? known : NeverDraining.INSTANCE;
  }

  /// Whether the server drains, or has closed since.
  boolean hasBegun();

  /// Waits for that, for so long at most.
  ///
  /// @return whether the server drains
  /// @throws InterruptedException when this thread is interrupted, as it is when its call is given
  ///   up
  boolean await(Duration timeout) throws InterruptedException;

  /// Runs `hook` once, on a virtual thread of its own, when the server drains; at once when it does
  /// already. Not at all when the current [Context], most often that of a call, ends before.
  void onBegin(Runnable hook);
}
