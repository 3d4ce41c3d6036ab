package dev.weftline.server;

import dev.weftline.Placement;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.net.UnixDomainSocketAddress;
import java.net.UnknownHostException;
import java.nio.file.Path;
import java.time.Duration;
import java.time.format.DateTimeParseException;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.function.BiConsumer;
import java.util.stream.Collectors;

/// One option of a server, as every source of configuration knows it: `--drain-grace 20s`,
/// `WEFTLINE_DRAIN_GRACE=20s`, `drain-grace=20s` in a file. The table of all of them is [#ALL]; the
/// README's is generated from it.
///
/// @param name in lower case, words joined by hyphens
/// @param preset what holds without it, as a person writes it
/// @param meaning one sentence, without its full stop
/// @param setter tells a builder
record ServerOption<T>(
    String name,
    Kind<T> kind,
    String preset,
    String meaning,
    BiConsumer<Server.Builder, T> setter) {

  /// How a value is written.
  ///
  /// @param form what stands for the value in a usage line
  record Kind<T>(String form, Reader<T> reader) {}

  /// Reads a value.
  @FunctionalInterface
  interface Reader<T> {
    /// The value that `text` stands for.
    ///
    /// @throws IllegalArgumentException with what would be right
    T read(String text);
  }

  static final Kind<Integer> COUNT = new Kind<>("N", ServerOption::count);
  static final Kind<Long> BYTES = new Kind<>("BYTES", ServerOption::bytes);
  static final Kind<Duration> TIME = new Kind<>("TIME", ServerOption::time);
  static final Kind<Boolean> SWITCH = new Kind<>("on|off", ServerOption::isOn);
  static final Kind<SocketAddress> ADDRESS = new Kind<>("HOST:PORT", ServerOption::address);
  static final Kind<Path> FILE = new Kind<>("FILE", Path::of);

  /// Names joined by commas.
  static final Kind<List<String>> LIST = new Kind<>("A,B", text -> List.of(text.split(",")));

  static <E extends Enum<E>> Kind<E> oneOf(Class<E> type) {
    var names =
        Arrays.stream(type.getEnumConstants())
            .map(constant -> constant.name().toLowerCase(Locale.ROOT))
            .collect(Collectors.joining("|"));
    return new Kind<>(
        names,
        text -> {
          for (var constant : type.getEnumConstants()) {
            if (constant.name().equalsIgnoreCase(text.replace('-', '_'))) return constant;
          }
          throw new IllegalArgumentException("not one of " + names);
        });
  }

  static final List<ServerOption<?>> ALL =
      List.of(
          new ServerOption<>(
              "port", COUNT, "a free one", "the port, on every interface", Server.Builder::port),
          new ServerOption<>(
              "address",
              ADDRESS,
              "every interface",
              "an address to listen on as well; `unix:/path` is a Unix domain socket",
              Server.Builder::address),
          new ServerOption<>(
              "reuse-port",
              SWITCH,
              "off",
              "SO_REUSEPORT: a new process may listen beside the old one",
              Server.Builder::reusePort),
          new ServerOption<>(
              "loops", COUNT, "one per core", "how many event loops", Server.Builder::loops),
          new ServerOption<>(
              "placement",
              oneOf(Placement.class),
              "adaptive",
              "where calls run whose method does not say",
              Server.Builder::placement),
          new ServerOption<>(
              "stall-budget",
              TIME,
              "2ms",
              "how long a call may hold its loop before it is reported and its method moves away",
              Server.Builder::stallBudget),
          limit(
              "max-inbound-message",
              BYTES,
              "4MiB",
              "one message, before and after decompression",
              (limits, bytes) -> limits.withMaxInboundMessageBytes(Math.toIntExact(bytes))),
          limit(
              "send-buffer",
              BYTES,
              "256KiB",
              "what one call may have unsent before its sender waits",
              (limits, bytes) -> limits.withSendBufferBytes(Math.toIntExact(bytes))),
          limit(
              "max-streams", COUNT, "1000", "calls open on one connection", Limits::withStreamsMax),
          limit(
              "max-fields",
              BYTES,
              "16KiB",
              "metadata of one request",
              (limits, bytes) -> limits.withFieldBytesMax(Math.toIntExact(bytes))),
          limit(
              "window",
              BYTES,
              "64KiB",
              "flow-control window of one call at first",
              (limits, bytes) ->
                  limits.withWindowBytes(
                      Math.toIntExact(bytes),
                      Math.max(Math.toIntExact(bytes), limits.windowBytesMax()))),
          limit(
              "max-window",
              BYTES,
              "4MiB",
              "how far that grows with bandwidth and delay",
              (limits, bytes) ->
                  limits.withWindowBytes(limits.windowBytes(), Math.toIntExact(bytes))),
          limit(
              "handshake",
              TIME,
              "10s",
              "from accept to the client's first SETTINGS",
              Limits::withHandshake));

  private interface LimitSetter<T> {
    Limits with(Limits limits, T value);
  }

  private static <T> ServerOption<T> limit(
      String name, Kind<T> kind, String preset, String meaning, LimitSetter<T> setter) {
    return new ServerOption<>(
        name,
        kind,
        preset,
        meaning,
        (builder, value) -> builder.limits(setter.with(builder.limits(), value)));
  }

  /// The environment variable of this option.
  String variable() {
    return "WEFTLINE_" + name.toUpperCase(Locale.ROOT).replace('-', '_');
  }

  /// Reads `text` and returns what tells a builder.
  ///
  /// @throws IllegalArgumentException when it cannot be read
  Value<T> read(String text) {
    return new Value<>(this, kind.reader().read(text.strip()));
  }

  /// An option with its value.
  record Value<T>(ServerOption<T> option, T value) {
    void tell(Server.Builder builder) {
      option.setter().accept(builder, value);
    }
  }

  private static int count(String text) {
    try {
      return Integer.parseInt(text.replace("_", ""));
    } catch (NumberFormatException e) {
      throw new IllegalArgumentException("not a whole number", e);
    }
  }

  private static boolean isOn(String text) {
    return switch (text.toLowerCase(Locale.ROOT)) {
      case "on", "true", "yes" -> true;
      case "off", "false", "no" -> false;
      default -> throw new IllegalArgumentException("neither on nor off");
    };
  }

  /// A number with a unit of 1024s: `4MiB`, `4m`, `4096`.
  private static long bytes(String text) {
    int end = 0;
    while (end < text.length() && Character.digit(text.charAt(end), 10) >= 0) end++;
    int shift =
        switch (text.substring(end).strip().toLowerCase(Locale.ROOT)) {
          case "", "b" -> 0;
          case "k", "kib" -> 10;
          case "m", "mib" -> 20;
          case "g", "gib" -> 30;
          default -> -1;
        };
    if (end == 0 || end > 15 || shift < 0) {
      throw new IllegalArgumentException("not a number of bytes such as 65536, 64KiB or 4MiB");
    }
    return Math.multiplyExact(Long.parseLong(text, 0, end, 10), 1L << shift);
  }

  private static final String TIME_EXPECTED = "not a time such as 200ms, 20s, 5m or 2h";

  /// `200ms`, `20s`, `5m`, `2h`, `1d`, `0`, or ISO 8601 (`PT20S`).
  private static Duration time(String text) {
    try {
      if (text.startsWith("P")) return Duration.parse(text);
      if (text.equals("0")) return Duration.ZERO;
      int end = 0;
      while (end < text.length() && Character.digit(text.charAt(end), 10) >= 0) end++;
      long number = Long.parseLong(text, 0, end, 10);
      return switch (text.substring(end).strip().toLowerCase(Locale.ROOT)) {
        case "ms" -> Duration.ofMillis(number);
        case "s" -> Duration.ofSeconds(number);
        case "m" -> Duration.ofMinutes(number);
        case "h" -> Duration.ofHours(number);
        case "d" -> Duration.ofDays(number);
        default -> throw new IllegalArgumentException(TIME_EXPECTED);
      };
    } catch (NumberFormatException | DateTimeParseException | ArithmeticException e) {
      throw new IllegalArgumentException(TIME_EXPECTED, e);
    }
  }

  private static SocketAddress address(String text) {
    if (text.startsWith("unix:")) return UnixDomainSocketAddress.of(text.substring(5));
    int colon = text.lastIndexOf(':');
    if (colon < 0) throw new IllegalArgumentException("not an address such as 127.0.0.1:8080");
    var host = text.substring(0, colon);
    int port = count(text.substring(colon + 1));
    if (host.isEmpty() || host.equals("*")) return new InetSocketAddress(port);
    try {
      return new InetSocketAddress(InetAddress.getByName(host), port);
    } catch (UnknownHostException e) {
      throw new IllegalArgumentException("no such host is known: " + host, e);
    }
  }
}
