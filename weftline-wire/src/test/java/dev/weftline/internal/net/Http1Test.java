package dev.weftline.internal.net;

import static org.assertj.core.api.Assertions.assertThat;

import dev.weftline.internal.http.ExchangeHandler.Close;
import dev.weftline.internal.http1.Http1Connection;
import dev.weftline.internal.http2.Http2Connection;
import dev.weftline.internal.http2.Http2Limits;
import dev.weftline.internal.http2.Lifetime;
import dev.weftline.internal.testing.TestExchanges;
import java.io.IOException;
import java.net.SocketException;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/// HTTP/1.1 as exchanges (RFC 9112), octet by octet. What the handlers do stands in
/// [TestExchanges]. After each test every exchange and connection must have been told of its end.
@Timeout(60)
final class Http1Test {
  private static final int HANDSHAKE_MILLIS = 400;
  private static final Http2Limits LIMITS =
      new Http2Limits(100, 2_048, 65_535, 4 << 20, HANDSHAKE_MILLIS, 4_096);

  private static final String HELLO = "5\r\nhello\r\n0\r\ngrpc-status: 0\r\n\r\n";

  private final TestExchanges exchanges = new TestExchanges();
  private Loops loops;
  private Listener listener;
  private RawClient client;

  @BeforeEach
  void start() throws IOException {
    loops = Loops.open(Transport.preferred(), 1);
    listener =
        Listener.bind(
            loops,
            List.of(EchoServer.loopback()),
            Listener.Options.DEFAULT,
            () -> new Handshake(LIMITS, null, this::http1, this::http2));
    client = connect();
  }

  @AfterEach
  void stop() throws Exception {
    client.close();
    EchoServer.awaitConnections(listener, 0);
    listener.close();
    loops.close();
    exchanges.checkAllOver();
  }

  private Http1Connection http1() {
    return new Http1Connection(LIMITS, false, null, exchanges, this::http2);
  }

  private Http2Connection http2() {
    return new Http2Connection(LIMITS, Lifetime.UNLIMITED, null, exchanges);
  }

  private RawClient connect() throws IOException {
    return RawClient.to(((java.net.InetSocketAddress) listener.addresses().getFirst()).getPort());
  }

  private static String get(String path) {
    return "GET " + path + " HTTP/1.1\r\nHost: a\r\n\r\n";
  }

  // ── Requests and responses ────────────────────────────────────────────────────────────────────

  /// RFC 9112 §9.3.
  @Test
  void requestsFollowEachOtherOnOneConnection() throws Exception {
    for (int i = 0; i < 3; i++) {
      assertThat(client.says(get("/hello")).hearsHttp1Head())
          .startsWith("HTTP/1.1 200 OK\r\n")
          .doesNotContain("connection:");
      client.hears(HELLO.length());
    }
    assertThat(exchanges.total()).isEqualTo(3);
    assertThat(listener.openConnections()).isEqualTo(1);
  }

  /// RFC 9112 §7.1: content of unknown length is chunked, and trailers follow it.
  @Test
  void trailersMakeAResponseChunked() throws Exception {
    assertThat(client.says(get("/hello")).hearsHttp1Head())
        .contains("\r\ntransfer-encoding: chunked\r\n")
        .doesNotContain("content-length");
    assertThat(client.hears(HELLO.length())).isEqualTo(HELLO);
  }

  /// RFC 9110 §6.6.1, §5.6.7.
  @Test
  void aResponseHasADate() throws Exception {
    assertThat(client.says(get("/nowhere")).hearsHttp1Head())
        .startsWith("HTTP/1.1 404 Not Found\r\n")
        .containsPattern("\r\ndate: [A-Z][a-z]{2}, \\d\\d [A-Z][a-z]{2} \\d{4} [0-9:]{8} GMT\r\n")
        .contains("\r\ncontent-length: 0\r\n");
  }

  /// RFC 9112 §6.3: by length, and by chunks.
  @ParameterizedTest
  @ValueSource(
      strings = {
        "Content-Length: 9\r\n\r\nover here",
        "Transfer-Encoding: chunked\r\n\r\n4\r\nover\r\n5;a=b\r\n here\r\n0\r\n\r\n",
        "transfer-encoding:CHUNKED\r\n\r\n9\r\nover here\r\n0\r\nx-sum: 1\r\n\r\n",
      })
  void aBodyEndsWhereItsFieldsSay(String rest) throws Exception {
    client.says("POST /hello HTTP/1.1\r\nHost: a\r\n" + rest).hearsHttp1Head();
    assertThat(exchanges.last().body()).isEqualTo("over here");
    client.hears(HELLO.length());
    assertThat(client.says(get("/nowhere")).hearsHttp1Head()).startsWith("HTTP/1.1 404 ");
  }

  @Test
  void aBodyIsEchoedInChunksWhileItComes() throws Exception {
    client.says("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nfirst");
    client.hearsHttp1Head();
    assertThat(client.hears(10)).isEqualTo("5\r\nfirst\r\n");
    client.says("secnd");
    assertThat(client.hears(15)).isEqualTo("5\r\nsecnd\r\n0\r\n\r\n");
    assertThat(client.says(get("/nowhere")).hearsHttp1Head()).startsWith("HTTP/1.1 404 ");
  }

  @Test
  void aRequestMayComeOctetByOctet() throws Exception {
    for (char octet : get("/nowhere").toCharArray()) {
      client.says(String.valueOf(octet));
      Thread.sleep(1); // a segment of its own
    }
    assertThat(client.hearsHttp1Head()).startsWith("HTTP/1.1 404 ");
  }

  /// RFC 9110 §9.3.2.
  @Test
  void aResponseToHeadHasNoContent() throws Exception {
    client.says("HEAD /hello HTTP/1.1\r\nHost: a\r\n\r\n" + get("/nowhere"));
    assertThat(client.hearsHttp1Head()).startsWith("HTTP/1.1 200 OK\r\n");
    assertThat(client.hearsHttp1Head()).startsWith("HTTP/1.1 404 ");
  }

  /// RFC 9110 §10.1.1.
  @Test
  void aClientThatExpects100IsToldToContinue() throws Exception {
    client.says(
        "POST /hello HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n");
    assertThat(client.hearsHttp1Head()).isEqualTo("HTTP/1.1 100 Continue\r\n\r\n");
    assertThat(client.says("ok").hearsHttp1Head()).startsWith("HTTP/1.1 200 OK\r\n");
  }

  /// RFC 9110 §10.1.1, RFC 9112 §9.3: it will not send what was not asked for.
  @Test
  void aClientThatExpects100AndIsRefusedIsNotAskedForItsBody() throws Exception {
    client.says(
        "POST /nowhere HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n");
    assertThat(client.hearsTheRest())
        .startsWith("HTTP/1.1 404 ")
        .contains("\r\nconnection: close\r\n");
  }

  // ── The end of a connection ───────────────────────────────────────────────────────────────────

  /// RFC 9112 §9.6.
  @Test
  void closeClosesBehindTheResponse() throws Exception {
    client.says("GET /nowhere HTTP/1.1\r\nHost: a\r\nConnection: x, Close\r\n\r\n" + get("/hello"));
    assertThat(client.hearsTheRest())
        .startsWith("HTTP/1.1 404 ")
        .contains("\r\nconnection: close\r\n")
        .doesNotContain("hello");
  }

  /// RFC 9112 §9.3, §7.1: HTTP/1.0 knows no chunks, needs no Host, and ends with its response.
  @Test
  void http10IsAnsweredToTheEndOfTheConnection() throws Exception {
    assertThat(client.says("GET /hello HTTP/1.0\r\n\r\n").hearsTheRest())
        .startsWith("HTTP/1.1 200 OK\r\n")
        .contains("\r\nconnection: close\r\n")
        .doesNotContain("chunked")
        .endsWith("\r\n\r\nhello");
  }

  @Test
  void http10MayKeepTheConnectionAlive() throws Exception {
    for (int i = 0; i < 2; i++) {
      client.says("GET /nowhere HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
      assertThat(client.hearsHttp1Head()).contains("\r\nconnection: keep-alive\r\n");
    }
  }

  /// RFC 9112 §9.6: unread body octets must not make the kernel reset the answer away.
  @Test
  void aRequestWithALargeBodyStillReadsItsRefusal() throws Exception {
    client.says("POST /nowhere HTTP/1.1\r\nHost: a\r\nContent-Length: 3000000\r\n\r\n");
    client.says("x".repeat(3_000_000));
    assertThat(client.hearsTheRest())
        .startsWith("HTTP/1.1 404 ")
        .contains("\r\nconnection: close\r\n");
  }

  @Test
  void aResetEndsTheConnection() throws Exception {
    client.says(get("/reset")).seesTheConnectionEnd();
    assertThat(exchanges.last().close()).isInstanceOf(Close.ResetLocally.class);
  }

  @Test
  void aClientThatGoesAwayIsNoticedWhileItsRequestIsServed() throws Exception {
    client.says(get("/silent"));
    while (exchanges.total() == 0) Thread.sleep(10);
    client.close();
    EchoServer.awaitConnections(listener, 0);
    assertThat(exchanges.last().close()).isInstanceOf(Close.ConnectionLost.class);
  }

  @Test
  void aHandlerThatThrowsEndsItsConnectionOnly() throws Exception {
    client.says("POST /throws HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\nx");
    client.seesTheConnectionEnd();
    try (var other = connect()) {
      assertThat(other.says(get("/nowhere")).hearsHttp1Head()).startsWith("HTTP/1.1 404 ");
    }
  }

  @Test
  void drainingFinishesTheResponseUnderWayAndSaysClose() throws Exception {
    try (var idle = connect()) {
      idle.says(get("/nowhere")).hearsHttp1Head();
      client.says("POST /hello HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\n");
      while (exchanges.total() < 2) Thread.sleep(10);
      var drained = listener.drain(Duration.ZERO); // both at once, or "ok" may come between
      assertThat(idle.hearsTheRest()).isEmpty();
      assertThat(client.says("ok").hearsTheRest())
          .startsWith("HTTP/1.1 200 OK\r\n")
          .contains("\r\nconnection: close\r\n")
          .contains("hello");
      client.close();
      drained.get(10, TimeUnit.SECONDS);
    }
  }

  // ── Bounds ────────────────────────────────────────────────────────────────────────────────────

  /// RFC 9112 §9.3.2: responses come in the order of the requests, of which one at a time is
  /// served.
  @Test
  void pipelinedRequestsAreServedOneAfterTheOther() throws Exception {
    client.says("POST /hello HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\n");
    while (exchanges.total() < 1) Thread.sleep(10);
    client.says("x" + get("/thread") + get("/nowhere").repeat(2_000));
    client.hearsHttp1Head();
    client.hears(HELLO.length());
    client.hearsHttp1Head();
    assertThat(client.hears(HELLO.length())).contains("hello");
    for (int i = 0; i < 2_000; i++) {
      assertThat(client.hearsHttp1Head()).startsWith("HTTP/1.1 404 ");
    }
  }

  @Test
  void aFloodBehindARequestUnderWayIsLeftInTheSocket() throws Exception {
    client.says(get("/silent"));
    var flood = get("/nowhere").repeat(1_000);
    client.socket().setSoTimeout(100);
    var said = new java.util.concurrent.atomic.AtomicLong();
    var flooding =
        Thread.startVirtualThread(() -> {
          try {
            // The kernel's buffers of both ends take some MiB; nothing of ours takes the rest.
            for (int i = 0; i < 2_000; i++) {
              client.says(flood);
              said.addAndGet(flood.length());
            }
          } catch (IOException _) {
            // closed below
          }
        });
    long before = -1;
    while (said.get() != before) {
      before = said.get();
      Thread.sleep(500);
    }
    assertThat(flooding.isAlive()).isTrue();
    assertThat(exchanges.total()).isEqualTo(1);
    exchanges.last().exchange().reset(0);
    flooding.join();
  }

  /// The window is one of HTTP/2's: a body that nobody consumes stays in the socket.
  @Test
  void aBodyThatIsNotConsumedStaysInTheSocket() throws Exception {
    client.says("POST /unread HTTP/1.1\r\nHost: a\r\nContent-Length: 100000000\r\n\r\n");
    var writing =
        Thread.startVirtualThread(() -> {
          try {
            for (int i = 0; i < 100; i++) client.says("x".repeat(1_000_000));
          } catch (IOException _) {
            // closed below
          }
        });
    long before = -1;
    while (exchanges.total() == 0 || exchanges.last().bodyBytes() != before) {
      before = exchanges.total() == 0 ? -1 : exchanges.last().bodyBytes();
      Thread.sleep(300);
    }
    assertThat(before).isBetween(65_535L, 65_535L + 8_192);
    exchanges.last().exchange().reset(0);
    writing.join();
  }

  @Test
  void aBodyThatIsConsumedLaterComesWhole() throws Exception {
    client.says("POST /late HTTP/1.1\r\nHost: a\r\nContent-Length: 3000000\r\n\r\n");
    client.says("x".repeat(3_000_000));
    assertThat(client.hearsHttp1Head()).startsWith("HTTP/1.1 200 OK\r\n");
    assertThat(exchanges.last().bodyBytes()).isEqualTo(3_000_000);
  }

  /// `unsentBytes` bounds what a handler hands over while the client does not read.
  @ParameterizedTest
  @ValueSource(strings = {"/flood/10000000", "/dump/10000000"})
  void aLargeResponseWaitsForItsReader(String path) throws Exception {
    client.says("GET " + path + " HTTP/1.0\r\n\r\n");
    Thread.sleep(300); // the socket fills up
    client.hearsHttp1Head();
    assertThat(client.hearsTheRest()).hasSize(10_000_000);
  }

  /// Slowloris: fields that come for ever.
  @ParameterizedTest
  @ValueSource(strings = {"", "GET /nowhere HTTP/1.1\r\nHost: a\r\n\r\n"})
  void fieldsThatNeverEndAreCutOff(String first) throws Exception {
    if (!first.isEmpty()) client.says(first).hearsHttp1Head();
    long start = System.nanoTime();
    client.says("GET / HTTP/1.1\r\n");
    var dripping =
        Thread.startVirtualThread(() -> {
          try {
            for (int i = 0; i < 1_000; i++) {
              client.says("X-" + i + ": b\r\n");
              Thread.sleep(HANDSHAKE_MILLIS / 10);
            }
          } catch (IOException | InterruptedException _) {
            // cut off
          }
        });
    assertThat(client.hearsHttp1Head())
        .startsWith("HTTP/1.1 408 ")
        .contains("\r\nconnection: close\r\n");
    assertThat(Duration.ofNanos(System.nanoTime() - start))
        .isLessThan(Duration.ofMillis(10 * HANDSHAKE_MILLIS));
    dripping.interrupt();
    dripping.join();
  }

  // ── Hostile input ─────────────────────────────────────────────────────────────────────────────

  /// Each is answered, and the connection closed; what follows is never taken for a request.
  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          # RFC 9112 §6.1, §6.3, §11.2: smuggling
          400 | POST / HTTP/1.1~Host: a~Content-Length: 4~Transfer-Encoding: chunked~~0~~
          400 | POST / HTTP/1.1~Host: a~Transfer-Encoding: chunked~Content-Length: 4~~0~~
          400 | POST / HTTP/1.1~Host: a~Content-Length: 4~Content-Length: 5~~abcde
          400 | POST / HTTP/1.1~Host: a~Content-Length: 4~Content-Length: 4~~abcd
          400 | POST / HTTP/1.1~Host: a~Content-Length: 4, 4~~abcd
          400 | POST / HTTP/1.1~Host: a~Content-Length: +4~~abcd
          400 | POST / HTTP/1.1~Host: a~Content-Length: -4~~abcd
          400 | POST / HTTP/1.1~Host: a~Content-Length: 0x4~~abcd
          400 | POST / HTTP/1.1~Host: a~Content-Length: 4 4~~abcd
          400 | POST / HTTP/1.1~Host: a~Content-Length:~~abcd
          400 | POST / HTTP/1.1~Host: a~Content-Length: 99999999999999999999~~abcd
          400 | POST / HTTP/1.1~Host: a~Content-Length : 4~~abcd
          400 | POST / HTTP/1.0~Host: a~Transfer-Encoding: chunked~~0~~
          400 | POST / HTTP/1.1~Host: a~Transfer-Encoding: identity~~
          400 | POST / HTTP/1.1~Host: a~Transfer-Encoding: chunked, identity~~0~~
          501 | POST / HTTP/1.1~Host: a~Transfer-Encoding: gzip, chunked~~0~~
          400 | POST / HTTP/1.1~Host: a~Transfer-Encoding: chunked~Transfer-Encoding: chunked~~0~~
          400 | POST / HTTP/1.1~Host: a~Transfer-Encoding: xchunked~~0~~
          # RFC 9112 §5.2: folded lines
          400 | GET / HTTP/1.1~Host: a~X: b~ c~~
          400 | POST / HTTP/1.1~Host: a~Transfer-Encoding:~ chunked~~0~~
          400 | GET / HTTP/1.1~ Host: a~~
          # RFC 9112 §3.2: Host
          400 | GET / HTTP/1.1~~
          400 | GET / HTTP/1.1~Host: a~Host: a~~
          400 | GET / HTTP/1.1~Host: a b~~
          400 | GET / HTTP/1.1~Host: user@a~~
          400 | GET http://a@b/ HTTP/1.1~Host: a~~
          # RFC 9112 §3: request lines
          400 | GET /~Host: a~~
          400 | GET / x HTTP/1.1~Host: a~~
          400 | GET a HTTP/1.1~Host: a~~
          400 | GET /#f HTTP/1.1~Host: a~~
          400 | GET * HTTP/1.1~Host: a~~
          400 | GET /\u0001 HTTP/1.1~Host: a~~
          501 | CONNECT a:443 HTTP/1.1~Host: a~~
          505 | GET / HTTP/2.0~Host: a~~
          505 | GET / HTTP/3.0~Host: a~~
          417 | GET / HTTP/1.1~Host: a~Expect: 200-ok~~
          # RFC 9110 §5.1, §5.5: fields
          400 | GET / HTTP/1.1~Host: a~no colon~~
          400 | GET / HTTP/1.1~Host: a~: no name~~
          400 | GET / HTTP/1.1~Host: a~X: a\u0000b~~
          400 | GET / HTTP/1.1~Host: a~X\u00e9: b~~
          """)
  void aRequestThatCouldBeReadTwoWaysIsRefused(String status, String request) throws Exception {
    var smuggled = "GET /hello HTTP/1.1\r\nHost: a\r\n\r\n";
    client.says(request.replace("~", "\r\n") + smuggled);
    assertThat(client.hearsTheRest())
        .startsWith("HTTP/1.1 " + status + " ")
        .contains("\r\nconnection: close\r\n")
        .doesNotContain("hello");
    assertThat(exchanges.total()).isZero();
  }

  /// RFC 9112 §7.1: in the midst of a body.
  @ParameterizedTest
  @ValueSource(
      strings = {
        "x\r\nabc",
        "-1\r\nabc",
        "+3\r\nabc\r\n0\r\n\r\n",
        "0x3\r\nabc\r\n0\r\n\r\n",
        "\r\nabc",
        "ffffffffffffffff\r\nabc",
        "3\r\nabcd\r\n0\r\n\r\n",
        "3\nabc\r\n0\r\n\r\n",
        "3;\nx\r\nabc\r\n0\r\n\r\n",
      })
  void brokenChunksEndTheConnection(String chunks) throws Exception {
    client.says(
        "POST /hello HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
            + chunks
            + get("/hello"));
    assertThat(client.hearsTheRest()).startsWith("HTTP/1.1 400 ").doesNotContain("hello");
    assertThat(exchanges.last().close()).isInstanceOf(Close.ResetLocally.class);
    assertThat(exchanges.total()).isEqualTo(1);
  }

  @Test
  void brokenChunksBehindTheStartOfAResponseCutIt() throws Exception {
    client.says("POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n");
    client.hearsHttp1Head();
    client.hears(6);
    client.says("y\r\n").seesTheConnectionEnd();
    assertThat(exchanges.last().close()).isInstanceOf(Close.ResetLocally.class);
  }

  @Test
  void aBareLineFeedEndsNoLine() throws Exception {
    assertThat(client.says("GET / HTTP/1.1\nHost: a\n\n").hearsTheRest())
        .startsWith("HTTP/1.1 400 ");
  }

  /// RFC 9112 §2.2: an empty line before a request is no fault, other controls are.
  @Test
  void emptyLinesBeforeARequestAreIgnored() throws Exception {
    client.says(get("/nowhere") + "\r\n\r\n" + get("/nowhere"));
    assertThat(client.hearsHttp1Head()).startsWith("HTTP/1.1 404 ");
    assertThat(client.hearsHttp1Head()).startsWith("HTTP/1.1 404 ");
    assertThat(client.says("\0" + get("/nowhere")).hearsTheRest()).startsWith("HTTP/1.1 400 ");
  }

  @ParameterizedTest
  @MethodSource("oversize")
  void whatIsTooLargeIsRefused(String status, String request) throws Exception {
    try {
      client.says(request);
    } catch (SocketException _) {
      // the refusal came before the end of what we say
    }
    assertThat(client.hearsTheRest()).startsWith("HTTP/1.1 " + status + " ");
    assertThat(exchanges.total()).isZero();
  }

  static Object[][] oversize() {
    return new Object[][] {
      {"414", "GET /" + "a".repeat(5_000)},
      {"414", "GET /" + "a".repeat(5_000) + " HTTP/1.1\r\nHost: a\r\n\r\n"},
      {"431", "GET / HTTP/1.1\r\n" + "a: b\r\n".repeat(1_000)},
      {"431", "GET / HTTP/1.1\r\nHost: a\r\nX: " + "b".repeat(5_000) + "\r\n\r\n"},
      // RFC 9113 §6.5.2 counts 32 octets for each field beside its own, and so do we here.
      {"431", "GET / HTTP/1.1\r\nHost: a\r\n" + "a: b\r\n".repeat(100) + "\r\n"},
    };
  }
}
