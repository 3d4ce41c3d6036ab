package dev.weftline.internal.http1;

import dev.weftline.internal.http.Fields;
import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpRequest;
import java.util.Base64;
import org.jspecify.annotations.Nullable;

/// Whether an HTTP/1.1 request asks for HTTP/2 (RFC 7540 §3.2, which RFC 9113 dropped and clients
/// such as the JDK's still use). One that does not ask properly is answered in HTTP/1.1 (RFC 9110
/// §7.8: a server may ignore Upgrade).
///
/// A request with a body is not upgraded: its body would have to be kept whole before the first
/// HTTP/2 frame. Such clients do better with prior knowledge.
///
/// @param request the request as stream 1 would have carried it
/// @param settings the payload of the SETTINGS frame in HTTP2-Settings
@SuppressWarnings("ArrayRecordComponent") // never compared
record Upgrade(Fields request, byte[] settings) {
  /// RFC 9113 §6.5.1: an identifier of two octets and a value of four.
  private static final int SETTING_BYTES = 6;

  /// RFC 7540 §3.2.1: a request whose settings are broken is malformed.
  static final class Malformed extends Exception {
    private static final long serialVersionUID = 1;

    private Malformed(String message) {
      super(message, null, false, false);
    }
  }

  /// The upgrade that `request` asks for; null when it asks for none.
  static @Nullable Upgrade of(HttpRequest request, RequestHead.Accepted head, boolean tls)
      throws Malformed {
    // RFC 7540 §3.2: h2c is for plain text, TLS chooses by ALPN. RFC 9110 §7.8: Upgrade in an
    // HTTP/1.0 request is ignored.
    if (tls || head.http10() || head.bodyFollows() || !asksForHttp2(request)) return null;
    byte[] settings;
    try {
      settings = Base64.getUrlDecoder().decode(request.headers().get("http2-settings"));
    } catch (IllegalArgumentException _) {
      throw new Malformed("HTTP2-Settings is not base64url.");
    }
    if (settings.length % SETTING_BYTES != 0) {
      throw new Malformed("HTTP2-Settings is no list of settings.");
    }
    return new Upgrade(head.fields(), settings);
  }

  private static boolean asksForHttp2(HttpRequest request) {
    var headers = request.headers();
    if (!headers.contains(HttpHeaderNames.UPGRADE)) return false;
    var connection = RequestHead.tokens(headers.getAll(HttpHeaderNames.CONNECTION));
    // RFC 7540 §3.2.1: one HTTP2-Settings, and Connection names it.
    return RequestHead.tokens(headers.getAll(HttpHeaderNames.UPGRADE)).contains("h2c")
        && connection.contains("upgrade")
        && connection.contains("http2-settings")
        && headers.getAll("http2-settings").size() == 1;
  }
}
