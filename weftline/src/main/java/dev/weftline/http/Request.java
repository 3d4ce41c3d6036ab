package dev.weftline.http;

import java.net.SocketAddress;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;

/// One plain HTTP request, with its whole content.
///
/// @param method such as `GET`, in upper case as sent; a HEAD arrives as GET
/// @param path of the target, from `/` on and as sent: percent-encoding stays, the query does not
/// @param query of the target as sent, without `?`; empty when there is none
/// @param fields the header section in the order sent, names in lower case; the host stands there
///   as `host`, whatever the version of HTTP calls it
/// @param body the content, as long as the server's bound at most; of this request alone, so it may
///   be changed
/// @param peer the client, or the proxy before it
@SuppressWarnings("ArrayRecordComponent") // never compared
public record Request(
    String method,
    String path,
    String query,
    List<Map.Entry<String, String>> fields,
    byte[] body,
    SocketAddress peer) {
  public Request {
    fields = List.copyOf(fields);
  }

  /// The value of the first field of this name, in any case.
  public Optional<String> field(String name) {
    var wanted = name.toLowerCase(Locale.ROOT);
    for (var field : fields) {
      if (field.getKey().equals(wanted)) return Optional.of(field.getValue());
    }
    return Optional.empty();
  }

  /// The first value of this query parameter, decoded as a form encodes it: `+` is a space,
  /// percent-encoding is UTF-8. A parameter without `=` is there and empty; one that is encoded
  /// wrongly is not there.
  public Optional<String> parameter(String name) {
    if (query.isEmpty()) return Optional.empty();
    for (var pair : query.split("&", -1)) {
      int equals = pair.indexOf('=');
      var key = decoded(equals < 0 ? pair : pair.substring(0, equals));
      if (!key.equals(Optional.of(name))) continue;
      return equals < 0 ? Optional.of("") : decoded(pair.substring(equals + 1));
    }
    return Optional.empty();
  }

  private static Optional<String> decoded(String text) {
    try {
      return Optional.of(URLDecoder.decode(text, StandardCharsets.UTF_8));
    } catch (IllegalArgumentException _) {
      return Optional.empty(); // half of a percent-encoding
    }
  }
}
