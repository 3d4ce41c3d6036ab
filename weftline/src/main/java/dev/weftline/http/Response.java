package dev.weftline.http;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;

/// The whole response to a plain HTTP request. What would break the framing of the connection, or
/// let the text of a field become another field, is refused when the response is made: it is then
/// the handler that fails, and not its client.
///
/// @param status a final one, 200 to 599 (RFC 9110 §15)
/// @param fields the header section; names are put into lower case. `content-length`, `date` and
///   what belongs to the connection is the server's business
/// @param body the content; passes over to the server and must not be changed afterwards
@SuppressWarnings("ArrayRecordComponent") // never compared
public record Response(int status, List<Map.Entry<String, String>> fields, byte[] body) {
  /// RFC 9113 §8.2.2: these speak of one connection, and HTTP/2 forbids them. The others say how
  /// long the content is, which the server knows.
  private static final Set<String> OF_THE_CONNECTION =
      Set.of(
          "connection",
          "content-length",
          "keep-alive",
          "proxy-connection",
          "te",
          "trailer",
          "transfer-encoding",
          "upgrade");

  /// @throws IllegalArgumentException for a status that is not final, a field that may not be sent,
  ///   or content where the status allows none
  public Response {
    if (status < 200 || status > 599) throw new IllegalArgumentException("status: " + status);
    // RFC 9110 §15.3.5, §15.3.6, §15.4.5.
    if (body.length > 0 && (status == 204 || status == 205 || status == 304)) {
      throw new IllegalArgumentException("a response " + status + " has no content");
    }
    var checked = new ArrayList<Map.Entry<String, String>>(fields.size());
    for (var field : fields) checked.add(checked(field.getKey(), field.getValue()));
    fields = List.copyOf(checked);
  }

  /// Plain text in UTF-8.
  public static Response text(int status, String body) {
    return of(status, "text/plain; charset=utf-8", body.getBytes(StandardCharsets.UTF_8));
  }

  /// JSON, which is UTF-8 (RFC 8259 §8.1).
  public static Response json(int status, String body) {
    return of(status, "application/json", body.getBytes(StandardCharsets.UTF_8));
  }

  /// Content of any type.
  public static Response of(int status, String contentType, byte[] body) {
    return new Response(status, List.of(Map.entry("content-type", contentType)), body);
  }

  /// The same response with this field, in place of those of its name; `set-cookie` alone may stand
  /// several times (RFC 9110 §5.3).
  ///
  /// @throws IllegalArgumentException for a field that may not be sent
  public Response with(String field, String value) {
    var added = checked(field, value);
    var name = added.getKey();
    var all = new ArrayList<>(fields);
    if (!name.equals("set-cookie")) all.removeIf(old -> old.getKey().equals(name));
    all.add(added);
    return new Response(status, all, body);
  }

  private static Map.Entry<String, String> checked(String field, String value) {
    var name = field.toLowerCase(Locale.ROOT);
    if (!isToken(name)) throw new IllegalArgumentException("not the name of a field: " + field);
    if (OF_THE_CONNECTION.contains(name)) {
      throw new IllegalArgumentException("the server itself sets or forbids this field: " + name);
    }
    if (!isFieldValue(value)) {
      // Not quoted: it may hold what a client sent in order to break the log.
      throw new IllegalArgumentException("the value of " + name + " may not be sent in a field");
    }
    return Map.entry(name, value.strip());
  }

  /// RFC 9110 §5.6.2.
  private static boolean isToken(String name) {
    for (int i = 0; i < name.length(); i++) {
      char c = name.charAt(i);
      boolean token =
          c >= 'a' && c <= 'z' || c >= '0' && c <= '9' || "!#$%&'*+-.^_`|~".indexOf(c) >= 0;
      if (!token) return false;
    }
    return !name.isEmpty();
  }

  /// RFC 9110 §5.5: no CR, LF, NUL nor other controls; what is sent is one octet a char.
  private static boolean isFieldValue(String value) {
    for (int i = 0; i < value.length(); i++) {
      char c = value.charAt(i);
      if (c < ' ' && c != '\t' || c == 0x7f || c > 0xff) return false;
    }
    return true;
  }
}
