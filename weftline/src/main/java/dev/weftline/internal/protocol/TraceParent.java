package dev.weftline.internal.protocol;

import org.jspecify.annotations.Nullable;

/// The field `traceparent` (W3C Trace Context, §3.2): which trace a request belongs to.
public final class TraceParent {
  private static final int ID_START = 3;
  private static final int ID_END = 35;
  private static final int PARENT_END = 52;
  private static final int LENGTH = 55; // of version 00

  private TraceParent() {}

  /// The trace id, 32 digits; null where the field is not what the specification says, which is
  /// then to be ignored (§3.2.2.3, §4.3).
  public static @Nullable String traceId(@Nullable String field) {
    if (field == null || field.length() < LENGTH) return null;
    // Later versions may add something behind a dash.
    if (field.length() > LENGTH && (field.startsWith("00") || field.charAt(LENGTH) != '-')) {
      return null;
    }
    boolean valid =
        isHex(field, 0, 2)
            && !field.startsWith("ff")
            && field.charAt(2) == '-'
            && isId(field, ID_START, ID_END)
            && field.charAt(ID_END) == '-'
            && isId(field, ID_END + 1, PARENT_END)
            && field.charAt(PARENT_END) == '-'
            && isHex(field, PARENT_END + 1, LENGTH);
    return valid ? field.substring(ID_START, ID_END) : null;
  }

  /// All zeroes are no id.
  private static boolean isId(String field, int start, int end) {
    if (!isHex(field, start, end)) return false;
    for (int i = start; i < end; i++) {
      if (field.charAt(i) != '0') return true;
    }
    return false;
  }

  /// §3.2.2: lower case only.
  private static boolean isHex(String field, int start, int end) {
    for (int i = start; i < end; i++) {
      char c = field.charAt(i);
      if (!(c >= '0' && c <= '9' || c >= 'a' && c <= 'f')) return false;
    }
    return true;
  }
}
