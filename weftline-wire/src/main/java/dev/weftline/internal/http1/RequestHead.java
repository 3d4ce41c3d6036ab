package dev.weftline.internal.http1;

import dev.weftline.internal.http.Fields;
import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpHeaders;
import io.netty.handler.codec.http.HttpRequest;
import io.netty.handler.codec.http.HttpResponseStatus;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/// The request line and fields of an HTTP/1.x request (RFC 9112 §3, §5, §6): a request as an
/// exchange has it, or why it is refused. Every rule about where its body ends is held strictly,
/// for what two servers in a row read differently lets one request hide in another (RFC 9112
/// §11.2).
sealed interface RequestHead {
  /// A request that can be served.
  ///
  /// @param fields the request as HTTP/2 would have carried it
  /// @param http10 whether the client speaks HTTP/1.0, which knows no chunks
  /// @param keepsAlive whether the client will send further requests (RFC 9112 §9.3)
  /// @param bodyFollows whether there is content, as the fields announce it (RFC 9112 §6.3)
  /// @param expectsContinue whether the client waits with it for 100 (RFC 9110 §10.1.1)
  record Accepted(
      Fields fields,
      boolean http10,
      boolean keepsAlive,
      boolean bodyFollows,
      boolean expectsContinue)
      implements RequestHead {}

  /// The connection ends with this answer, because where the next request begins is not sure.
  record Refused(HttpResponseStatus status, String text) implements RequestHead {}

  /// RFC 9113 §8.2.2 knows none of these; host becomes `:authority`, http2-settings is for the
  /// upgrade alone.
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

  Refused TOO_LARGE =
      new Refused(HttpResponseStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, "Header fields too large.");

  /// Digits of a Content-Length that fits into a long.
  int LENGTH_DIGITS_MAX = 18;

  /// The head of `request`, which Netty has found to be one.
  ///
  /// @param fieldBytesMax of the fields, as RFC 9113 §6.5.2 counts them
  static RequestHead of(HttpRequest request, boolean tls, int fieldBytesMax) {
    var version = request.protocolVersion();
    if (!version.protocolName().equals("HTTP") || version.majorVersion() != 1) {
      return new Refused(HttpResponseStatus.HTTP_VERSION_NOT_SUPPORTED, "Unknown version of HTTP.");
    }
    boolean http10 = version.minorVersion() == 0;
    var headers = request.headers();
    var framing = framingFault(headers, http10);
    if (framing != null) return framing;
    var hosts = headers.getAll(HttpHeaderNames.HOST);
    // RFC 9112 §3.2: exactly one Host; HTTP/1.0 may have none.
    if (hosts.size() > 1 || hosts.isEmpty() && !http10) {
      return bad("An HTTP/1.1 request has one Host field.");
    }
    var target = request.uri();
    if (!isVisible(target) || target.indexOf('#') >= 0) return bad("Not a request target.");
    if (request.method().name().equals("CONNECT")) {
      return new Refused(HttpResponseStatus.NOT_IMPLEMENTED, "This server is no proxy.");
    }
    var host = hosts.isEmpty() ? "" : hosts.getFirst();
    var path = target;
    if (!target.startsWith("/")) {
      int authority = target.indexOf("://") + 3;
      if (authority > 3) {
        // RFC 9112 §3.2.2: an absolute target is where the host is read from.
        int end = endOfAuthority(target, authority);
        host = target.substring(authority, end);
        path = target.substring(end);
        if (!path.startsWith("/")) path = "/" + path;
      } else if (!target.equals("*") || !request.method().name().equals("OPTIONS")) {
        return bad("Not a request target.");
      }
    }
    if (!isHost(host)) return bad("Not a host.");
    boolean expects = false;
    for (var expectation : headers.getAll(HttpHeaderNames.EXPECT)) {
      if (!expectation.equalsIgnoreCase("100-continue")) {
        return new Refused(
            HttpResponseStatus.EXPECTATION_FAILED, "Only 100-continue may be expected.");
      }
      expects = true;
    }
    var connection = tokens(headers.getAll(HttpHeaderNames.CONNECTION));
    var fields = fields(request, tls, host, path, connection);
    int bytes = 0;
    for (int i = 0; i < fields.size(); i++) bytes += fields.get(i).size();
    if (bytes > fieldBytesMax) return TOO_LARGE;
    var fault = fields.requestFault();
    if (fault != null) return bad("Malformed: " + fault + ".");
    return new Accepted(
        fields,
        http10,
        !connection.contains("close") && (!http10 || connection.contains("keep-alive")),
        bodyFollows(headers),
        expects && !http10);
  }

  /// RFC 9112 §6.1, §6.3: there is one way to say how long the body is, or the message is faulty.
  private static @Nullable Refused framingFault(HttpHeaders headers, boolean http10) {
    var codings = headers.getAll(HttpHeaderNames.TRANSFER_ENCODING);
    var lengths = headers.getAll(HttpHeaderNames.CONTENT_LENGTH);
    if (!codings.isEmpty()) {
      if (http10) return bad("HTTP/1.0 has no Transfer-Encoding.");
      if (!lengths.isEmpty()) return bad("Both Transfer-Encoding and Content-Length.");
      if (codings.size() == 1 && codings.getFirst().equalsIgnoreCase("chunked")) return null;
      var last = codings.getLast().toLowerCase(Locale.ROOT);
      return last.endsWith("chunked")
          ? new Refused(HttpResponseStatus.NOT_IMPLEMENTED, "No transfer coding but chunked.")
          : bad("The last transfer coding is not chunked.");
    }
    if (lengths.isEmpty()) return null;
    var length = lengths.getFirst();
    boolean digits = !length.isEmpty() && length.length() <= LENGTH_DIGITS_MAX;
    for (int i = 0; digits && i < length.length(); i++) {
      digits = length.charAt(i) >= '0' && length.charAt(i) <= '9';
    }
    return lengths.size() == 1 && digits ? null : bad("Content-Length is one number.");
  }

  private static boolean bodyFollows(HttpHeaders headers) {
    if (headers.contains(HttpHeaderNames.TRANSFER_ENCODING)) return true;
    var length = headers.get(HttpHeaderNames.CONTENT_LENGTH);
    return length != null && Long.parseLong(length) > 0;
  }

  private static Refused bad(String text) {
    return new Refused(HttpResponseStatus.BAD_REQUEST, text);
  }

  /// RFC 3986 §3: the path, or a query without one, ends the authority.
  private static int endOfAuthority(String target, int start) {
    for (int i = start; i < target.length(); i++) {
      char c = target.charAt(i);
      if (c == '/' || c == '?') return i;
    }
    return target.length();
  }

  /// RFC 3986 §2: what a URI is written in has no controls, spaces or octets above.
  private static boolean isVisible(String text) {
    for (int i = 0; i < text.length(); i++) {
      if (text.charAt(i) <= ' ' || text.charAt(i) >= 0x7f) return false;
    }
    return !text.isEmpty();
  }

  /// RFC 9110 §7.2, RFC 3986 §3.2.2: host and port, and no user before them. Empty where the target
  /// has no authority.
  private static boolean isHost(String host) {
    for (int i = 0; i < host.length(); i++) {
      char c = host.charAt(i);
      if (c <= ' ' || c >= 0x7f || "/?#@\\,\"<>^`{|}".indexOf(c) >= 0) return false;
    }
    return true;
  }

  /// The members of a list of tokens, in lower case.
  static Set<String> tokens(List<String> values) {
    var tokens = new HashSet<String>();
    for (var value : values) {
      for (var token : value.split(",", -1)) tokens.add(token.strip().toLowerCase(Locale.ROOT));
    }
    return tokens;
  }

  private static Fields fields(
      HttpRequest request, boolean tls, String host, String path, Set<String> connection) {
    var headers = request.headers();
    var fields = new Fields(headers.size() + 4);
    fields.add(":method", request.method().name());
    fields.add(":scheme", tls ? "https" : "http");
    if (!host.isEmpty()) fields.add(":authority", host);
    fields.add(":path", path);
    boolean trailers = tokens(headers.getAll(HttpHeaderNames.TE)).contains("trailers");
    for (var header : headers) {
      var name = header.getKey().toLowerCase(Locale.ROOT);
      // RFC 9110 §7.6.1: what Connection names belongs to that connection too. What says how long
      // the content is may not be taken away so.
      boolean dropped =
          DROPPED.contains(name) || connection.contains(name) && !name.equals("content-length");
      if (!dropped) fields.add(name, header.getValue());
    }
    // RFC 9113 §8.2.2: the only thing TE may still say.
    if (trailers) fields.add("te", "trailers");
    return fields;
  }
}
