package dev.weftline.internal.protocol;

import dev.weftline.internal.http.Field;
import dev.weftline.internal.http.Fields;
import org.jspecify.annotations.Nullable;

/// How a gRPC call is spoken on an exchange: content-type, grpc-timeout and the fields that every
/// response has (gRPC over HTTP/2).
public final class GrpcProtocol {
  public static final Field STATUS_200 = Field.of(":status", "200");

  private static final String CONTENT_TYPE = "application/grpc";
  static final Field CONTENT_TYPE_FIELD = Field.of("content-type", CONTENT_TYPE);

  /// grpc-timeout: TimeoutValue is "positive integer as ASCII string of at most 8 digits".
  private static final int TIMEOUT_DIGITS_MAX = 8;

  /// What `parseTimeout` answers to a malformed value.
  public static final long MALFORMED_TIMEOUT = -1;

  private GrpcProtocol() {}

  /// Content-Type → `application/grpc [("+proto" / "+json" / {custom})]`; parameters are tolerated,
  /// because proxies add them.
  public static boolean isGrpc(@Nullable String contentType) {
    if (contentType == null) return false;
    int length = CONTENT_TYPE.length();
    if (!contentType.regionMatches(true, 0, CONTENT_TYPE, 0, length)) return false;
    if (contentType.length() == length) return true;
    char next = contentType.charAt(length);
    return next == '+' || next == ';';
  }

  /// The header section that starts every ordinary response.
  public static Fields responseHeaders(Field... encodings) {
    var fields = new Field[2 + encodings.length];
    fields[0] = STATUS_200;
    fields[1] = CONTENT_TYPE_FIELD;
    System.arraycopy(encodings, 0, fields, 2, encodings.length);
    return Fields.constant(fields);
  }

  /// Timeout → TimeoutValue TimeoutUnit, in nanoseconds; a value past the range of a long
  /// saturates. 0 is accepted, as every implementation does, and has expired on arrival.
  public static long parseTimeout(String timeout) {
    int digits = timeout.length() - 1;
    if (digits < 1 || digits > TIMEOUT_DIGITS_MAX) return MALFORMED_TIMEOUT;
    long value = 0;
    for (int i = 0; i < digits; i++) {
      int digit = timeout.charAt(i) - '0';
      if (digit < 0 || digit > 9) return MALFORMED_TIMEOUT;
      value = value * 10 + digit;
    }
    long unitNanos =
        switch (timeout.charAt(digits)) {
          case 'n' -> 1L;
          case 'u' -> 1_000L;
          case 'm' -> 1_000_000L;
          case 'S' -> 1_000_000_000L;
          case 'M' -> 60_000_000_000L;
          case 'H' -> 3_600_000_000_000L;
          default -> MALFORMED_TIMEOUT;
        };
    if (unitNanos < 0) return MALFORMED_TIMEOUT;
    return value > Long.MAX_VALUE / unitNanos ? Long.MAX_VALUE : value * unitNanos;
  }
}
