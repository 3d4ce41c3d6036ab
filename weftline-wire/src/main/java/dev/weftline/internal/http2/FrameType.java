package dev.weftline.internal.http2;

/// Frame types (RFC 9113 §6) and their flags, as the octets they are on the wire: nothing to box on
/// the hot path.
final class FrameType {
  static final int DATA = 0x0;
  static final int HEADERS = 0x1;
  static final int PRIORITY = 0x2;
  static final int RST_STREAM = 0x3;
  static final int SETTINGS = 0x4;
  static final int PUSH_PROMISE = 0x5;
  static final int PING = 0x6;
  static final int GOAWAY = 0x7;
  static final int WINDOW_UPDATE = 0x8;
  static final int CONTINUATION = 0x9;

  static final int END_STREAM = 0x1;
  static final int ACK = 0x1;
  static final int END_HEADERS = 0x4;
  static final int PADDED = 0x8;
  static final int PRIORITY_FLAG = 0x20;

  /// RFC 9113 §4.1: length, type, flags, stream identifier.
  static final int HEADER_BYTES = 9;

  /// RFC 9113 §4.2: what every endpoint accepts, and all that we do: larger frames would let one
  /// stream hold the connection.
  static final int PAYLOAD_BYTES_MAX = 16_384;

  private FrameType() {}
}
