package dev.weftline.internal.http1;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.weftline.internal.http.Fields;
import io.netty.handler.codec.http.DefaultHttpRequest;
import io.netty.handler.codec.http.HttpMethod;
import io.netty.handler.codec.http.HttpRequest;
import io.netty.handler.codec.http.HttpResponseStatus;
import io.netty.handler.codec.http.HttpVersion;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/// How an HTTP/1.1 request becomes stream 1 (RFC 7540 §3.2).
final class UpgradeTest {
  private static HttpRequest request(String target) {
    var request = new DefaultHttpRequest(HttpVersion.HTTP_1_1, HttpMethod.GET, target);
    request
        .headers()
        .add("Host", "example.org")
        .add("Connection", "Upgrade, HTTP2-Settings")
        .add("Upgrade", "h2c")
        .add("HTTP2-Settings", "AAMAAABk");
    return request;
  }

  private static RequestHead.Accepted head(HttpRequest request) {
    var head = RequestHead.of(request, false, 16 << 10);
    assertThat(head).isInstanceOf(RequestHead.Accepted.class);
    return (RequestHead.Accepted) head;
  }

  private static @Nullable Upgrade upgrade(HttpRequest request) throws Upgrade.Malformed {
    return Upgrade.of(request, head(request), false);
  }

  private static Upgrade accepted(HttpRequest request) throws Upgrade.Malformed {
    return Objects.requireNonNull(upgrade(request), "not upgraded");
  }

  private static HttpResponseStatus refused(HttpRequest request) {
    var head = RequestHead.of(request, false, 16 << 10);
    assertThat(head).isInstanceOf(RequestHead.Refused.class);
    return ((RequestHead.Refused) head).status();
  }

  /// RFC 9113 §8.2.2, §8.3.1.
  @Test
  void theRequestBecomesPseudoFieldsFirstAndLosesWhatBelongsToTheConnection() throws Exception {
    var request = request("/a?b=c");
    request
        .headers()
        .add("User-Agent", "test")
        .add("Keep-Alive", "5")
        .add("Connection", "X-Hop")
        .add("X-Hop", "1")
        .add("TE", "deflate, trailers")
        .add("Content-Length", "0");
    var expected =
        new Fields(8)
            .add(":method", "GET")
            .add(":scheme", "http")
            .add(":authority", "example.org")
            .add(":path", "/a?b=c")
            .add("user-agent", "test")
            .add("content-length", "0")
            .add("te", "trailers");
    assertThat(accepted(request).request()).isEqualTo(expected);
  }

  @Test
  void theSettingsArePassedOnDecoded() throws Exception {
    assertThat(accepted(request("/")).settings()).containsExactly(0, 3, 0, 0, 0, 100);
  }

  @Test
  void anEmptyListOfSettingsIsOne() throws Exception {
    var request = request("/");
    request.headers().set("HTTP2-Settings", "");
    assertThat(accepted(request).settings()).isEmpty();
  }

  /// RFC 9112 §3.2.2.
  @Test
  void anAbsoluteTargetGivesItsPath() throws Exception {
    assertThat(accepted(request("http://example.org/x/y")).request().value(":path"))
        .isEqualTo("/x/y");
    assertThat(accepted(request("http://example.org")).request().value(":path")).isEqualTo("/");
    var other = accepted(request("http://other.example:81?q")).request();
    assertThat(other.value(":authority")).isEqualTo("other.example:81");
    assertThat(other.value(":path")).isEqualTo("/?q");
  }

  @Test
  void protocolNamesAndOptionsIgnoreCase() throws Exception {
    var request = request("/");
    request.headers().set("Upgrade", "websocket, H2C").set("Connection", "upgrade,http2-settings");
    assertThat(accepted(request).request().value(":method")).isEqualTo("GET");
  }

  /// RFC 7540 §3.2.1.
  @Test
  void twoHttp2SettingsFieldsAreNotUpgraded() throws Exception {
    var request = request("/");
    request.headers().add("HTTP2-Settings", "AAMAAABk");
    assertThat(upgrade(request)).isNull();
  }

  @Test
  void brokenSettingsAreABadRequest() {
    var request = request("/");
    request.headers().set("HTTP2-Settings", "%%%");
    assertThatThrownBy(() -> upgrade(request)).hasMessageContaining("base64url");
    request.headers().set("HTTP2-Settings", "AAMA");
    assertThatThrownBy(() -> upgrade(request)).hasMessageContaining("list of settings");
  }

  /// RFC 9112 §3.2.
  @Test
  void aRequestWithoutHostOrWithTwoIsABadRequest() {
    var request = request("/");
    request.headers().add("Host", "other.org");
    assertThat(refused(request)).isEqualTo(HttpResponseStatus.BAD_REQUEST);
    request.headers().remove("Host");
    assertThat(refused(request)).isEqualTo(HttpResponseStatus.BAD_REQUEST);
  }

  @Test
  void aChunkedRequestIsNotUpgraded() throws Exception {
    var request = request("/");
    request.headers().set("Transfer-Encoding", "chunked");
    assertThat(upgrade(request)).isNull();
  }

  /// RFC 7540 §3.3: h2c is not for TLS.
  @Test
  void overTlsNothingIsUpgraded() throws Exception {
    assertThat(Upgrade.of(request("/"), head(request("/")), true)).isNull();
  }
}
