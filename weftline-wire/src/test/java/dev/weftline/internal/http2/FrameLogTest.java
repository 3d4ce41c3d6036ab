package dev.weftline.internal.http2;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// One line for each frame.
class FrameLogTest {
  @ParameterizedTest
  @CsvSource(
      textBlock =
          """
          # line,                                      id, type, length, flags
          << 3 DATA 5 END_STREAM,                       3,  0,    5,      1
          << 3 DATA 5,                                  3,  0,    5,      0
          << 3 DATA 5 PADDED,                           3,  0,    5,      8
          << 1 HEADERS 30 END_STREAM END_HEADERS,       1,  1,    30,     5
          << 1 HEADERS 30 PRIORITY PADDED,              1,  1,    30,     40
          << 5 PRIORITY 5,                              5,  2,    5,      255
          << 7 RST_STREAM 4,                            7,  3,    4,      1
          << 0 SETTINGS 12,                             0,  4,    12,     0
          << 0 SETTINGS 0 ACK,                          0,  4,    0,      1
          << 1 PUSH_PROMISE 9,                          1,  5,    9,      4
          << 0 PING 8 ACK,                              0,  6,    8,      1
          << 0 GOAWAY 8,                                0,  7,    8,      0
          << 2147483647 WINDOW_UPDATE 4,                2147483647, 8, 4, 0
          << 1 CONTINUATION 16384 END_HEADERS,          1,  9,    16384,  4
          << 9 0xfa 16777215,                           9,  250,  16777215, 255
          """)
  void aFrameIsALine(String line, int streamId, int type, int length, int flags) {
    assertThat(FrameLog.received(streamId, type, length, flags)).isEqualTo(line);
    assertThat(FrameLog.sent(streamId, type, length, flags)).isEqualTo(">>" + line.substring(2));
  }
}
