package dev.weftline.internal.http;

import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/// An ordered field section: the header or trailer fields of one request or response, pseudo-fields
/// first (RFC 9113 §8.3).
///
/// Filled by one thread and then handed on; not changed after it was handed on. A *constant*
/// section never changes and is recognised by identity, so that an encoder may keep its bytes. One
/// *without a table* keeps them itself, for all connections together.
///
/// Hot: one is made per request.
public final class Fields {
  /// What is known of a section that does not change. Its final field publishes the octets safely.
  private static final class Encoding {
    /// Each encoder has its own.
    static final Encoding OF_TABLES = new Encoding(new byte[0]);

    /// Of a section without a table, before the first encoder was asked for it.
    static final Encoding MISSING = new Encoding(new byte[0]);

    final byte[] octets;

    Encoding(byte[] octets) {
      this.octets = octets;
    }
  }

  public static final Fields EMPTY = constant();

  private static final Field[] NONE = {};

  private Field[] fields;
  private int size;

  /// Null where the section may change. Racy on purpose: every thread computes the same octets.
  private @Nullable Encoding encoding;

  /// An empty section with room for `capacity` fields; it grows.
  public Fields(int capacity) {
    this(capacity == 0 ? NONE : new Field[capacity], 0, null);
  }

  private Fields(Field[] fields, int size, @Nullable Encoding encoding) {
    this.fields = fields;
    this.size = size;
    this.encoding = encoding;
  }

  /// A section that never changes: one instance for each place in the code that sends it.
  public static Fields constant(Field... fields) {
    return new Fields(fields.clone(), fields.length, Encoding.OF_TABLES);
  }

  /// This section as a constant one that no connection puts into its table: what many connections
  /// send, each of them seldom. It is longer on the wire than it could be, and costs no more than
  /// copying it.
  public Fields withoutTable() {
    return new Fields(Arrays.copyOf(fields, size), size, Encoding.MISSING);
  }

  public static Fields of(Field... fields) {
    return new Fields(fields.clone(), fields.length, null);
  }

  public boolean isConstant() {
    return encoding != null;
  }

  public boolean isWithoutTable() {
    var known = encoding;
    return known != null && known != Encoding.OF_TABLES;
  }

  /// The encoded octets of a section [without a table][#withoutTable()]; null before they were
  /// [kept][#keepOctets]. Shared: callers must not change them.
  public byte @Nullable [] octets() {
    var known = encoding;
    if (known == null || known == Encoding.OF_TABLES || known == Encoding.MISSING) return null;
    return known.octets;
  }

  /// For a section without a table.
  public void keepOctets(byte[] octets) {
    encoding = new Encoding(octets);
  }

  public Fields add(Field field) {
    if (isConstant()) throw new IllegalStateException("constant field section: " + this);
    if (size == fields.length) fields = Arrays.copyOf(fields, Math.max(8, size * 2));
    fields[size++] = field;
    return this;
  }

  public Fields add(String name, String value) {
    return add(Field.of(name, value));
  }

  public int size() {
    return size;
  }

  public Field get(int index) {
    if (index >= size) throw new IndexOutOfBoundsException(index);
    return fields[index];
  }

  /// The value of the first field of this name.
  public @Nullable String value(String name) {
    for (int i = 0; i < size; i++) {
      if (fields[i].name().equals(name)) return fields[i].value();
    }
    return null;
  }

  /// The value of the first field of this kind; quicker than by name for the pseudo-fields.
  public @Nullable String value(Field.Kind kind) {
    for (int i = 0; i < size; i++) {
      if (fields[i].kind() == kind) return fields[i].value();
    }
    return null;
  }

  /// What is wrong with this section as the header section of a request (RFC 9113 §8.2, §8.3.1), or
  /// null when nothing is.
  public @Nullable String requestFault() {
    int seen = 0; // one bit for each pseudo-field
    boolean regular = false;
    boolean length = false;
    for (int i = 0; i < size; i++) {
      var field = fields[i];
      var kind = field.kind();
      if (kind == Field.Kind.REGULAR) {
        regular = true;
        continue;
      }
      switch (kind) {
        case METHOD, SCHEME, AUTHORITY, PATH -> {
          // RFC 9113 §8.3: pseudo-fields stand before all others, and none stands twice.
          if (regular) return "pseudo-field after a regular field: " + field.name();
          int bit = 1 << kind.ordinal();
          if ((seen & bit) != 0) return "pseudo-field twice: " + field.name();
          seen |= bit;
          if (kind == Field.Kind.PATH && field.value().isEmpty()) return "empty :path";
        }
        // RFC 9113 §8.3: pseudo-fields of responses and undefined ones make a request malformed.
        case STATUS, UNKNOWN_PSEUDO -> {
          return "not a request pseudo-field: " + field.name();
        }
        case CONNECTION_SPECIFIC, TE, MALFORMED -> {
          var fault = fieldFault(field);
          if (fault != null) return fault;
          regular = true;
        }
        case CONTENT_LENGTH -> {
          // RFC 9110 §8.6: several may be refused; where they differ, they must be.
          if (length) return "content-length twice";
          length = true;
          regular = true;
        }
        case HOST, REGULAR -> regular = true;
      }
    }
    // RFC 9113 §8.5: CONNECT has :authority and neither :scheme nor :path.
    if ("CONNECT".equals(value(Field.Kind.METHOD))) {
      int connect = 1 << Field.Kind.METHOD.ordinal() | 1 << Field.Kind.AUTHORITY.ordinal();
      return seen == connect ? null : "CONNECT takes :method and :authority only";
    }
    int required =
        1 << Field.Kind.METHOD.ordinal()
            | 1 << Field.Kind.SCHEME.ordinal()
            | 1 << Field.Kind.PATH.ordinal();
    if ((seen & required) != required) return "a :method, :scheme or :path is missing";
    return null;
  }

  /// What is wrong with this section as trailers (RFC 9113 §8.1), or null when nothing is.
  public @Nullable String trailersFault() {
    for (int i = 0; i < size; i++) {
      var field = fields[i];
      // RFC 9113 §8.3: pseudo-fields do not stand in trailers.
      if (field.kind().isPseudo()) return "pseudo-field in trailers: " + field.name();
      var fault = fieldFault(field);
      if (fault != null) return fault;
    }
    return null;
  }

  private static @Nullable String fieldFault(Field field) {
    return switch (field.kind()) {
      case MALFORMED -> "RFC 9113 8.2.1: malformed field";
      case CONNECTION_SPECIFIC -> "RFC 9113 8.2.2: connection-specific field " + field.name();
      // RFC 9113 §8.2.2: TE may say "trailers" and nothing else.
      case TE ->
          field.value().equalsIgnoreCase("trailers") ? null : "RFC 9113 8.2.2: te is not trailers";
      case METHOD, SCHEME, AUTHORITY, PATH, STATUS, UNKNOWN_PSEUDO -> null;
      case CONTENT_LENGTH, HOST, REGULAR -> null;
    };
  }

  @Override
  public boolean equals(@Nullable Object other) {
    return other instanceof Fields that
        && size == that.size
        && Arrays.equals(fields, 0, size, that.fields, 0, size);
  }

  @Override
  public int hashCode() {
    int hash = 1;
    for (int i = 0; i < size; i++) hash = 31 * hash + fields[i].hashCode();
    return hash;
  }

  @Override
  public String toString() {
    return Arrays.asList(fields).subList(0, size).toString();
  }
}
