package dev.weftline;

/// Where a method sends its stream of messages: the replies of a call that is served, the requests
/// of a call that is made.
///
/// Any thread may send, also while another receives; messages of one thread keep their order. There
/// is nothing to close: a served call's stream ends when its method returns.
///
/// A lambda will do in a test: `greeter.lotsOfReplies(request, replies::add)`.
@FunctionalInterface
public interface Sender<T> {
  /// Sends one message. Waits while the peer has not taken enough of what was sent before, so a
  /// slow reader slows the loop that sends and not the heap.
  ///
  /// @throws io.grpc.StatusRuntimeException when the call is over: CANCELLED, DEADLINE_EXCEEDED or
  ///   what else ended it, with the reason; also when the thread is interrupted while it waits,
  ///   which leaves it interrupted
  void send(T message);
}
