package dev.weftline;

import io.grpc.Attributes;
import io.grpc.Metadata;
import io.grpc.Status;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.Callable;

/// The call that a straight-line method serves: what a method may want to know or do beyond its
/// request and its reply.
///
/// `Call.current()` gives it to the method and to everything that it calls, to threads that it
/// starts with [#fork] or with the JDK's `StructuredTaskScope`, and to the interceptors around it.
/// Any thread may call any method. Nobody closes a call: it ends when its method returns or throws,
/// or when the client, the deadline or the server gives it up.
public interface Call extends CallInfo {
  /// The current call of each thread. The server binds it; a test may bind a call of its own.
  ScopedValue<Call> CURRENT = ScopedValue.newInstance();

  /// The call that this thread serves.
  ///
  /// @throws IllegalStateException on a thread that serves none
  static Call current() {
    return CURRENT.orElseThrow(
        () -> new IllegalStateException("this thread serves no call: " + Thread.currentThread()));
  }

  /// Adds a field to the headers of the response, which go out with the first reply.
  ///
  /// @throws IllegalStateException when they have been sent
  <T> void header(Metadata.Key<T> key, T value);

  /// Sends the headers now, for a client that waits for them before the first reply.
  void sendHeaders();

  /// Adds a field to the trailers of the response, which go out with its status.
  <T> void trailer(Metadata.Key<T> key, T value);

  /// Compresses the replies with this codec, such as `gzip`, if the client accepts it. Before the
  /// headers are sent.
  ///
  /// @throws IllegalArgumentException for a codec that the server does not have
  void compress(String codec);

  /// What grpc-java and its transport filters know about the connection.
  Attributes attributes();

  /// Whether the call was given up: nobody waits for the reply any more.
  boolean isCancelled();

  /// Why the call was given up: CANCELLED, DEADLINE_EXCEEDED or what else ended it; empty while it
  /// was not.
  Optional<Status> cancellation();

  /// Runs `hook` once, on a thread of its own, when the call is given up; at once when it was. Not
  /// at all when the call ends in order. A method that waits is interrupted without this.
  void onCancel(Runnable hook);

  /// Waits until the server drains, for `timeout` at most: what a method does between two replies
  /// of a subscription that would otherwise never end.
  ///
  /// ```java
  /// while (!Call.current().awaitDrain(Duration.ofSeconds(1))) replies.send(tick());
  /// replies.send(goodbye());
  /// ```
  ///
  /// @return whether the server drains; see [Drain]
  /// @throws InterruptedException when the call is given up
  boolean awaitDrain(Duration timeout) throws InterruptedException;

  /// Runs `hook` once, on a thread of its own, when the server drains; at once when it does. Not at
  /// all when the call ends before.
  void onDrain(Runnable hook);

  /// Runs `work` beside the method, on a virtual thread of its own on the JDK's scheduler. It has
  /// this call as its current call, the caller's [io.grpc.Context], the deadline; it is interrupted
  /// when the call is given up or the method throws. A call does not end well before all its forks
  /// have ended; a fork that failed and was not joined fails the call.
  <T> Fork<T> fork(Callable<T> work);

  /// Work that runs beside a method.
  interface Fork<T> {
    /// Waits for the work and gives its result.
    ///
    /// @throws Exception what the work threw
    /// @throws InterruptedException when this thread is interrupted while it waits
    T join() throws Exception;
  }
}
