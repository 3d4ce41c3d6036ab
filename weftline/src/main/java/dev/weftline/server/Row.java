package dev.weftline.server;

import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/// Named values in a row, as one JSON object or as `name=value` words, while it is spelled.
///
/// Numbers and strings in a row, at most a list of strings, and nothing is ever read: a library for
/// JSON would bring more than the few lines here.
final class Row {
  private final boolean json;
  private final StringBuilder row = new StringBuilder(512);

  Row(AccessLog.Format format) {
    this.json = format == AccessLog.Format.JSON;
    if (json) row.append('{');
  }

  /// A string; nothing when there is none.
  Row text(String name, @Nullable String value) {
    if (value == null) return this;
    name(name);
    if (json || !isWord(value)) JsonText.quote(row, value);
    else row.append(value);
    return this;
  }

  Row number(String name, long value) {
    name(name);
    row.append(value);
    return this;
  }

  /// Nanoseconds, none of them negative, as milliseconds to the third place.
  Row millis(String name, long nanos) {
    name(name);
    long micros = (nanos + 500) / 1_000;
    row.append(micros / 1_000).append('.');
    // Without String.format, which would be most of what a line costs.
    long rest = micros % 1_000;
    if (rest < 100) row.append('0');
    if (rest < 10) row.append('0');
    row.append(rest);
    return this;
  }

  /// To the third place.
  Row decimal(String name, double value) {
    name(name);
    row.append(String.format(Locale.ROOT, "%.3f", value));
    return this;
  }

  /// A list in JSON, a line for each in words.
  Row lines(String name, List<String> values) {
    if (!json) {
      for (var value : values) row.append("\n    ").append(value);
      return this;
    }
    name(name);
    row.append('[');
    for (int i = 0; i < values.size(); i++) {
      if (i > 0) row.append(',');
      JsonText.quote(row, values.get(i));
    }
    row.append(']');
    return this;
  }

  String end() {
    return (json ? row.append('}') : row).toString();
  }

  private void name(String name) {
    if (row.length() > (json ? 1 : 0)) row.append(json ? ',' : ' ');
    if (json) row.append('"').append(name).append("\":");
    else row.append(name).append('=');
  }

  /// Whether it can stand without quotes.
  private static boolean isWord(String value) {
    for (int i = 0; i < value.length(); i++) {
      char c = value.charAt(i);
      if (c <= ' ' || c > '~' || c == '"' || c == '=' || c == '\\') return false;
    }
    return !value.isEmpty();
  }
}
