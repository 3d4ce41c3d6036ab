package dev.weftline.internal.http2;

import static dev.weftline.internal.http2.ErrorCode.FLOW_CONTROL_ERROR;
import static dev.weftline.internal.http2.ErrorCode.PROTOCOL_ERROR;

import dev.weftline.internal.http2.Http2Exception.ConnectionError;
import io.netty.buffer.ByteBuf;

/// The six values of RFC 9113 §6.5.2 that one side has announced. Values out of range do not exist:
/// they are refused where they are read.
///
/// @param streamsMax -1 for no limit
/// @param fieldBytesMax -1 for no limit
record Settings(
    int tableBytes,
    boolean push,
    int streamsMax,
    int windowBytes,
    int frameBytesMax,
    int fieldBytesMax) {
  static final int HEADER_TABLE_SIZE = 0x1;
  static final int ENABLE_PUSH = 0x2;
  static final int MAX_CONCURRENT_STREAMS = 0x3;
  static final int INITIAL_WINDOW_SIZE = 0x4;
  static final int MAX_FRAME_SIZE = 0x5;
  static final int MAX_HEADER_LIST_SIZE = 0x6;

  static final int ENTRY_BYTES = 6;
  private static final int FRAME_BYTES_LIMIT = (1 << 24) - 1;

  /// What holds before any SETTINGS frame (RFC 9113 §6.5.2).
  static final Settings INITIAL =
      new Settings(4_096, true, -1, 65_535, FrameType.PAYLOAD_BYTES_MAX, -1);

  /// These values with the ones of a SETTINGS payload laid over them, in the order in which they
  /// stand (RFC 9113 §6.5.3).
  Settings with(ByteBuf payload, int length) throws Http2Exception {
    int newTableBytes = tableBytes;
    boolean newPush = push;
    int newStreamsMax = streamsMax;
    int newWindowBytes = windowBytes;
    int newFrameBytesMax = frameBytesMax;
    int newFieldBytesMax = fieldBytesMax;
    for (int end = payload.readerIndex() + length; payload.readerIndex() < end; ) {
      int id = payload.readUnsignedShort();
      long value = payload.readUnsignedInt();
      int bounded = (int) Math.min(value, Integer.MAX_VALUE);
      switch (id) {
        case HEADER_TABLE_SIZE -> newTableBytes = bounded;
        case ENABLE_PUSH -> {
          if (value > 1) throw refused(PROTOCOL_ERROR, "ENABLE_PUSH", value);
          newPush = value == 1;
        }
        case MAX_CONCURRENT_STREAMS -> newStreamsMax = bounded;
        case INITIAL_WINDOW_SIZE -> {
          if (value > Integer.MAX_VALUE) {
            throw refused(FLOW_CONTROL_ERROR, "INITIAL_WINDOW_SIZE", value);
          }
          newWindowBytes = bounded;
        }
        case MAX_FRAME_SIZE -> {
          if (value < FrameType.PAYLOAD_BYTES_MAX || value > FRAME_BYTES_LIMIT) {
            throw refused(PROTOCOL_ERROR, "MAX_FRAME_SIZE", value);
          }
          newFrameBytesMax = bounded;
        }
        case MAX_HEADER_LIST_SIZE -> newFieldBytesMax = bounded;
        default -> {} // RFC 9113 §6.5.2: unknown settings are ignored.
      }
    }
    return new Settings(
        newTableBytes, newPush, newStreamsMax, newWindowBytes, newFrameBytesMax, newFieldBytesMax);
  }

  private static ConnectionError refused(ErrorCode code, String name, long value) {
    return new ConnectionError(code, "RFC 9113 6.5.2: " + name + " = " + value);
  }
}
