package dev.weftline.server;

import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.net.UnixDomainSocketAddress;
import java.net.UnknownHostException;
import java.nio.file.Path;
import java.time.Duration;
import java.time.format.DateTimeParseException;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.BiConsumer;
import java.util.stream.Collectors;

/// One option of a server, as every source of configuration knows it: `--lame-duck 5s`,
/// `WEFTLINE_LAME_DUCK=5s`, `lame-duck=5s` in a file. All of them stand in [ServerOptions].
///
/// @param name in lower case, words joined by hyphens
/// @param code how it is spelled in code
/// @param preset what holds without it, as a person writes it
/// @param meaning one sentence, without its full stop
/// @param setter puts it into a draft
record ServerOption<T>(
    String name,
    String code,
    Kind<T> kind,
    String preset,
    String meaning,
    BiConsumer<ServerDraft, T> setter) {

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
  static final Kind<Double> SHARE = new Kind<>("0…1", ServerOption::share);
  static final Kind<String> TEXT = new Kind<>("TEXT", text -> text);
  static final Kind<Path> FILE = new Kind<>("FILE", Path::of);

  /// Names joined by commas.
  static final Kind<List<String>> LIST = new Kind<>("A,B", text -> List.of(text.split(",", -1)));

  /// Numbers by names, `A=1,B=2`.
  static final Kind<Map<String, Integer>> NUMBERS = new Kind<>("A=N,B=N", ServerOption::numbers);

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

  /// The environment variable of this option.
  String variable() {
    return "WEFTLINE_" + name.toUpperCase(Locale.ROOT).replace('-', '_');
  }

  /// Reads `text` and returns what can be put into a draft.
  ///
  /// @throws IllegalArgumentException when it cannot be read
  Value<T> read(String text) {
    return new Value<>(this, kind.reader().read(text.strip()));
  }

  /// An option with its value.
  record Value<T>(ServerOption<T> option, T value) {
    void put(ServerDraft draft) {
      option.setter().accept(draft, value);
    }
  }

  private static Map<String, Integer> numbers(String text) {
    var numbers = new LinkedHashMap<String, Integer>();
    for (var part : text.split(",", -1)) {
      int equals = part.indexOf('=');
      if (equals < 1) throw new IllegalArgumentException("not numbers by names such as A=1,B=2");
      numbers.put(part.substring(0, equals).strip(), count(part.substring(equals + 1).strip()));
    }
    return numbers;
  }

  private static int count(String text) {
    try {
      return Integer.parseInt(text.replace("_", ""));
    } catch (NumberFormatException e) {
      throw new IllegalArgumentException("not a whole number", e);
    }
  }

  private static double share(String text) {
    try {
      return Double.parseDouble(text);
    } catch (NumberFormatException e) {
      throw new IllegalArgumentException("not a number from 0 to 1", e);
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
