package dev.weftline.internal.http;

import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.Locale;

/// The Date of responses (RFC 9110 §6.6.1), made once a second.
///
/// @param second since the epoch
public record DateField(long second, Field field) {
  /// RFC 9110 §5.6.7: IMF-fixdate.
  private static final DateTimeFormatter FIXDATE =
      DateTimeFormatter.ofPattern("EEE, dd MMM yyyy HH:mm:ss 'GMT'", Locale.US)
          .withZone(ZoneOffset.UTC);

  private static volatile DateField latest = at(0);

  /// Any thread.
  public static Field now() {
    long second = System.currentTimeMillis() / 1_000;
    var date = latest;
    if (date.second != second) {
      date = at(second);
      latest = date;
    }
    return date.field;
  }

  private static DateField at(long second) {
    var text = FIXDATE.format(Instant.ofEpochSecond(second));
    return new DateField(second, Field.of("date", text));
  }
}
