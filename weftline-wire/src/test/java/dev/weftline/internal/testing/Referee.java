package dev.weftline.internal.testing;

import java.util.ArrayDeque;
import java.util.HashMap;
import java.util.Map;
import java.util.Objects;

/// Watches both directions of one connection and objects to the first frame with which the engine
/// breaks RFC 9113: a window overrun, a frame on a stream that is over, a body without a header
/// section. So every test that exchanges frames tests all of this.
final class Referee {
  private static final long WINDOW_MAX = Integer.MAX_VALUE;

  private enum Response {
    AWAITED,
    HEADERS_SEEN,
    ENDED,
    RESET
  }

  private static final class Stream {
    Response response = Response.AWAITED;
    boolean resetByUs;
    long engineMaySend;
    long weMaySend;
  }

  private final Map<Integer, Stream> streams = new HashMap<>();
  private final ArrayDeque<Frame.Settings> unacknowledged = new ArrayDeque<>();
  private final ArrayDeque<Long> pings = new ArrayDeque<>();
  private boolean settingsSeen;
  private boolean lenient;
  private long engineMaySend = 65_535;
  private long weMaySend = 65_535;
  // Before an acknowledgement arrives the engine may stand on either side of our SETTINGS, so
  // growth
  // counts from sending and shrinking from the acknowledgement.
  private final Map<Integer, Long> acknowledged =
      new HashMap<>(Map.of(Frame.INITIAL_WINDOW_SIZE, 65_535L, Frame.MAX_FRAME_SIZE, 16_384L));
  private long initialWindow = 65_535;
  private long engineInitialWindow = 65_535;
  private int lastGoAwayStreamId = Integer.MAX_VALUE;

  /// Raw bytes were sent: which streams exist is no longer known.
  void lenient() {
    lenient = true;
  }

  /// How much DATA we may send on this stream now, by both windows.
  long weMaySend(int streamId) {
    var stream = streams.get(streamId);
    return stream == null ? 0 : Math.min(weMaySend, stream.weMaySend);
  }

  /// How much DATA the engine may send on this stream now, by both windows.
  long engineMaySend(int streamId) {
    var stream = streams.get(streamId);
    return stream == null ? 0 : Math.min(engineMaySend, stream.engineMaySend);
  }

  /// The engine owes nothing more on any stream it was asked on.
  boolean allAnswered() {
    return streams.values().stream().allMatch(Referee::isOver);
  }

  private static boolean isOver(Stream stream) {
    return stream.resetByUs
        || stream.response == Response.RESET
        || stream.response == Response.ENDED;
  }

  /// Stream 1 of an upgraded connection: its request came as HTTP/1.1 (RFC 7540 §3.2).
  void upgraded() {
    open(1);
  }

  private void open(int streamId) {
    var stream = new Stream();
    stream.engineMaySend = initialWindow;
    stream.weMaySend = engineInitialWindow;
    streams.putIfAbsent(streamId, stream);
  }

  private Stream stream(int streamId) {
    open(streamId);
    return Objects.requireNonNull(streams.get(streamId));
  }

  void sent(Frame frame) {
    switch (frame) {
      case Frame.Headers headers -> open(headers.streamId());
      case Frame.Data data -> {
        weMaySend -= data.flowBytes();
        var stream = streams.get(data.streamId());
        if (stream != null) stream.weMaySend -= data.flowBytes();
      }
      case Frame.RstStream(int id, _) -> {
        var stream = streams.get(id);
        if (stream != null) stream.resetByUs = true;
      }
      case Frame.Settings settings -> {
        unacknowledged.add(settings);
        if (movesWindows(settings)) moveWindows();
      }
      case Frame.WindowUpdate(int id, int increment) -> {
        if (id == 0) {
          engineMaySend += increment;
        } else if (streams.containsKey(id)) {
          streams.get(id).engineMaySend += increment;
        }
      }
      case Frame.Ping(long octets, boolean ack) -> {
        if (!ack) pings.add(octets);
      }
      case Frame.Raw raw -> {
        if (raw.type() == PeerCodec.HEADERS) open(raw.streamId());
        if (raw.type() == PeerCodec.PING) lenient = true;
      }
      case Frame.Priority _, Frame.SettingsAck _, Frame.GoAway _ -> {}
    }
  }

  /// Objects with an AssertionError.
  void received(Frame frame) {
    check(settingsSeen || frame instanceof Frame.Settings, frame, "before SETTINGS (§3.4)");
    switch (frame) {
      case Frame.Headers headers -> receivedHeaders(headers);
      case Frame.Data data -> receivedData(data);
      case Frame.RstStream(int id, _) -> {
        check(lenient || streams.containsKey(id), frame, "on an idle stream (§6.4)");
        if (streams.containsKey(id)) streams.get(id).response = Response.RESET;
      }
      case Frame.Settings settings -> receivedSettings(settings);
      case Frame.SettingsAck() -> {
        check(lenient || !unacknowledged.isEmpty(), frame, "acknowledges nothing (§6.5.3)");
        if (!unacknowledged.isEmpty()) {
          var settings = unacknowledged.remove();
          for (var setting : settings.settings()) {
            acknowledged.put(setting.id(), setting.value());
          }
          if (movesWindows(settings)) moveWindows();
        }
      }
      case Frame.Ping(long octets, boolean ack) -> {
        if (ack && !lenient) {
          check(!pings.isEmpty() && pings.remove() == octets, frame, "no such PING (§6.7)");
        }
      }
      case Frame.GoAway goAway -> {
        // RFC 9113 §6.8: endpoints MUST NOT increase the value they send in the last identifier.
        check(goAway.lastStreamId() <= lastGoAwayStreamId, frame, "raises the last stream (§6.8)");
        lastGoAwayStreamId = goAway.lastStreamId();
      }
      case Frame.WindowUpdate(int id, int increment) -> receivedCredit(frame, id, increment);
      case Frame.Priority _ -> check(false, frame, "is nothing a server sends (§6.3)");
      case Frame.Raw _ -> check(false, frame, "is of a type we did not ask for");
    }
  }

  private void receivedHeaders(Frame.Headers headers) {
    var stream = answering(headers);
    var status = headers.fields().value(":status");
    if (stream.response == Response.AWAITED) {
      check(status != null, headers, "has no :status (§8.3.2)");
      check(headers.fields().get(0).name().equals(":status"), headers, "is out of order (§8.3)");
      check(status == null || status.length() == 3, headers, "has a bad :status");
      if (status != null && !status.startsWith("1")) stream.response = Response.HEADERS_SEEN;
    } else {
      check(headers.endStream(), headers, "is a second section that ends nothing (§8.1)");
      check(headers.fields().trailersFault() == null, headers, "is malformed as trailers");
    }
    if (headers.endStream()) stream.response = Response.ENDED;
  }

  private void receivedData(Frame.Data data) {
    var stream = answering(data);
    check(stream.response == Response.HEADERS_SEEN, data, "stands before the HEADERS (§8.1)");
    check(
        data.flowBytes() <= largest(Frame.MAX_FRAME_SIZE),
        data,
        "passes SETTINGS_MAX_FRAME_SIZE (§4.2)");
    engineMaySend -= data.flowBytes();
    stream.engineMaySend -= data.flowBytes();
    // RFC 9113 §6.9: an empty frame may pass any window.
    if (data.flowBytes() > 0 && !lenient) {
      check(engineMaySend >= 0, data, "overruns the connection's window (§6.9)");
      check(stream.engineMaySend >= 0, data, "overruns the stream's window (§6.9)");
    }
    if (data.endStream()) stream.response = Response.ENDED;
  }

  private Stream answering(Frame frame) {
    check(lenient || streams.containsKey(frame.streamId()), frame, "answers no request (§5.1)");
    check(frame.streamId() % 2 == 1, frame, "is on a stream no client opens (§5.1.1)");
    var stream = stream(frame.streamId());
    check(stream.response != Response.ENDED, frame, "comes after END_STREAM (§5.1)");
    check(stream.response != Response.RESET, frame, "comes after RST_STREAM (§5.1)");
    return stream;
  }

  private void receivedSettings(Frame.Settings settings) {
    settingsSeen = true;
    for (var setting : settings.settings()) {
      if (setting.id() == Frame.INITIAL_WINDOW_SIZE) {
        for (var stream : streams.values()) {
          stream.weMaySend += setting.value() - engineInitialWindow;
        }
        engineInitialWindow = setting.value();
      }
      check(
          setting.id() != Frame.ENABLE_PUSH || setting.value() == 0,
          settings,
          "a server sends ENABLE_PUSH as 0 or not at all (§6.5.2)");
    }
  }

  private static boolean movesWindows(Frame.Settings settings) {
    return settings.settings().stream().anyMatch(s -> s.id() == Frame.INITIAL_WINDOW_SIZE);
  }

  /// The largest value that the engine may take for ours.
  private long largest(int setting) {
    long largest = acknowledged.getOrDefault(setting, 0L);
    for (var settings : unacknowledged) {
      for (var sent : settings.settings()) {
        if (sent.id() == setting) largest = Math.max(largest, sent.value());
      }
    }
    return largest;
  }

  /// RFC 9113 §6.9.2: a change counts for every stream, also below zero.
  private void moveWindows() {
    long newInitialWindow = largest(Frame.INITIAL_WINDOW_SIZE);
    for (var stream : streams.values()) {
      stream.engineMaySend += newInitialWindow - initialWindow;
    }
    initialWindow = newInitialWindow;
  }

  private void receivedCredit(Frame frame, int streamId, int increment) {
    check(increment > 0, frame, "gives nothing (§6.9)");
    if (streamId == 0) {
      weMaySend += increment;
      check(weMaySend <= WINDOW_MAX, frame, "overflows the connection's window (§6.9.1)");
      return;
    }
    check(lenient || streams.containsKey(streamId), frame, "is on an idle stream (§5.1)");
    var stream = stream(streamId);
    check(stream.response != Response.RESET, frame, "comes after RST_STREAM (§5.1)");
    stream.weMaySend += increment;
    check(stream.weMaySend <= WINDOW_MAX, frame, "overflows the stream's window (§6.9.1)");
  }

  private static void check(boolean holds, Frame frame, String objection) {
    if (!holds) throw new AssertionError("the engine sent " + frame + ", which " + objection);
  }
}
