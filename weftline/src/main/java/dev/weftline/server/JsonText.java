package dev.weftline.server;

/// Strings as JSON has them (RFC 8259 §7).
final class JsonText {
  private static final char LINE_SEPARATOR = 0x2028;
  private static final char PARAGRAPH_SEPARATOR = 0x2029;

  private JsonText() {}

  /// Appends `text` in quotes. Escapes what JSON demands, and all other controls, ends of lines and
  /// lone surrogates as well, so that what a client sent can neither end a line nor steer a
  /// terminal.
  static void quote(StringBuilder into, String text) {
    into.append('"');
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      if (c == '"' || c == '\\') {
        into.append('\\').append(c);
      } else if (isPair(text, i)) {
        into.append(c).append(text.charAt(++i));
      } else if (Character.isISOControl(c)
          || Character.isSurrogate(c)
          || c == LINE_SEPARATOR
          || c == PARAGRAPH_SEPARATOR) {
        into.append(String.format("\\u%04x", (int) c));
      } else {
        into.append(c);
      }
    }
    into.append('"');
  }

  private static boolean isPair(String text, int index) {
    return index + 1 < text.length()
        && Character.isSurrogatePair(text.charAt(index), text.charAt(index + 1));
  }
}
