package dev.weftline.internal.call;

import dev.weftline.internal.http.ExchangeHandler.Close;
import dev.weftline.internal.http2.ErrorCode;
import io.grpc.Status;

/// What the end of an exchange means to a call (gRPC over HTTP/2, "Errors").
final class StatusMapping {
  private StatusMapping() {}

  static Status ofClose(Close cause) {
    return switch (cause) {
      case Close.Completed() -> Status.OK;
      case Close.ResetByPeer(long code) -> ofPeerReset(code);
      case Close.ResetLocally(long code, String reason) ->
          Status.CANCELLED.withDescription(
              "stream reset with " + ErrorCode.of(code) + ": " + reason);
      case Close.ConnectionLost(String reason) ->
          Status.CANCELLED.withDescription("connection lost: " + reason);
    };
  }

  /// A server hears RST_STREAM from a client that gave the call up; whatever code it gave, the call
  /// is cancelled, and the code is kept for whoever asks why.
  private static Status ofPeerReset(long code) {
    return Status.CANCELLED.withDescription("client cancelled: RST_STREAM " + ErrorCode.of(code));
  }
}
