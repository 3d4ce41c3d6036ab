package dev.weftline.internal.hpack;

import dev.weftline.internal.http.Field;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/// Names that peers spell out although everybody knows them, found by their octets: one String and
/// one array of octets for all connections. No rule depends on what is in here.
///
/// Hot: asked for each literal name.
final class KnownNames {
  private static final int NAME_BYTES_MAX = 32;
  private static final int SLOTS = 512;
  private static final @Nullable Field[] BY_NAME = new Field[SLOTS];

  private static final String[] BEYOND_STATIC_TABLE = {
    ":protocol",
    "access-control-request-headers",
    "access-control-request-method",
    "alt-svc",
    "b3",
    "baggage",
    "connect-accept-encoding",
    "connect-content-encoding",
    "connect-protocol-version",
    "connect-timeout-ms",
    "dnt",
    "forwarded",
    "grpc-accept-encoding",
    "grpc-encoding",
    "grpc-message",
    "grpc-previous-rpc-attempts",
    "grpc-retry-pushback-ms",
    "grpc-status",
    "grpc-status-details-bin",
    "grpc-tags-bin",
    "grpc-timeout",
    "grpc-trace-bin",
    "origin",
    "priority",
    "sec-fetch-dest",
    "sec-fetch-mode",
    "sec-fetch-site",
    "te",
    "traceparent",
    "tracestate",
    "trailer",
    "upgrade-insecure-requests",
    "x-forwarded-for",
    "x-forwarded-host",
    "x-forwarded-proto",
    "x-grpc-web",
    "x-real-ip",
    "x-request-id",
    "x-user-agent",
  };

  static {
    for (int index = 1; index <= StaticTable.LENGTH; index++) add(StaticTable.field(index));
    for (var name : BEYOND_STATIC_TABLE) add(Field.of(name, ""));
  }

  private KnownNames() {}

  private static void add(Field named) {
    var octets = named.nameOctets();
    if (find(octets, octets.length) != null) return;
    int slot = slot(octets, octets.length);
    while (BY_NAME[slot] != null) slot = next(slot);
    BY_NAME[slot] = named;
  }

  /// A field with the name that stands at the start of `octets`, or null.
  static @Nullable Field find(byte[] octets, int length) {
    if (length > NAME_BYTES_MAX) return null;
    int slot = slot(octets, length);
    for (var named = BY_NAME[slot]; named != null; named = BY_NAME[slot]) {
      var name = named.nameOctets();
      if (Arrays.equals(name, 0, name.length, octets, 0, length)) return named;
      slot = next(slot);
    }
    return null;
  }

  private static int slot(byte[] octets, int length) {
    int hash = length;
    for (int i = 0; i < length; i++) hash = 31 * hash + octets[i];
    return (hash ^ hash >>> 9 ^ hash >>> 18) & SLOTS - 1;
  }

  private static int next(int slot) {
    return slot + 1 & SLOTS - 1;
  }
}
