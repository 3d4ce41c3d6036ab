package dev.weftline.internal.hpack;

import dev.weftline.internal.http.Field;

/// The 61 fields both sides know beforehand (RFC 7541 Appendix A), found by index, by field and by
/// name.
///
/// Hot: asked for each field; the two searches are open-addressed tables of indices.
final class StaticTable {
  static final int LENGTH = 61;

  /// A power of two and more than four times the fields, so that most searches end at once.
  private static final int SLOTS = 256;

  private static final Field[] FIELDS = {
    field(":authority", ""),
    field(":method", "GET"),
    field(":method", "POST"),
    field(":path", "/"),
    field(":path", "/index.html"),
    field(":scheme", "http"),
    field(":scheme", "https"),
    field(":status", "200"),
    field(":status", "204"),
    field(":status", "206"),
    field(":status", "304"),
    field(":status", "400"),
    field(":status", "404"),
    field(":status", "500"),
    field("accept-charset", ""),
    field("accept-encoding", "gzip, deflate"),
    field("accept-language", ""),
    field("accept-ranges", ""),
    field("accept", ""),
    field("access-control-allow-origin", ""),
    field("age", ""),
    field("allow", ""),
    field("authorization", ""),
    field("cache-control", ""),
    field("content-disposition", ""),
    field("content-encoding", ""),
    field("content-language", ""),
    field("content-length", ""),
    field("content-location", ""),
    field("content-range", ""),
    field("content-type", ""),
    field("cookie", ""),
    field("date", ""),
    field("etag", ""),
    field("expect", ""),
    field("expires", ""),
    field("from", ""),
    field("host", ""),
    field("if-match", ""),
    field("if-modified-since", ""),
    field("if-none-match", ""),
    field("if-range", ""),
    field("if-unmodified-since", ""),
    field("last-modified", ""),
    field("link", ""),
    field("location", ""),
    field("max-forwards", ""),
    field("proxy-authenticate", ""),
    field("proxy-authorization", ""),
    field("range", ""),
    field("referer", ""),
    field("refresh", ""),
    field("retry-after", ""),
    field("server", ""),
    field("set-cookie", ""),
    field("strict-transport-security", ""),
    field("transfer-encoding", ""),
    field("user-agent", ""),
    field("vary", ""),
    field("via", ""),
    field("www-authenticate", ""),
  };

  private static final byte[] BY_FIELD = new byte[SLOTS];
  private static final byte[] BY_NAME = new byte[SLOTS];

  static {
    for (int index = 1; index <= LENGTH; index++) {
      var field = field(index);
      int slot = slot(field.hashCode());
      while (BY_FIELD[slot] != 0) slot = next(slot);
      BY_FIELD[slot] = (byte) index;
      if (nameIndex(field.name()) != 0) continue;
      slot = slot(field.name().hashCode());
      while (BY_NAME[slot] != 0) slot = next(slot);
      BY_NAME[slot] = (byte) index;
    }
  }

  private StaticTable() {}

  /// The field at `index`, counted from 1 (RFC 7541 §2.3.1).
  static Field field(int index) {
    return FIELDS[index - 1];
  }

  /// The index of this very field, or 0.
  static int index(Field field) {
    int slot = slot(field.hashCode());
    for (int index = BY_FIELD[slot]; index != 0; index = BY_FIELD[slot]) {
      if (field(index).equals(field)) return index;
      slot = next(slot);
    }
    return 0;
  }

  /// The first index with this name, or 0.
  static int nameIndex(String name) {
    int slot = slot(name.hashCode());
    for (int index = BY_NAME[slot]; index != 0; index = BY_NAME[slot]) {
      if (field(index).name().equals(name)) return index;
      slot = next(slot);
    }
    return 0;
  }

  private static int slot(int hash) {
    return (hash ^ hash >>> 8 ^ hash >>> 16) & SLOTS - 1;
  }

  private static int next(int slot) {
    return slot + 1 & SLOTS - 1;
  }

  private static Field field(String name, String value) {
    var field = Field.of(name, value);
    // Made here, the octets of the name are shared by all fields that take their name from this
    // one.
    field.nameOctets();
    return field;
  }
}
