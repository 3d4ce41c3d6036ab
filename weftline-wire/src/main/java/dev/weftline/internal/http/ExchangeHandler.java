package dev.weftline.internal.http;

import io.netty.buffer.ByteBuf;

/// Is given what the peer sends on one [Exchange]: its body, its end, or its reset. Every method
/// runs on the loop, so none may block or run user code.
///
/// An exchange ends for the handler with exactly one call of `closed`.
public interface ExchangeHandler {
  /// Gives each new exchange its handler, on the loop. `endOfRequest` tells that no body follows;
  /// `receiveEnd` is then not called.
  interface Factory {
    ExchangeHandler open(Exchange exchange, boolean endOfRequest);

    /// What counts the octets that connections hold for their peers.
    default ByteBudget budget() {
      return ByteBudget.UNLIMITED;
    }

    /// The connection that `Exchange.connection()` names is up; called once, before its first
    /// exchange.
    default void connectionOpened(Object connection) {}

    /// The client broke a rule of the protocol and was answered with this error code (RFC 9113 §7),
    /// on one stream or with the end of its whole connection. For counting.
    default void peerBrokeRule(long code, boolean wholeConnection) {}

    /// This side ends a connection whose client broke no rule of HTTP/2; some of its exchanges may
    /// still go on. For counting.
    default void connectionEnding(ConnectionEnd end) {}

    /// The connection is gone; called once, after the last `closed` of its exchanges.
    default void connectionClosed(Object connection) {}
  }

  /// Body octets: reads exactly `length` bytes of `data` and does not keep it. Their window is
  /// given back by `Exchange.consumed`.
  void receiveData(ByteBuf data, int length);

  /// The peer ended its side, with trailers or with `Fields.EMPTY`.
  void receiveEnd(Fields trailers);

  /// Some of what waited was written; `unsentBytes` is what still waits. Called only after the
  /// exchange had more than it could write at once.
  void sent(int unsentBytes);

  /// The exchange is over, by `cause`. Nothing is called afterwards.
  void closed(Close cause);

  /// Why an exchange is over.
  sealed interface Close {
    /// The response was written whole, to its END_STREAM.
    record Completed() implements Close {}

    /// The peer sent RST_STREAM with this error code (RFC 9113 §6.4).
    record ResetByPeer(long code) implements Close {}

    /// This side reset the stream, because the peer broke a rule on it or `Exchange.reset` was
    /// called.
    record ResetLocally(long code, String reason) implements Close {}

    /// The connection broke or was closed.
    record ConnectionLost(String reason) implements Close {}

    Completed COMPLETED = new Completed();
  }
}
