package dev.weftline.internal.http2;

import static dev.weftline.internal.http2.ErrorCode.PROTOCOL_ERROR;
import static dev.weftline.internal.http2.ErrorCode.STREAM_CLOSED;

import dev.weftline.internal.http2.Http2Exception.ConnectionError;
import dev.weftline.internal.http2.Http2Exception.StreamError;

/// The states of a stream that a client opens, and what moves it from one to the next (RFC 9113
/// §5.1). Pure: no state of its own.
///
/// ```
///            receive HEADERS            send END_STREAM
///     IDLE ───────────────────▶ OPEN ───────────────────▶ HALF_CLOSED_LOCAL
///                                │                                │
///                                │ receive END_STREAM             │ receive END_STREAM
///                                ▼                                ▼
///                       HALF_CLOSED_REMOTE ─────────────────▶  CLOSED  ◀── RST_STREAM, sent or received, from anywhere
///                                           send END_STREAM
/// ```
///
/// The reserved states belong to server push, which we neither use nor accept.
enum StreamState {
  IDLE,
  OPEN,
  HALF_CLOSED_LOCAL,
  HALF_CLOSED_REMOTE,
  CLOSED;

  /// A HEADERS frame came: it opens the stream, or carries its trailers (RFC 9113 §8.1).
  StreamState receiveHeaders(int streamId, boolean endStream) throws Http2Exception {
    return switch (this) {
      case IDLE -> endStream ? HALF_CLOSED_REMOTE : OPEN;
      case OPEN, HALF_CLOSED_LOCAL -> {
        if (!endStream) {
          throw new StreamError(
              streamId, PROTOCOL_ERROR, "RFC 9113 8.1: trailers without END_STREAM");
        }
        yield receiveEndStream(streamId);
      }
      // RFC 9113 §5.1: half-closed (remote) allows WINDOW_UPDATE, PRIORITY and RST_STREAM only.
      case HALF_CLOSED_REMOTE, CLOSED ->
          throw new StreamError(
              streamId, STREAM_CLOSED, "RFC 9113 5.1: HEADERS after the end of the stream");
    };
  }

  /// A DATA frame came.
  void receiveData(int streamId) throws Http2Exception {
    switch (this) {
      case OPEN, HALF_CLOSED_LOCAL -> {}
      case HALF_CLOSED_REMOTE, CLOSED ->
          throw new StreamError(
              streamId, STREAM_CLOSED, "RFC 9113 5.1: DATA after the end of the stream");
      case IDLE -> throw new ConnectionError(PROTOCOL_ERROR, "RFC 9113 5.1: DATA on idle stream");
    }
  }

  /// The peer set END_STREAM on HEADERS or DATA.
  StreamState receiveEndStream(int streamId) throws Http2Exception {
    return switch (this) {
      case OPEN -> HALF_CLOSED_REMOTE;
      case HALF_CLOSED_LOCAL -> CLOSED;
      case HALF_CLOSED_REMOTE, CLOSED ->
          throw new StreamError(streamId, STREAM_CLOSED, "RFC 9113 5.1: END_STREAM twice");
      case IDLE ->
          throw new ConnectionError(PROTOCOL_ERROR, "RFC 9113 5.1: END_STREAM on idle stream");
    };
  }

  /// We set END_STREAM. Sending it twice is our own bug.
  StreamState sendEndStream() {
    return switch (this) {
      case OPEN -> HALF_CLOSED_LOCAL;
      case HALF_CLOSED_REMOTE -> CLOSED;
      case IDLE, HALF_CLOSED_LOCAL, CLOSED ->
          throw new IllegalStateException("END_STREAM sent in state " + this);
    };
  }

  /// Whether the peer may still send on the stream.
  boolean receives() {
    return switch (this) {
      case IDLE, OPEN, HALF_CLOSED_LOCAL -> true;
      case HALF_CLOSED_REMOTE, CLOSED -> false;
    };
  }
}
