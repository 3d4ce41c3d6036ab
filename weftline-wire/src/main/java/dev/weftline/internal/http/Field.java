package dev.weftline.internal.http;

import java.nio.charset.StandardCharsets;
import org.jspecify.annotations.Nullable;

/// One field line: a name and a value (RFC 9110 §5). Immutable, and shared freely between field
/// sections, HPACK tables and threads, so that a field that repeats is decoded, checked and turned
/// into bytes once.
///
/// Each char of name and value stands for one octet (ISO 8859-1), so that any octets survive the
/// way in and out.
///
/// Hot: one is looked at per field of every request; nothing is computed twice.
public final class Field {
  /// What a field means to the rules of RFC 9113 §8.2 and §8.3.
  public enum Kind {
    METHOD,
    SCHEME,
    AUTHORITY,
    PATH,
    STATUS,
    /// A name that starts with a colon and is none of the above (RFC 9113 §8.3).
    UNKNOWN_PSEUDO,
    /// RFC 9113 §8.2.2: belongs to a single HTTP/1.1 connection, malformed in HTTP/2.
    CONNECTION_SPECIFIC,
    TE,
    CONTENT_LENGTH,
    HOST,
    REGULAR,
    /// RFC 9113 §8.2.1: an octet that may not stand in a name or value.
    MALFORMED;

    boolean isPseudo() {
      return compareTo(UNKNOWN_PSEUDO) <= 0;
    }
  }

  /// RFC 7541 §4.1: what an entry counts beyond its octets.
  public static final int OVERHEAD_BYTES = 32;

  private final String name;
  private final String value;
  private final Kind kind;
  private final int hash;
  // Racy on purpose: every thread computes the same bytes, and arrays are published safely by the
  // final-field rule below.
  private @Nullable Octets nameOctets;
  private @Nullable Octets valueOctets;

  private Field(String name, String value) {
    this.name = name;
    this.value = value;
    this.kind = kindOf(name, value);
    this.hash = name.hashCode() * 31 + value.hashCode();
  }

  public static Field of(String name, String value) {
    return new Field(name, value);
  }

  /// The same name with another value; the name's octets are shared.
  public Field withValue(String newValue) {
    var field = new Field(name, newValue);
    field.nameOctets = nameOctets;
    return field;
  }

  public String name() {
    return name;
  }

  public String value() {
    return value;
  }

  public Kind kind() {
    return kind;
  }

  /// The octets of the name. Shared: callers must not change them.
  public byte[] nameOctets() {
    var octets = nameOctets;
    if (octets == null) {
      octets = new Octets(name.getBytes(StandardCharsets.ISO_8859_1));
      nameOctets = octets;
    }
    return octets.bytes;
  }

  /// The octets of the value. Shared: callers must not change them.
  public byte[] valueOctets() {
    var octets = valueOctets;
    if (octets == null) {
      octets = new Octets(value.getBytes(StandardCharsets.ISO_8859_1));
      valueOctets = octets;
    }
    return octets.bytes;
  }

  /// RFC 7541 §4.1 and RFC 9113 §6.5.2 (SETTINGS_MAX_HEADER_LIST_SIZE) count alike: octets plus 32.
  public int size() {
    return name.length() + value.length() + OVERHEAD_BYTES;
  }

  private static Kind kindOf(String name, String value) {
    if (!isFieldValue(value)) return Kind.MALFORMED;
    if (name.startsWith(":")) {
      return switch (name) {
        case ":method" -> Kind.METHOD;
        case ":scheme" -> Kind.SCHEME;
        case ":authority" -> Kind.AUTHORITY;
        case ":path" -> Kind.PATH;
        case ":status" -> Kind.STATUS;
        default -> Kind.UNKNOWN_PSEUDO;
      };
    }
    if (!isFieldName(name)) return Kind.MALFORMED;
    return switch (name) {
      case "connection", "proxy-connection", "keep-alive", "transfer-encoding", "upgrade" ->
          Kind.CONNECTION_SPECIFIC;
      case "te" -> Kind.TE;
      case "content-length" -> Kind.CONTENT_LENGTH;
      case "host" -> Kind.HOST;
      default -> Kind.REGULAR;
    };
  }

  /// RFC 9113 §8.2.1 forbids upper case, controls, space, DEL and above, and an inner colon; RFC
  /// 9110 §5.1 allows tokens only.
  private static boolean isFieldName(String name) {
    if (name.isEmpty()) return false;
    for (int i = 0; i < name.length(); i++) {
      char c = name.charAt(i);
      boolean token =
          c >= 'a' && c <= 'z' || c >= '0' && c <= '9' || "!#$%&'*+-.^_`|~".indexOf(c) >= 0;
      if (!token) return false;
    }
    return true;
  }

  /// RFC 9113 §8.2.1: no NUL, CR or LF anywhere, no SP or HTAB at either end.
  private static boolean isFieldValue(String value) {
    int length = value.length();
    if (length == 0) return true;
    if (isBlank(value.charAt(0)) || isBlank(value.charAt(length - 1))) return false;
    for (int i = 0; i < length; i++) {
      char c = value.charAt(i);
      if (c == 0 || c == '\r' || c == '\n') return false;
    }
    return true;
  }

  private static boolean isBlank(char c) {
    return c == ' ' || c == '\t';
  }

  @Override
  public boolean equals(@Nullable Object other) {
    return this == other
        || other instanceof Field that
            && hash == that.hash
            && name.equals(that.name)
            && value.equals(that.value);
  }

  @Override
  public int hashCode() {
    return hash;
  }

  @Override
  public String toString() {
    return name + ": " + value;
  }

  /// A final field makes the array visible whole to a thread that finds it through a race.
  private static final class Octets {
    final byte[] bytes;

    Octets(byte[] bytes) {
      this.bytes = bytes;
    }
  }
}
