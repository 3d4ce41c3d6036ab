package dev.weftline.http;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.weftline.server.Server;
import dev.weftline.testing.EchoService;
import io.grpc.TlsServerCredentials;
import io.netty.pkitesting.CertificateBuilder;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.Socket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpClient.Version;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.security.KeyStore;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.logging.Handler;
import java.util.logging.Level;
import java.util.logging.LogRecord;
import java.util.logging.Logger;
import javax.net.ssl.SSLContext;
import javax.net.ssl.TrustManagerFactory;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/// Plain HTTP beside the calls, asked by the JDK's client over both versions.
@Timeout(60)
final class PlainHttpTest {
  private final CountDownLatch entered = new CountDownLatch(1);
  private final CompletableFuture<String> end = new CompletableFuture<>();
  private final List<LogRecord> logged = new CopyOnWriteArrayList<>();
  private final Handler logs =
      new Handler() {
        @Override
        public void publish(LogRecord entry) {
          logged.add(entry);
        }

        @Override
        public void flush() {}

        @Override
        public void close() {}
      };
  private final Logger logger = Logger.getLogger("dev.weftline");
  private Server server;
  private HttpClient client;

  @BeforeEach
  void start() throws IOException {
    server = builder().start();
    client = HttpClient.newHttpClient();
    logger.addHandler(logs);
  }

  @AfterEach
  void stop() {
    logger.removeHandler(logs);
    client.shutdownNow();
    server.close();
  }

  private Server.Builder builder() {
    return Server.builder()
        .port(0)
        .grace(Duration.ofSeconds(2))
        .addService(new EchoService())
        .httpContentBytesMax(100_000)
        .httpTimeout(Duration.ofSeconds(2))
        .http("/healthz", _ -> Response.text(200, "ok\n"))
        .http("/", _ -> Response.text(200, "root"))
        .http("/files/*", request -> Response.text(200, "file " + request.path()))
        .http("/files/deep/*", request -> Response.text(200, "deep " + request.path()))
        .http(
            "/echo",
            request ->
                Response.of(
                        201,
                        request.field("content-type").orElse("x/y"),
                        (request.method() + " " + request.parameter("a").orElse("?") + " ")
                            .concat(new String(request.body(), UTF_8))
                            .getBytes(UTF_8))
                    .with("x-host", request.field("Host").orElse("?")))
        .http("/empty", _ -> new Response(204, List.of(), new byte[0]))
        .http(
            "/throws",
            _ -> {
              throw new IllegalStateException("secret");
            })
        .http("/null", _ -> nothing())
        .http("/slow", _ -> slow());
  }

  @SuppressWarnings("NullAway") // what a handler without our checks may do
  private static Response nothing() {
    return null;
  }

  private Response slow() throws InterruptedException {
    entered.countDown();
    try {
      Thread.sleep(Duration.ofMinutes(1));
    } catch (InterruptedException e) {
      end.complete("interrupted");
      throw e;
    }
    return Response.text(200, "slept");
  }

  private HttpRequest.Builder to(String path, Version version) {
    return HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + server.port() + path))
        .version(version);
  }

  private HttpResponse<String> send(HttpRequest.Builder request) throws Exception {
    return client.send(request.build(), BodyHandlers.ofString());
  }

  @ParameterizedTest
  @EnumSource
  void aHandlerAnswersOverBothVersions(Version version) throws Exception {
    for (int i = 0; i < 3; i++) {
      var response = send(to("/healthz", version));
      assertThat(response.version()).isEqualTo(version);
      assertThat(response.statusCode()).isEqualTo(200);
      assertThat(response.body()).isEqualTo("ok\n");
      assertThat(response.headers().firstValue("content-type"))
          .contains("text/plain; charset=utf-8");
      assertThat(response.headers().firstValue("content-length")).contains("3");
      assertThat(response.headers().firstValue("date")).isPresent();
    }
    assertThat(server.stats().connections()).isEqualTo(1);
    assertThat(server.stats().callsStarted()).isZero();
  }

  @ParameterizedTest
  @EnumSource
  void contentAndQueryReachTheHandler(Version version) throws Exception {
    send(to("/healthz", version)); // from here on HTTP/2 is spoken where it is asked for
    var response =
        send(
            to("/echo?b=1&a=x%20y", version)
                .header("content-type", "text/weft")
                .POST(BodyPublishers.ofString("content")));
    assertThat(response.version()).isEqualTo(version);
    assertThat(response.statusCode()).isEqualTo(201);
    assertThat(response.body()).isEqualTo("POST x y content");
    assertThat(response.headers().firstValue("content-type")).contains("text/weft");
    assertThat(response.headers().firstValue("x-host")).contains("127.0.0.1:" + server.port());
  }

  /// RFC 9112 §7.1.
  @Test
  void contentMayComeInChunks() throws Exception {
    var chunks =
        BodyPublishers.ofInputStream(
            () -> new ByteArrayInputStream("x".repeat(90_000).getBytes(UTF_8)));
    var response = send(to("/echo", Version.HTTP_1_1).PUT(chunks));
    assertThat(response.body()).hasSize(90_000 + "PUT ? ".length());
  }

  @ParameterizedTest
  @CsvSource(
      textBlock =
          """
          /,             root
          /?x,           root
          /files,        file /files
          /files/,       file /files/
          /files/a/b,    file /files/a/b
          /files/deep/a, deep /files/deep/a
          /files/deeper, file /files/deeper
          """)
  void theExactPathWinsAndThenTheLongestPrefix(String path, String body) throws Exception {
    assertThat(send(to(path, Version.HTTP_1_1)).body()).isEqualTo(body);
  }

  /// RFC 9110 §9.3.2: as GET, without the content.
  @ParameterizedTest
  @EnumSource
  void headIsAnsweredLikeGetWithoutContent(Version version) throws Exception {
    for (int i = 0; i < 2; i++) {
      var response = send(to("/healthz", version).HEAD());
      assertThat(response.statusCode()).isEqualTo(200);
      assertThat(response.headers().firstValue("content-length")).contains("3");
      assertThat(response.body()).isEmpty();
    }
  }

  /// RFC 9110 §9.3.7, §15.5.6.
  @ParameterizedTest
  @EnumSource
  void optionsAndUnknownMethodsAreToldWhatIsAllowed(Version version) throws Exception {
    var options = send(to("/healthz", version).method("OPTIONS", BodyPublishers.noBody()));
    assertThat(options.statusCode()).isEqualTo(204);
    assertThat(options.headers().firstValue("allow").orElse("")).contains("GET, HEAD, POST");
    var other = send(to("/healthz", version).method("BREW", BodyPublishers.noBody()));
    assertThat(other.statusCode()).isEqualTo(405);
    assertThat(other.headers().firstValue("allow")).isPresent();
  }

  @ParameterizedTest
  @EnumSource
  void aResponseMayHaveNoContent(Version version) throws Exception {
    for (int i = 0; i < 2; i++) {
      var response = send(to("/empty", version));
      assertThat(response.statusCode()).isEqualTo(204);
      assertThat(response.headers().firstValue("content-length")).isEmpty();
    }
  }

  @Test
  void whatNobodyHandlesIsToldWhatThisServerIs() throws Exception {
    var http1 = send(to("/nowhere", Version.HTTP_1_1));
    assertThat(http1.statusCode()).isEqualTo(404);
    assertThat(http1.body()).contains("gRPC");
    send(to("/healthz", Version.HTTP_2));
    var http2 = send(to("/nowhere", Version.HTTP_2));
    assertThat(http2.statusCode()).isEqualTo(405);
    assertThat(http2.headers().firstValue("allow")).contains("POST");
    assertThat(server.stats().requestsRefused()).isEqualTo(2);
  }

  /// RFC 9110 §15.5.22.
  @Test
  void aCallOverHttp1IsToldToUpgrade() throws Exception {
    var response =
        send(
            to("/weftline.probe.Probe/Unary", Version.HTTP_1_1)
                .header("content-type", "application/grpc")
                .POST(BodyPublishers.ofByteArray(new byte[5])));
    assertThat(response.statusCode()).isEqualTo(426);
    assertThat(response.headers().firstValue("upgrade")).contains("h2c");
    assertThat(response.body()).contains("--http2-prior-knowledge");
  }

  @ParameterizedTest
  @EnumSource
  void tooMuchContentIs413(Version version) throws Exception {
    send(to("/healthz", version));
    var response = send(to("/echo", version).POST(BodyPublishers.ofByteArray(new byte[100_001])));
    assertThat(response.statusCode()).isEqualTo(413);
    assertThat(response.body()).contains("100000");
    var unannounced =
        BodyPublishers.ofInputStream(() -> new ByteArrayInputStream(new byte[100_001]));
    assertThat(send(to("/echo", version).POST(unannounced)).statusCode()).isEqualTo(413);
    assertThat(send(to("/healthz", version)).statusCode()).isEqualTo(200);
  }

  @ParameterizedTest
  @ValueSource(strings = {"/throws", "/null"})
  void aHandlerThatFailsIs500AndTheDetailStaysInTheLog(String path) throws Exception {
    var response = send(to(path, Version.HTTP_1_1));
    assertThat(response.statusCode()).isEqualTo(500);
    assertThat(response.body()).isEqualTo("Internal server error.\n");
    assertThat(logged)
        .anySatisfy(entry -> {
          assertThat(entry.getMessage()).contains(path);
          assertThat(entry.getThrown()).isNotNull();
        });
  }

  @ParameterizedTest
  @EnumSource
  void aHandlerThatTakesTooLongIsInterruptedAndIs503(Version version) throws Exception {
    assertThat(send(to("/slow", version)).statusCode()).isEqualTo(503);
    assertThat(end.get(10, TimeUnit.SECONDS)).isEqualTo("interrupted");
    assertThat(send(to("/healthz", version)).statusCode()).isEqualTo(200);
  }

  @Test
  void aRequestThatTakesTooLongToComeIs408() throws Exception {
    try (var socket = connect()) {
      say(socket, "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nx");
      assertThat(new String(socket.getInputStream().readAllBytes(), ISO_8859_1))
          .startsWith("HTTP/1.1 408 ")
          .contains("\r\nconnection: close\r\n");
    }
  }

  @Test
  void aHandlerIsInterruptedWhenItsClientGoes() throws Exception {
    try (var socket = connect()) {
      say(socket, "GET /slow HTTP/1.1\r\nHost: a\r\n\r\n");
      assertThat(entered.await(10, TimeUnit.SECONDS)).isTrue();
    }
    assertThat(end.get(10, TimeUnit.SECONDS)).isEqualTo("interrupted");
  }

  /// Kubernetes' and load balancers' TCP probes.
  @Test
  void aProbeThatOnlyConnectsLeavesNothingInTheLog() throws Exception {
    for (int i = 0; i < 10; i++) {
      try (var probe = connect()) {
        probe.setSoLinger(i % 2 == 0, 0); // every other one resets
      }
    }
    try (var half = connect()) {
      say(half, "GET /healthz");
    }
    send(to("/healthz", Version.HTTP_1_1));
    assertThat(logged).noneMatch(entry -> entry.getLevel().intValue() > Level.FINE.intValue());
  }

  @ParameterizedTest
  @EnumSource
  void overTlsAlpnChoosesTheVersion(Version version) throws Exception {
    var certificate =
        new CertificateBuilder()
            .subject("CN=localhost")
            .addSanDnsName("localhost")
            .setIsCertificateAuthority(true)
            .buildSelfSigned();
    var keys = KeyStore.getInstance(KeyStore.getDefaultType());
    keys.load(null, null);
    keys.setCertificateEntry("server", certificate.getCertificate());
    var trust = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
    trust.init(keys);
    var context = SSLContext.getInstance("TLS");
    context.init(null, trust.getTrustManagers(), null);
    try (var secure =
            builder()
                .credentials(
                    TlsServerCredentials.create(
                        pem(certificate.getCertificatePEM()), pem(certificate.getPrivateKeyPEM())))
                .start();
        var https = HttpClient.newBuilder().sslContext(context).version(version).build()) {
      var at = URI.create("https://localhost:" + secure.port());
      for (int i = 0; i < 2; i++) {
        var response =
            https.send(
                HttpRequest.newBuilder(at.resolve("/healthz")).build(), BodyHandlers.ofString());
        assertThat(response.version()).isEqualTo(version);
        assertThat(response.body()).isEqualTo("ok\n");
      }
      if (version == Version.HTTP_1_1) {
        var call =
            HttpRequest.newBuilder(at.resolve("/a/b"))
                .header("content-type", "application/grpc")
                .POST(BodyPublishers.noBody())
                .build();
        var refused = https.send(call, BodyHandlers.ofString());
        assertThat(refused.statusCode()).isEqualTo(505);
        assertThat(refused.body()).contains("offer h2 by ALPN");
      }
    }
  }

  @Test
  void aDrainLetsTheResponseUnderWayFinish() throws Exception {
    var entering = new CountDownLatch(1);
    var leave = new CountDownLatch(1);
    try (var draining =
            builder()
                .http(
                    "/wait",
                    _ -> {
                      entering.countDown();
                      leave.await();
                      return Response.text(200, "last");
                    })
                .start();
        var socket = new Socket(InetAddress.getLoopbackAddress(), draining.port())) {
      say(socket, "GET /wait HTTP/1.1\r\nHost: a\r\n\r\n");
      assertThat(entering.await(10, TimeUnit.SECONDS)).isTrue();
      draining.drain();
      assertThat(draining.awaitTermination(Duration.ofMillis(100))).isFalse();
      leave.countDown();
      assertThat(new String(socket.getInputStream().readAllBytes(), ISO_8859_1))
          .contains("\r\nconnection: close\r\n")
          .endsWith("last");
      assertThat(draining.awaitTermination(Duration.ofSeconds(10))).isTrue();
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "healthz", "/a b", "/*/a", "/a*", "/a?b", "/a#b", "/ü"})
  void aPathThatNoRequestHasIsRefused(String path) {
    assertThatThrownBy(() -> Server.builder().http(path, _ -> Response.text(200, "")))
        .isInstanceOf(IllegalArgumentException.class);
  }

  @ParameterizedTest
  @ValueSource(strings = {"/healthz", "/files/*"})
  void twoHandlersOfOnePathAreAMistake(String path) {
    assertThatThrownBy(() -> builder().http(path, _ -> Response.text(200, "")))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("two handlers of one path: " + path);
  }

  private Socket connect() throws IOException {
    return new Socket(InetAddress.getLoopbackAddress(), server.port());
  }

  private static void say(Socket socket, String octets) throws IOException {
    socket.getOutputStream().write(octets.getBytes(ISO_8859_1));
  }

  private static InputStream pem(String text) {
    return new ByteArrayInputStream(text.getBytes(UTF_8));
  }
}
