package dev.weftline.internal.testing;

import dev.weftline.internal.http.Fields;
import dev.weftline.internal.http2.ErrorCode;
import dev.weftline.internal.http2.Http2Limits;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.jspecify.annotations.Nullable;

/// A client that keeps to RFC 9113 and to nothing else, against a real engine, on one thread with a
/// fake clock: many exchanges at once, everything in any order and cut anywhere, credit late,
/// windows shrinking, resets, padding, drains, sudden ends. One seed is one run, always the same.
///
/// A model knows what each exchange must be answered; what it was not reset for must come whole, in
/// order, and end.
public final class WireSimulation {
  private static final int STEPS_MAX = 300;
  private static final int RESETS_MAX = 100;
  private static final int SETTLING_ROUNDS_MAX = 2_000;

  private final Random random;
  private final InMemoryLoop loop = new InMemoryLoop();
  private final InMemoryLoop.Connection connection;
  private final ChoppingLink link;
  private final ScriptedPeer peer;
  private final int streamsMax;
  private final Map<Integer, Exchange> exchanges = new HashMap<>();
  private final List<Exchange> open = new ArrayList<>();
  private int resets;
  private boolean draining;

  private WireSimulation(long seed) {
    random = new Random(seed);
    streamsMax = 1 + random.nextInt(40);
    int window = 1_024 + random.nextInt(100_000);
    int windowMax = window + random.nextInt(1 << 20);
    var limits =
        new Http2Limits(streamsMax, 16 << 10, window, windowMax, 10_000, random.nextInt(8_192));
    connection = loop.connection(limits);
    link = new ChoppingLink(connection, random);
    peer = new ScriptedPeer(link);
  }

  /// Runs one simulation; its AssertionError says what the engine did wrong.
  public static void run(long seed) {
    var simulation = new WireSimulation(seed);
    try (var loop = simulation.loop) {
      simulation.runs();
      loop.exchanges().checkNoFaults();
    }
  }

  /// What the model expects of one exchange.
  private static final class Exchange {
    final int id;
    final boolean echo;
    final StringBuilder expected = new StringBuilder();
    Fields expectedTrailers = Fields.EMPTY;
    final StringBuilder received = new StringBuilder();
    boolean headersReceived;
    boolean requestEnded;
    boolean answered;
    boolean givenUp; // reset by us, or above the last id of a GOAWAY

    Exchange(int id, boolean echo) {
      this.id = id;
      this.echo = echo;
    }

    boolean isOver() {
      return givenUp || answered && requestEnded;
    }
  }

  private void runs() {
    peer.shakesHands(
        new Frame.Setting(Frame.INITIAL_WINDOW_SIZE, random.nextInt(70_000)),
        new Frame.Setting(Frame.MAX_FRAME_SIZE, 16_384 + random.nextInt(100_000)));
    link.beginsToChop();
    int steps = random.nextInt(STEPS_MAX);
    boolean endsSuddenly = random.nextInt(6) == 0;
    for (int i = 0; i < steps; i++) {
      step();
      if (random.nextInt(3) == 0) link.delivers(random.nextBoolean());
      receives();
    }
    if (endsSuddenly) {
      peer.closes();
      return;
    }
    settles();
  }

  private void step() {
    switch (random.nextInt(20)) {
      case 0, 1, 2, 3, 4 -> opens();
      case 5, 6, 7, 8, 9, 10 -> sendsData();
      case 11 -> endsRequest();
      case 12, 13 -> givesCredit();
      case 14 -> resets();
      case 15 -> peer.sends(harmless());
      case 16 -> peer.sends(Frame.settings(Frame.INITIAL_WINDOW_SIZE, random.nextInt(150_000)));
      case 17 -> {
        if (random.nextBoolean()) connection.stopsReading();
        else connection.readsAgain();
      }
      case 18 -> loop.passes(Duration.ofMillis(random.nextInt(100)));
      default -> {
        peer.splitsFieldBlocks(random.nextBoolean() ? 16_384 : 20 + random.nextInt(100));
        if (random.nextInt(40) == 0 && !draining) {
          draining = true;
          connection.engine().shutdown();
        }
      }
    }
  }

  private void opens() {
    open.removeIf(Exchange::isOver);
    if (draining || open.size() >= streamsMax) return;
    int id = peer.newStreamId() + 2 * random.nextInt(3);
    boolean ends = random.nextInt(4) == 0;
    int number = random.nextInt(3_000);
    var path =
        switch (random.nextInt(8)) {
          case 0 -> "/hello";
          case 1 -> "/early";
          case 2 -> "/dump/" + number * 20;
          case 3 -> "/messages/" + number;
          case 4, 5 -> "/later";
          default -> "/echo";
        };
    var exchange = new Exchange(id, path.equals("/echo") || path.equals("/later"));
    switch (path.substring(0, 3)) {
      case "/he" -> exchange.expected.append("hello");
      case "/ea" -> exchange.expected.append("early");
      case "/du" -> exchange.expected.append("\0".repeat(number * 20));
      case "/me" -> exchange.expected.append("tick.".repeat(number));
      default -> {}
    }
    if (!exchange.echo && !path.startsWith("/dump")) {
      exchange.expectedTrailers = TestExchanges.TRAILERS;
    }
    var request = Frame.request("POST", path);
    for (int i = random.nextInt(5); i > 0; i--) {
      request.add("x-" + random.nextInt(20), octets(random.nextInt(100), 'a'));
    }
    exchange.requestEnded = ends;
    exchanges.put(id, exchange);
    open.add(exchange);
    peer.sends(Frame.headers(id, request, ends));
  }

  private @Nullable Exchange anyOpen() {
    open.removeIf(Exchange::isOver);
    return open.isEmpty() ? null : open.get(random.nextInt(open.size()));
  }

  private void sendsData() {
    var exchange = anyOpen();
    if (exchange == null || exchange.requestEnded) return;
    int bytesMax = (int) Math.min(16_384 - 256, peer.maySend(exchange.id));
    int padding = random.nextInt(6) == 0 ? random.nextInt(256) : -1;
    if (bytesMax <= padding + 1) return;
    var octets = octets(random.nextInt(bytesMax - padding), (char) ('A' + exchange.id % 50));
    boolean ends = random.nextInt(8) == 0;
    peer.sends(Frame.paddedData(exchange.id, octets, padding, ends));
    if (exchange.echo) exchange.expected.append(octets);
    exchange.requestEnded = ends;
  }

  private void endsRequest() {
    var exchange = anyOpen();
    if (exchange == null || exchange.requestEnded) return;
    exchange.requestEnded = true;
    if (random.nextBoolean()) {
      peer.sends(Frame.data(exchange.id, "", Frame.END_STREAM));
      return;
    }
    var trailers = Frame.fields("x-" + random.nextInt(5), octets(random.nextInt(50), 'q'));
    if (exchange.echo) exchange.expectedTrailers = trailers;
    peer.sends(Frame.trailers(exchange.id, trailers));
  }

  private void givesCredit() {
    int increment = 1 + random.nextInt(random.nextBoolean() ? 10 : 100_000);
    var exchange = anyOpen();
    if (exchange != null && random.nextBoolean()) {
      peer.sends(Frame.windowUpdate(exchange.id, increment));
    } else {
      peer.sends(Frame.windowUpdate(0, increment));
    }
  }

  private void resets() {
    var exchange = anyOpen();
    if (exchange == null || exchange.isOver() || ++resets > RESETS_MAX) return;
    exchange.givenUp = true;
    peer.sends(Frame.rstStream(exchange.id, ErrorCode.CANCEL));
  }

  private Frame harmless() {
    return switch (random.nextInt(4)) {
      case 0 -> Frame.ping(random.nextLong());
      case 1 -> Frame.priority(1 + random.nextInt(1_000), 0, random.nextInt(256));
      case 2 -> Frame.raw(0x40 + random.nextInt(100), random.nextInt(256), 0, octets(50, 'z'));
      default -> Frame.settings(0x4000, random.nextInt(1_000));
    };
  }

  /// Whatever was open is ended, credit comes in plenty, everything is read: all must be answered.
  private void settles() {
    connection.readsAgain();
    for (int round = 0; round < SETTLING_ROUNDS_MAX; round++) {
      link.delivers(random.nextInt(4) != 0);
      receives();
      open.removeIf(Exchange::isOver);
      if (open.isEmpty()) break;
      peer.sends(Frame.windowUpdate(0, 60_000));
      for (var exchange : open) {
        peer.sends(Frame.windowUpdate(exchange.id, 60_000));
        if (!exchange.requestEnded) {
          exchange.requestEnded = true;
          peer.sends(Frame.data(exchange.id, "", Frame.END_STREAM));
        }
      }
      loop.passes(Duration.ofMillis(50));
    }
    link.delivers(true);
    receives();
    for (var exchange : exchanges.values()) {
      if (!exchange.isOver()) fail("never answered: stream " + exchange.id);
    }
    if (!draining) {
      if (!peer.isOpen()) fail("closed without a reason");
      draining = true;
      connection.engine().shutdown();
      receives();
      link.delivers(true);
    }
    loop.passes(Duration.ofSeconds(5));
    peer.expectsClose();
  }

  private void receives() {
    for (var frame : peer.takesAll()) {
      var exchange = exchanges.get(frame.streamId());
      switch (frame) {
        case Frame.GoAway(int last, long code, var debug) -> {
          if (code != 0 || !draining) fail("GOAWAY " + ErrorCode.of(code) + ": " + debug);
          for (var late : exchanges.values()) if (late.id > last) late.givenUp = true;
        }
        case Frame.Headers headers when exchange != null && !exchange.givenUp ->
            receivesHeaders(exchange, headers);
        case Frame.Data data when exchange != null && !exchange.givenUp -> {
          exchange.received.append(data.octets());
          if (data.endStream()) answered(exchange, Fields.EMPTY);
        }
        case Frame.RstStream(int id, long code) when exchange != null && !exchange.givenUp -> {
          // RFC 9113 §8.1: the rest of the request is not wanted; the response was whole.
          if (code != 0 || !exchange.answered) fail("stream " + id + " was reset: " + frame);
          exchange.requestEnded = true;
        }
        default -> {}
      }
    }
  }

  private static void receivesHeaders(Exchange exchange, Frame.Headers headers) {
    if (exchange.headersReceived) {
      answered(exchange, headers.fields());
      return;
    }
    exchange.headersReceived = true;
    if (!headers.fields().equals(TestExchanges.HEADERS)) fail("other fields: " + headers);
    if (headers.endStream()) answered(exchange, Fields.EMPTY);
  }

  private static void answered(Exchange exchange, Fields trailers) {
    exchange.answered = true;
    if (!trailers.equals(exchange.expectedTrailers)) {
      fail(
          "stream %d ended with %s, not with %s"
              .formatted(exchange.id, trailers, exchange.expectedTrailers));
    }
    if (!exchange.received.toString().contentEquals(exchange.expected)) {
      fail(
          "stream %d was answered %d octets, not the %d it should"
              .formatted(exchange.id, exchange.received.length(), exchange.expected.length()));
    }
  }

  private static void fail(String message) {
    throw new AssertionError(message);
  }

  private String octets(int length, char from) {
    var octets = new StringBuilder(length);
    for (int i = 0; i < length; i++) octets.append((char) (from + random.nextInt(4)));
    return octets.toString();
  }
}
