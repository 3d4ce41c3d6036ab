package dev.weftline.internal.http2;

/// The peer broke a rule: on one stream or on the whole connection (RFC 9113 §5.4). Stackless,
/// because a peer can cause it at will (decision 0007); turned into bytes in exactly one place,
/// [Http2Connection].
public abstract sealed class Http2Exception extends Exception {
  private final ErrorCode code;

  private Http2Exception(ErrorCode code, String message) {
    super(message, null, false, false);
    this.code = code;
  }

  public ErrorCode code() {
    return code;
  }

  /// RFC 9113 §5.4.2: RST_STREAM, and everything else goes on.
  public static final class StreamError extends Http2Exception {
    private final int streamId;

    public StreamError(int streamId, ErrorCode code, String message) {
      super(code, message);
      this.streamId = streamId;
    }

    public int streamId() {
      return streamId;
    }
  }

  /// RFC 9113 §5.4.1: GOAWAY, and the connection closes.
  public static final class ConnectionError extends Http2Exception {
    public ConnectionError(ErrorCode code, String message) {
      super(code, message);
    }
  }
}
