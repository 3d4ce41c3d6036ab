package dev.weftline.internal.http2;

/// One line per frame, `<< 3 DATA 5 END_STREAM`, for eyes and for tests: direction, stream, type,
/// payload octets, flags. `<<` was received, `>>` was sent.
final class FrameLog {
  private static final String[] TYPES = {
    "DATA",
    "HEADERS",
    "PRIORITY",
    "RST_STREAM",
    "SETTINGS",
    "PUSH_PROMISE",
    "PING",
    "GOAWAY",
    "WINDOW_UPDATE",
    "CONTINUATION"
  };

  private FrameLog() {}

  static String received(int streamId, int type, int length, int flags) {
    return line("<<", streamId, type, length, flags);
  }

  static String sent(int streamId, int type, int length, int flags) {
    return line(">>", streamId, type, length, flags);
  }

  private static String line(String direction, int streamId, int type, int length, int flags) {
    var line = new StringBuilder(48).append(direction).append(' ').append(streamId).append(' ');
    if (type < TYPES.length) {
      line.append(TYPES[type]);
    } else {
      line.append("0x").append(Integer.toHexString(type));
    }
    line.append(' ').append(length);
    switch (type) {
      case FrameType.DATA -> flag(line, flags, FrameType.END_STREAM, "END_STREAM");
      case FrameType.HEADERS -> {
        flag(line, flags, FrameType.END_STREAM, "END_STREAM");
        flag(line, flags, FrameType.END_HEADERS, "END_HEADERS");
        flag(line, flags, FrameType.PRIORITY_FLAG, "PRIORITY");
      }
      case FrameType.CONTINUATION -> flag(line, flags, FrameType.END_HEADERS, "END_HEADERS");
      case FrameType.SETTINGS, FrameType.PING -> flag(line, flags, FrameType.ACK, "ACK");
      default -> {}
    }
    if (type <= FrameType.HEADERS) flag(line, flags, FrameType.PADDED, "PADDED");
    return line.toString();
  }

  private static void flag(StringBuilder line, int flags, int flag, String name) {
    if ((flags & flag) != 0) line.append(' ').append(name);
  }
}
