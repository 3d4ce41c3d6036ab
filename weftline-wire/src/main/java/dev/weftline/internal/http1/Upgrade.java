package dev.weftline.internal.http1;

import dev.weftline.internal.http.Fields;
import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpHeaders;
import io.netty.handler.codec.http.HttpRequest;
import io.netty.handler.codec.http.HttpResponseStatus;
import io.netty.handler.codec.http.HttpVersion;
import java.util.Base64;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;

/// What an HTTP/1.x request is answered with here: HTTP/2 when it asks for that properly (RFC 7540
/// §3.2, which RFC 9113 dropped and clients such as the JDK's still use), a refusal otherwise.
///
/// A request with a body is not upgraded: its body would have to be kept whole before the first
/// HTTP/2 frame. Such clients do better with prior knowledge.
sealed interface Upgrade {
  /// The connection goes on in HTTP/2.
  ///
  /// @param request the request as stream 1 would have carried it
  /// @param settings the payload of the SETTINGS frame in HTTP2-Settings
  @SuppressWarnings("ArrayRecordComponent") // never compared
  record Accepted(Fields request, byte[] settings) implements Upgrade {}

  record Refused(HttpResponseStatus status, String text) implements Upgrade {}

  /// RFC 9113 §6.5.1: an identifier of two octets and a value of four.
  int SETTING_BYTES = 6;

  /// RFC 9113 §8.2.2 forbids these in HTTP/2; host becomes `:authority`, http2-settings has been
  /// used up.
  Set<String> DROPPED =
      Set.of(
          "connection",
          "host",
          "http2-settings",
          "keep-alive",
          "proxy-connection",
          "te",
          "transfer-encoding",
          "upgrade");

  static Upgrade of(HttpRequest request, boolean tls) {
    var headers = request.headers();
    if (!request.protocolVersion().protocolName().equals("HTTP")
        || request.protocolVersion().majorVersion() != 1) {
      return new Refused(HttpResponseStatus.HTTP_VERSION_NOT_SUPPORTED, "Unknown version of HTTP.");
    }
    // RFC 7540 §3.2: h2c is for plain text, TLS chooses by ALPN.
    if (tls) {
      return new Refused(
          HttpResponseStatus.HTTP_VERSION_NOT_SUPPORTED,
          "This port speaks HTTP/2 (gRPC): offer h2 by ALPN.");
    }
    if (!asksForHttp2(request) || hasBody(headers)) {
      return new Refused(
          HttpResponseStatus.UPGRADE_REQUIRED,
          "This port speaks HTTP/2 (gRPC), for example curl --http2-prior-knowledge.");
    }
    var hosts = headers.getAll(HttpHeaderNames.HOST);
    // RFC 9112 §3.2: exactly one Host.
    if (hosts.size() != 1) return bad("An HTTP/1.1 request has one Host field.");
    byte[] settings;
    try {
      settings = Base64.getUrlDecoder().decode(headers.get("http2-settings"));
    } catch (IllegalArgumentException _) {
      return bad("HTTP2-Settings is not base64url.");
    }
    if (settings.length % SETTING_BYTES != 0) return bad("HTTP2-Settings is no list of settings.");
    var fields = fields(request, hosts.getFirst());
    var fault = fields.requestFault();
    return fault == null
        ? new Accepted(fields, settings)
        : bad("This request cannot be carried by HTTP/2: " + fault + ".");
  }

  private static Refused bad(String text) {
    return new Refused(HttpResponseStatus.BAD_REQUEST, text);
  }

  private static boolean asksForHttp2(HttpRequest request) {
    var headers = request.headers();
    var connection = tokens(headers.getAll(HttpHeaderNames.CONNECTION));
    // RFC 9110 §7.8: Upgrade in an HTTP/1.0 request is ignored. RFC 7540 §3.2.1: one
    // HTTP2-Settings, and Connection names it.
    return request.protocolVersion().equals(HttpVersion.HTTP_1_1)
        && tokens(headers.getAll(HttpHeaderNames.UPGRADE)).contains("h2c")
        && connection.contains("upgrade")
        && connection.contains("http2-settings")
        && headers.getAll("http2-settings").size() == 1;
  }

  private static boolean hasBody(HttpHeaders headers) {
    var length = headers.get(HttpHeaderNames.CONTENT_LENGTH);
    return headers.contains(HttpHeaderNames.TRANSFER_ENCODING)
        || length != null && !length.equals("0");
  }

  private static Set<String> tokens(List<String> values) {
    var tokens = new HashSet<String>();
    for (var value : values) {
      for (var token : value.split(",", -1)) tokens.add(token.strip().toLowerCase(Locale.ROOT));
    }
    return tokens;
  }

  private static Fields fields(HttpRequest request, String host) {
    var headers = request.headers();
    var fields = new Fields(headers.size() + 3);
    fields.add(":method", request.method().name());
    fields.add(":scheme", "http");
    fields.add(":authority", host);
    fields.add(":path", path(request.uri()));
    // RFC 9113 §8.2.2: what Connection names belongs to that connection too.
    var named = tokens(headers.getAll(HttpHeaderNames.CONNECTION));
    boolean trailers = tokens(headers.getAll(HttpHeaderNames.TE)).contains("trailers");
    for (var header : headers) {
      var name = header.getKey().toLowerCase(Locale.ROOT);
      if (!DROPPED.contains(name) && !named.contains(name)) fields.add(name, header.getValue());
    }
    // RFC 9113 §8.2.2: the only thing TE may still say.
    if (trailers) fields.add("te", "trailers");
    return fields;
  }

  /// RFC 9112 §3.2.2: a request target may be absolute, whose path is what HTTP/2 wants.
  private static String path(String target) {
    int scheme = target.indexOf("://");
    if (target.startsWith("/") || scheme < 0) return target;
    int slash = target.indexOf('/', scheme + 3);
    return slash < 0 ? "/" : target.substring(slash);
  }
}
