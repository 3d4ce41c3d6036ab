package dev.weftline;

import java.time.Duration;
import java.util.Iterator;
import java.util.Optional;

/// Where a method receives its stream of messages: the requests of a call that is served, the
/// replies of a call that is made.
///
/// ```java
/// for (var request : requests) replies.send(answer(request));
/// ```
///
/// A stream is gone through once: every iterator continues where the last one stopped. Any thread
/// may receive, also while another sends; two that receive at once take turns and get different
/// messages. What is not received is held back at the peer by flow control.
public interface Receiver<T> extends Iterable<T> {
  /// Takes the messages as they come: `hasNext` waits for one and is false when the peer has sent
  /// its last (half-close).
  ///
  /// Both methods throw [io.grpc.StatusRuntimeException] when the call ends otherwise: CANCELLED,
  /// DEADLINE_EXCEEDED or what else ended it, with the reason; also when the thread is interrupted
  /// while it waits, which leaves it interrupted.
  @Override
  Iterator<T> iterator();

  /// As iterating, but `hasNext` is false as well once the server that serves the call drains, also
  /// while it waits: a subscription then says goodbye and returns, instead of being cut at the end
  /// of the grace time. That is at the beginning of the drain, while calls are still welcome, so
  /// that a client that calls again at once is served.
  ///
  /// [#isEnded()] tells the two ends apart; what has come and was not taken can still be taken by
  /// [#poll]. Of a call that is made it is the same as iterating.
  default Iterable<T> untilDrain() {
    return this;
  }

  /// The next message, if it comes within `timeout`. Empty when it does not, or when there is none
  /// any more; [#isEnded()] tells the two apart. Throws as the iterator does.
  Optional<T> poll(Duration timeout);

  /// Whether the peer has sent its last message and it was taken.
  boolean isEnded();

  /// The messages of `source`, for tests and for clients that have them all.
  static <T> Receiver<T> of(Iterable<T> source) {
    var messages = source.iterator();
    return new Receiver<>() {
      @Override
      public Iterator<T> iterator() {
        return messages;
      }

      @Override
      public Optional<T> poll(Duration timeout) {
        return messages.hasNext() ? Optional.of(messages.next()) : Optional.empty();
      }

      @Override
      public boolean isEnded() {
        return !messages.hasNext();
      }
    };
  }
}
