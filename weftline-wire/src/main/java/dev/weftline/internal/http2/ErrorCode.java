package dev.weftline.internal.http2;

/// Why a stream or connection ended (RFC 9113 §7). The constant's place is its code.
public enum ErrorCode {
  NO_ERROR,
  PROTOCOL_ERROR,
  INTERNAL_ERROR,
  FLOW_CONTROL_ERROR,
  SETTINGS_TIMEOUT,
  STREAM_CLOSED,
  FRAME_SIZE_ERROR,
  REFUSED_STREAM,
  CANCEL,
  COMPRESSION_ERROR,
  CONNECT_ERROR,
  ENHANCE_YOUR_CALM,
  INADEQUATE_SECURITY,
  HTTP_1_1_REQUIRED;

  private static final ErrorCode[] BY_CODE = values();

  /// The code as it stands in a frame.
  public int code() {
    return ordinal();
  }

  /// The name for a code of a frame. RFC 9113 §7: unknown codes trigger nothing special; they count
  /// as INTERNAL_ERROR.
  public static ErrorCode of(long code) {
    return code >= 0 && code < BY_CODE.length ? BY_CODE[(int) code] : INTERNAL_ERROR;
  }
}
