package dev.weftline.internal.protocol;

import dev.weftline.internal.http.Field;
import dev.weftline.internal.http.Fields;
import io.grpc.InternalMetadata;
import io.grpc.Metadata;
import io.grpc.Status;
import io.grpc.StatusException;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Base64;

/// Metadata ⇄ field sections (gRPC over HTTP/2, "Custom-Metadata"): names ending in `-bin` carry
/// base64, all others printable ASCII.
///
/// Hot: one way in for each call; out only for calls that have metadata.
public final class MetadataFields {
  private static final Base64.Encoder UNPADDED = Base64.getEncoder().withoutPadding();

  private MetadataFields() {}

  /// The metadata of a request. Octets of names and ASCII values are shared with the fields, and
  /// through them with the HPACK table: Metadata never hands them out without copying them into a
  /// String.
  ///
  /// @throws StatusException INTERNAL for a `-bin` value that is not base64
  public static Metadata metadata(Fields fields) throws StatusException {
    var namesAndValues = new byte[2 * fields.size()][];
    int used = 0;
    for (int i = 0; i < fields.size(); i++) {
      var field = fields.get(i);
      switch (field.kind()) {
        case REGULAR, CONTENT_LENGTH, TE -> {
          if (field.name().endsWith(Metadata.BINARY_HEADER_SUFFIX)) {
            namesAndValues = addDecoded(namesAndValues, used, field);
            used += valuesOf(field);
          } else {
            namesAndValues[2 * used] = field.nameOctets();
            namesAndValues[2 * used + 1] = field.valueOctets();
            used++;
          }
        }
        // :authority and :path are the call's own accessors; host says the same as :authority.
        case METHOD, SCHEME, AUTHORITY, PATH, STATUS, UNKNOWN_PSEUDO, HOST -> {}
        // The connection refuses these; they do not get here.
        case CONNECTION_SPECIFIC, MALFORMED -> {}
      }
    }
    return InternalMetadata.newMetadata(used, namesAndValues);
  }

  /// "Implementations MUST accept comma-separated values": a proxy may join repeated fields.
  private static int valuesOf(Field field) {
    var value = field.value();
    int values = 1;
    for (int i = value.indexOf(','); i >= 0; i = value.indexOf(',', i + 1)) values++;
    return values;
  }

  private static byte[][] addDecoded(byte[][] namesAndValues, int used, Field field)
      throws StatusException {
    int values = valuesOf(field);
    var grown =
        values == 1
            ? namesAndValues
            : Arrays.copyOf(namesAndValues, namesAndValues.length + 2 * (values - 1));
    var value = field.value();
    int start = 0;
    for (int i = 0; i < values; i++) {
      int comma = value.indexOf(',', start);
      var one = (comma < 0 ? value.substring(start) : value.substring(start, comma)).strip();
      grown[2 * (used + i)] = field.nameOctets();
      grown[2 * (used + i) + 1] = decode(field.name(), one);
      start = comma + 1;
    }
    return grown;
  }

  /// "Implementations MUST accept padded and un-padded values". Java's decoder takes both.
  private static byte[] decode(String name, String value) throws StatusException {
    try {
      return Base64.getDecoder().decode(value);
    } catch (IllegalArgumentException e) {
      throw Status.INTERNAL
          .withDescription("metadata " + name + " is not base64: " + e.getMessage())
          .asException();
    }
  }

  public static boolean isEmpty(Metadata metadata) {
    return InternalMetadata.headerCount(metadata) == 0;
  }

  /// Adds the metadata of a service to a response section. Names that belong to the protocol are
  /// left out, so that a service that copies a request's metadata cannot break its own response.
  public static Fields addTo(Fields fields, Metadata metadata) {
    var namesAndValues = InternalMetadata.serialize(metadata);
    if (namesAndValues == null) return fields;
    for (int i = 0; i + 1 < namesAndValues.length; i += 2) {
      var name = new String(namesAndValues[i], StandardCharsets.ISO_8859_1);
      if (isReserved(name)) continue;
      var value = namesAndValues[i + 1];
      if (name.endsWith(Metadata.BINARY_HEADER_SUFFIX)) {
        fields.add(Field.of(name, new String(UNPADDED.encode(value), StandardCharsets.ISO_8859_1)));
      } else if (isPrintable(value)) {
        fields.add(Field.of(name, new String(value, StandardCharsets.ISO_8859_1).strip()));
      }
    }
    return fields;
  }

  /// Not every `grpc-` name: `grpc-status-details-bin` and its like are set by services.
  private static boolean isReserved(String name) {
    return switch (name) {
      case "grpc-status",
          "grpc-message",
          "grpc-encoding",
          "grpc-accept-encoding",
          "grpc-timeout",
          "grpc-message-type",
          "content-type",
          "content-length",
          "user-agent",
          "host",
          "te",
          "connection",
          "proxy-connection",
          "keep-alive",
          "transfer-encoding",
          "upgrade" ->
          true;
      default -> name.startsWith(":");
    };
  }

  /// ASCII-Value → 1*( %x20-%x7E ). Others are left out, as grpc-java does: they would make the
  /// whole section malformed.
  private static boolean isPrintable(byte[] value) {
    for (byte b : value) {
      if (b < 0x20 || b > 0x7e) return false;
    }
    return true;
  }
}
