package dev.weftline.internal.http;

import io.netty.util.concurrent.EventExecutor;
import java.net.SocketAddress;
import javax.net.ssl.SSLSession;
import org.jspecify.annotations.Nullable;

/// One HTTP request with its response: the only surface that wire shows upward.
///
/// The *sending* methods may be called from any thread; they never block. What they send is written
/// by the loop, in the order in which it was sent, together with everything else that became ready
/// in the same turn, and flushed once. One thread sends at a time; beside it `reset` may be called,
/// and the response ended with `sendTrailers` or `sendHeadersOnly`: what is sent behind the end is
/// dropped. After the exchange has ended, whatever is still sent is dropped silently.
///
/// Everything that is received arrives at the [ExchangeHandler], on the loop.
public interface Exchange {
  /// The request's header section: a well-formed one (RFC 9113 §8.3.1).
  Fields request();

  /// Whether the request is the one that upgraded its connection from HTTP/1.1 (RFC 7540 §3.2).
  default boolean isUpgrade() {
    return false;
  }

  /// Whether HTTP/1.x carries the exchange, where nobody can rely on trailers (RFC 9110 §6.5.1).
  default boolean isHttp1() {
    return false;
  }

  /// Sends the response's header section; more follows.
  void sendHeaders(Fields headers);

  /// Sends a response of a header section only (gRPC: trailers-only) and ends this side.
  void sendHeadersOnly(Fields headers);

  /// Sends body octets. The array passes over to the exchange and must not be changed afterwards.
  void sendData(byte[] data);

  /// Room for `length` more body octets, to be written to this array from `roomStart()` on and then
  /// sent with `sendRoom`. Small pieces that follow each other faster than the loop takes them
  /// share an array, and one hand-over.
  byte[] room(int length);

  /// Where in the array that `room` gave the octets go.
  int roomStart();

  /// Sends the `length` octets that were written to the room.
  void sendRoom(int length);

  /// Sends the trailer section and ends this side. `EMPTY` ends it with the last DATA, or an empty
  /// one.
  void sendTrailers(Fields trailers);

  /// An array of at least `length` for [#respond(Fields, byte[], int, Fields)]; it may have been
  /// used before.
  byte[] array(int length);

  /// A whole response in one step, of the first `length` octets of `data`: one hand-over, one
  /// flush. The array passes over to the exchange, and to other responses when it is written.
  void respond(Fields headers, byte[] data, int length, Fields trailers);

  /// The same of a whole array.
  default void respond(Fields headers, byte[] data, Fields trailers) {
    respond(headers, data, data.length, trailers);
  }

  /// Ends the exchange at once with `code` (RFC 9113 §7), whatever was sent. The handler hears of
  /// it as `closed`. HTTP/1.x cannot end less than its connection.
  void reset(long code);

  /// Octets handed to `sendData` or `respond` that the loop has not yet written: those wait for the
  /// peer's flow-control window, or for the socket. A snapshot, readable from any thread.
  int unsentBytes();

  /// Tells how much of what `receiveData` delivered is used up, so that the peer may send as much
  /// again (RFC 9113 §6.9). Any thread; cheap to call for each message: the exchange gathers credit
  /// before it crosses to the loop.
  void consumed(int bytes);

  /// Runs `task` on the loop, soon. For timers and for what must be ordered with received events.
  void execute(Runnable task);

  /// Whether the caller is on the loop that owns this exchange.
  boolean onLoop();

  /// When the loop began what it does now, on the clock of `System.nanoTime()`: read once for all
  /// that one read brings, and for all that one turn writes. On the loop.
  default long turnNanos() {
    return System.nanoTime();
  }

  /// The executor of the loop, for the timers of its calls.
  EventExecutor loop();

  SocketAddress remoteAddress();

  SocketAddress localAddress();

  /// The TLS session of the connection; null over plain text.
  @Nullable SSLSession tlsSession();

  /// The connection that carries this exchange: equal for exchanges of one connection, for logs and
  /// for connection-wide state.
  Object connection();
}
