package dev.weftline.internal.call;

import static dev.weftline.testing.MemoryExchange.request;
import static dev.weftline.testing.Probe.UNARY;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.weftline.internal.http.Fields;
import dev.weftline.testing.EchoService;
import dev.weftline.testing.MemoryExchange;
import dev.weftline.testing.Probe;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

final class RouterTest {
  private final CallCounters counters = new CallCounters();
  private final Router router = Probe.router(counters, new EchoService());

  private static Fields http(String method, String path) {
    return new Fields(4)
        .add(":method", method)
        .add(":scheme", "http")
        .add(":path", path)
        .add(":authority", "test.example");
  }

  private MemoryExchange open(Fields request) {
    return MemoryExchange.open(router, request, false).await();
  }

  /// gRPC over HTTP/2: "If Content-Type does not begin with application/grpc, gRPC servers SHOULD
  /// respond with HTTP status of 415".
  @ParameterizedTest
  @ValueSource(strings = {"application/json", "application/grpc-web", "text/plain"})
  void anotherContentTypeIs415(String contentType) {
    var exchange = open(http("POST", UNARY).add("content-type", contentType));
    assertThat(exchange.headers().value(":status")).isEqualTo("415");
    assertThat(new String(exchange.body(), UTF_8)).contains("application/grpc");
    assertThat(counters.refused()).isEqualTo(1);
  }

  @Test
  void noContentTypeIs415() {
    assertThat(open(http("POST", UNARY)).headers().value(":status")).isEqualTo("415");
  }

  @Test
  void anotherMethodIs405AndSaysWhichIsAllowed() {
    var exchange = open(http("GET", UNARY));
    assertThat(exchange.headers().value(":status")).isEqualTo("405");
    assertThat(exchange.headers().value("allow")).isEqualTo("POST");
    assertThat(new String(exchange.body(), UTF_8)).contains("POST");
  }

  /// RFC 9110 §9.3.2: no content in a response to HEAD.
  @Test
  void headHasNoContent() {
    var exchange = open(http("HEAD", UNARY));
    assertThat(exchange.order()).containsExactly("headers");
  }

  @Test
  void anUnknownServiceIsUnimplemented() {
    var exchange = open(request("/no.Such/Method"));
    assertThat(exchange.status()).isEqualTo("12");
    assertThat(exchange.message()).isEqualTo("Method not found: no.Such/Method (unknown service)");
    assertThat(exchange.headers().value(":status")).isEqualTo("200");
    assertThat(exchange.order()).containsExactly("headers");
  }

  @ParameterizedTest
  @ValueSource(strings = {"/weftline.probe.Probe/None", "/weftline.probe.Probe/"})
  void anUnknownMethodIsUnimplemented(String path) {
    var exchange = open(request(path));
    assertThat(exchange.status()).isEqualTo("12");
    assertThat(exchange.message()).contains("(unknown method)");
  }

  @ParameterizedTest
  @ValueSource(strings = {"*", "/", "//", "x", "weftline.probe.Probe/Unary"})
  void aPathThatIsNoneIsUnimplemented(String path) {
    assertThat(open(request(path)).status()).isEqualTo("12");
  }

  @ParameterizedTest
  @ValueSource(strings = {"1", "S", "abcS", "123456789S"})
  void aMalformedTimeoutIsInternal(String timeout) {
    var exchange = open(request(UNARY).add("grpc-timeout", timeout));
    assertThat(exchange.status()).isEqualTo("13");
    assertThat(exchange.message()).contains("grpc-timeout");
  }

  /// gRPC compression: UNIMPLEMENTED, and grpc-accept-encoding says what would be understood.
  @Test
  void anUnknownEncodingIsUnimplementedWithAList() {
    var exchange = open(request(UNARY).add("grpc-encoding", "zstd"));
    assertThat(exchange.status()).isEqualTo("12");
    assertThat(exchange.headers().value("grpc-accept-encoding")).isEqualTo("gzip");
  }

  @Test
  void theBodyOfARefusedRequestIsReadAway() {
    var exchange = MemoryExchange.open(router, http("POST", UNARY), false);
    exchange.data(new byte[100]);
    exchange.await();
    assertThat(exchange.consumedBytes()).isIn(0, 100);
  }

  @Test
  void oneMethodTwiceIsAMistake() {
    var route = Probe.route(_ -> {});
    assertThatThrownBy(() -> new Router(List.of(route, route), null, Probe.settings(counters)))
        .hasMessageContaining("method twice: " + UNARY);
  }

  @Test
  void aFallbackIsAskedForWhatNobodyHas() {
    var route = Probe.route(RouterTest::answerNothing);
    var late =
        new Router(
            List.of(),
            (path, authority) ->
                path.equals(UNARY) && "test.example".equals(authority) ? route : null,
            Probe.settings(counters));
    var exchange = MemoryExchange.open(late, request(UNARY), false);
    exchange.dataAndEnd(MemoryExchange.framed(new byte[0])).await();
    assertThat(exchange.status()).isEqualTo("10");
    assertThat(MemoryExchange.open(late, request("/a/b"), false).await().status()).isEqualTo("12");
  }

  private static void answerNothing(InboundCall call) {
    call.response().close(io.grpc.Status.ABORTED, new io.grpc.Metadata());
  }
}
