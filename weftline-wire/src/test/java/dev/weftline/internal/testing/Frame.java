package dev.weftline.internal.testing;

import dev.weftline.internal.http.Field;
import dev.weftline.internal.http.Fields;
import dev.weftline.internal.http2.ErrorCode;
import java.util.List;

/// One HTTP/2 frame as a value, to be sent by a [ScriptedPeer] or compared with what it received.
///
/// Octets are strings of chars 0 to 255 (ISO 8859-1): equal by value and readable in a failure.
public sealed interface Frame {
  boolean END_STREAM = true;

  /// RFC 9113 §6.5.2.
  int HEADER_TABLE_SIZE = 1;

  int ENABLE_PUSH = 2;
  int MAX_CONCURRENT_STREAMS = 3;
  int INITIAL_WINDOW_SIZE = 4;
  int MAX_FRAME_SIZE = 5;
  int MAX_HEADER_LIST_SIZE = 6;

  int streamId();

  /// RFC 9113 §6.1. `padding` is the number of padding octets; -1 leaves the PADDED flag away.
  record Data(int streamId, String octets, int padding, boolean endStream) implements Frame {
    /// What the frame counts for flow control: padding and its length octet included.
    public int flowBytes() {
      return octets.length() + padding + 1;
    }

    @Override
    public String toString() {
      var shown = octets.length() <= 40 ? octets : octets.substring(0, 40) + "…";
      return "Data[%d, %d octets \"%s\"%s%s]"
          .formatted(
              streamId,
              octets.length(),
              shown,
              padding < 0 ? "" : ", padding " + padding,
              endStream ? ", END_STREAM" : "");
    }
  }

  /// RFC 9113 §6.2, with the CONTINUATION frames that its field block needs.
  record Headers(int streamId, Fields fields, boolean endStream) implements Frame {}

  /// RFC 9113 §6.3.
  record Priority(int streamId, int dependsOn, int weight) implements Frame {}

  /// RFC 9113 §6.4.
  record RstStream(int streamId, long code) implements Frame {
    @Override
    public String toString() {
      return "RstStream[" + streamId + ", " + ErrorCode.of(code) + "]";
    }
  }

  /// RFC 9113 §6.5.
  record Settings(List<Setting> settings) implements Frame {
    @Override
    public int streamId() {
      return 0;
    }
  }

  record Setting(int id, long value) {}

  /// RFC 9113 §6.5.3.
  record SettingsAck() implements Frame {
    @Override
    public int streamId() {
      return 0;
    }
  }

  /// RFC 9113 §6.7.
  record Ping(long octets, boolean ack) implements Frame {
    @Override
    public int streamId() {
      return 0;
    }
  }

  /// RFC 9113 §6.8.
  record GoAway(int lastStreamId, long code, String debug) implements Frame {
    @Override
    public int streamId() {
      return 0;
    }

    @Override
    public String toString() {
      return "GoAway[" + lastStreamId + ", " + ErrorCode.of(code) + ", " + debug + "]";
    }
  }

  /// RFC 9113 §6.9.
  record WindowUpdate(int streamId, int increment) implements Frame {}

  /// Any frame, octet by octet: for what the records above cannot say.
  record Raw(int type, int flags, int streamId, String payload) implements Frame {}

  static Headers headers(int streamId, String path) {
    return new Headers(streamId, request("POST", path), false);
  }

  static Headers headers(int streamId, String path, boolean endStream) {
    return new Headers(streamId, request("POST", path), endStream);
  }

  static Headers headers(int streamId, Fields fields, boolean endStream) {
    return new Headers(streamId, fields, endStream);
  }

  /// Trailers: a second field section, which ends the stream (RFC 9113 §8.1).
  static Headers trailers(int streamId, Fields fields) {
    return new Headers(streamId, fields, true);
  }

  static Data data(int streamId, String octets) {
    return new Data(streamId, octets, -1, false);
  }

  static Data data(int streamId, String octets, boolean endStream) {
    return new Data(streamId, octets, -1, endStream);
  }

  static Data paddedData(int streamId, String octets, int padding, boolean endStream) {
    return new Data(streamId, octets, padding, endStream);
  }

  static Priority priority(int streamId, int dependsOn, int weight) {
    return new Priority(streamId, dependsOn, weight);
  }

  static RstStream rstStream(int streamId, ErrorCode code) {
    return new RstStream(streamId, code.code());
  }

  static Settings settings() {
    return new Settings(List.of());
  }

  static Settings settings(int id, long value) {
    return new Settings(List.of(new Setting(id, value)));
  }

  static Settings settings(int id1, long value1, int id2, long value2) {
    return new Settings(List.of(new Setting(id1, value1), new Setting(id2, value2)));
  }

  static SettingsAck settingsAck() {
    return new SettingsAck();
  }

  static Ping ping(long octets) {
    return new Ping(octets, false);
  }

  static Ping pingAck(long octets) {
    return new Ping(octets, true);
  }

  static GoAway goAway(int lastStreamId, ErrorCode code) {
    return new GoAway(lastStreamId, code.code(), "");
  }

  static WindowUpdate windowUpdate(int streamId, int increment) {
    return new WindowUpdate(streamId, increment);
  }

  static Raw raw(int type, int flags, int streamId, String payload) {
    return new Raw(type, flags, streamId, payload);
  }

  /// The header section of a well-formed request.
  static Fields request(String method, String path) {
    return Fields.of(
        Field.of(":method", method),
        Field.of(":scheme", "http"),
        Field.of(":path", path),
        Field.of(":authority", "localhost"));
  }

  /// A field section of `names` and values in turn.
  static Fields fields(String... namesAndValues) {
    var fields = new Fields(namesAndValues.length / 2);
    for (int i = 0; i < namesAndValues.length; i += 2) {
      fields.add(namesAndValues[i], namesAndValues[i + 1]);
    }
    return fields;
  }
}
