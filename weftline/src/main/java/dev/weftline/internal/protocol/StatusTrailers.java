package dev.weftline.internal.protocol;

import dev.weftline.internal.http.Field;
import dev.weftline.internal.http.Fields;
import io.grpc.Metadata;
import io.grpc.Status;
import java.nio.charset.StandardCharsets;
import java.util.HexFormat;

/// The trailers that end every gRPC response: grpc-status, grpc-message and the service's own (gRPC
/// over HTTP/2, "Trailers").
public final class StatusTrailers {
  private static final Field[] STATUS = new Field[Status.Code.values().length];

  static {
    for (var code : Status.Code.values()) {
      STATUS[code.value()] = Field.of("grpc-status", Integer.toString(code.value()));
    }
  }

  private static final Fields OK = Fields.constant(STATUS[0]);
  private static final Field MESSAGE = Field.of("grpc-message", "");
  private static final HexFormat HEX = HexFormat.of().withUpperCase();

  private StatusTrailers() {}

  /// The trailer section of a response whose headers have gone before.
  public static Fields of(Status status, Metadata metadata) {
    if (status.isOk() && status.getDescription() == null && MetadataFields.isEmpty(metadata)) {
      return OK;
    }
    return addStatus(new Fields(4), status, metadata);
  }

  /// Trailers-Only: a response that is one header section and nothing else.
  public static Fields trailersOnly(Status status, Metadata metadata) {
    return addStatus(
        new Fields(6).add(GrpcProtocol.STATUS_200).add(GrpcProtocol.CONTENT_TYPE_FIELD),
        status,
        metadata);
  }

  private static Fields addStatus(Fields fields, Status status, Metadata metadata) {
    fields.add(STATUS[status.getCode().value()]);
    var description = status.getDescription();
    if (description != null) fields.add(MESSAGE.withValue(percentEncode(description)));
    return MetadataFields.addTo(fields, metadata);
  }

  /// Status-Message → Percent-Encoded: octets of UTF-8 outside %x20-%x24 and %x26-%x7E are written
  /// as `%` and two hexadecimal digits.
  static String percentEncode(String message) {
    int plain = 0;
    while (plain < message.length() && isPlain(message.charAt(plain))) plain++;
    // RFC 9113 §8.2.1 wants no blank at either end of a value.
    boolean blankEnds = message.startsWith(" ") || message.endsWith(" ");
    if (plain == message.length() && !blankEnds) return message;
    var octets = message.getBytes(StandardCharsets.UTF_8);
    var encoded = new StringBuilder(octets.length + 16);
    for (int i = 0; i < octets.length; i++) {
      char c = (char) (octets[i] & 0xff);
      boolean endBlank = c == ' ' && (i == 0 || i == octets.length - 1);
      if (isPlain(c) && !endBlank) {
        encoded.append(c);
      } else {
        HEX.toHexDigits(encoded.append('%'), (byte) c);
      }
    }
    return encoded.toString();
  }

  private static boolean isPlain(char c) {
    return c >= ' ' && c <= '~' && c != '%';
  }
}
