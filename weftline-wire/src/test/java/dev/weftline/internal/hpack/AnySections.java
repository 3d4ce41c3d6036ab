package dev.weftline.internal.hpack;

import dev.weftline.internal.http.Field;
import dev.weftline.internal.http.Fields;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;

/// Field sections out of a seed: some fields come again and again, some once; some are text, some
/// any octets.
final class AnySections {
  private static final String[] NAMES = {
    ":method",
    ":scheme",
    ":path",
    ":authority",
    ":status",
    "content-type",
    "content-length",
    "te",
    "user-agent",
    "authorization",
    "cookie",
    "date",
    "grpc-timeout",
    "grpc-status",
    "trace-bin",
    "x-shard",
    "x-a-name-that-is-longer-than-those-which-everybody-knows",
    "accept-encoding",
  };
  private static final String[] VALUES = {
    "",
    "GET",
    "POST",
    "/",
    "http",
    "https",
    "200",
    "application/grpc",
    "trailers",
    "0",
    "5",
    "gzip, deflate",
    "/helloworld.Greeter/SayHello",
    "grpc-java-netty/1.85.1",
    "localhost:50051",
  };

  /// The seed of this run, for each failure's message; `-Dweftline.seed=…` runs it again.
  static long seed() {
    return Long.getLong("weftline.seed", System.nanoTime());
  }

  private final Random random;
  private final List<Fields> constants = new ArrayList<>();

  AnySections(Random random) {
    this.random = random;
    for (int i = 0; i < 6; i++) {
      var fields = new Field[random.nextInt(4)];
      for (int j = 0; j < fields.length; j++) fields[j] = field();
      var constant = Fields.constant(fields);
      constants.add(random.nextBoolean() ? constant : constant.withoutTable());
    }
  }

  /// One of a few constant sections, or a new one; pseudo-fields are not sorted.
  Fields next() {
    if (random.nextInt(3) == 0) return constants.get(random.nextInt(constants.size()));
    int size = random.nextInt(12);
    var fields = new Fields(size);
    for (int i = 0; i < size; i++) fields.add(field());
    return fields;
  }

  private Field field() {
    var name = random.nextInt(8) == 0 ? "x-" + random.nextInt(200) : pick(NAMES);
    return Field.of(name, value());
  }

  private String value() {
    return switch (random.nextInt(10)) {
      case 0 -> octets(random.nextInt(40), 256);
      case 1 -> octets(random.nextInt(400), 128);
      case 2 -> octets(random.nextInt(random.nextInt(40) == 0 ? 6_000 : 20), 256);
      case 3, 4 -> "/" + random.nextInt(40);
      default -> pick(VALUES);
    };
  }

  private String octets(int length, int bound) {
    var octets = new StringBuilder(length);
    for (int i = 0; i < length; i++) octets.append((char) random.nextInt(bound));
    return octets.toString();
  }

  private String pick(String[] from) {
    return from[random.nextInt(from.length)];
  }
}
