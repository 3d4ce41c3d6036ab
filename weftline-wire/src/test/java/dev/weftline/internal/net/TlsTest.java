package dev.weftline.internal.net;

import static dev.weftline.internal.net.RawClient.PREFACE;
import static dev.weftline.internal.net.RawClient.SETTINGS;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.netty.handler.ssl.OpenSsl;
import io.netty.pkitesting.CertificateBuilder;
import io.netty.pkitesting.X509Bundle;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.security.SecureRandom;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import javax.net.ssl.KeyManager;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLException;
import javax.net.ssl.SSLHandshakeException;
import javax.net.ssl.SSLSocket;
import javax.net.ssl.TrustManager;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

/// What connections over TLS speak, and with whom (RFC 9113 §3.2, §9.2).
final class TlsTest {
  private static final KeyManager[] NO_CERTIFICATE = {};

  private static X509Bundle authority;
  private static X509Bundle localhost;
  private static X509Bundle client;

  enum Provider {
    BORING_SSL,
    JDK
  }

  @BeforeAll
  static void issueCertificates() throws Exception {
    authority =
        new CertificateBuilder()
            .ecp256()
            .subject("CN=Test authority")
            .setIsCertificateAuthority(true)
            .buildSelfSigned();
    localhost =
        new CertificateBuilder()
            .rsa2048()
            .subject("CN=localhost")
            .addSanDnsName("localhost")
            .addSanIpAddress("127.0.0.1")
            .buildIssuedBy(authority);
    client = new CertificateBuilder().ecp256().subject("CN=client").buildIssuedBy(authority);
  }

  static Stream<Provider> providers() {
    return OpenSsl.isAvailable() ? Stream.of(Provider.values()) : Stream.of(Provider.JDK);
  }

  private static byte[] ascii(String text) {
    return text.getBytes(StandardCharsets.US_ASCII);
  }

  private static Tls.Builder tls(Provider provider) {
    var builder =
        Tls.builder()
            .identity(
                ascii(localhost.getCertificatePathPEM()),
                ascii(localhost.getPrivateKeyPEM()),
                null);
    return provider == Provider.JDK ? builder.jdkProvider() : builder;
  }

  private static EchoServer serve(Tls tls) throws IOException {
    return new EchoServer(tls, EchoServer.loopback());
  }

  private static SSLContext trusting(KeyManager... keyManagers) throws Exception {
    var context = SSLContext.getInstance("TLS");
    context.init(keyManagers, new TrustManager[] {authority.toTrustManager()}, new SecureRandom());
    return context;
  }

  private static SSLSocket connect(EchoServer server, SSLContext context) throws IOException {
    return (SSLSocket) context.getSocketFactory().createSocket("127.0.0.1", server.port());
  }

  private static SSLSocket offering(SSLSocket socket, String... protocols) {
    var parameters = socket.getSSLParameters();
    parameters.setApplicationProtocols(protocols);
    socket.setSSLParameters(parameters);
    return socket;
  }

  @ParameterizedTest
  @MethodSource("providers")
  void theJdkClientSpeaksHttp2ByAlpn(Provider provider) throws Exception {
    try (var tls = tls(provider).build();
        var server = serve(tls);
        var http = HttpClient.newBuilder().sslContext(trusting(NO_CERTIFICATE)).build()) {
      var request =
          HttpRequest.newBuilder(URI.create("https://localhost:" + server.port() + "/tls")).build();
      var response = http.send(request, HttpResponse.BodyHandlers.ofString());
      assertThat(response.version()).isEqualTo(HttpClient.Version.HTTP_2);
      assertThat(response.body()).isEqualTo("GET /tls");
      assertThat(response.sslSession().orElseThrow().getProtocol()).isEqualTo("TLSv1.3");
    }
  }

  @ParameterizedTest
  @MethodSource("providers")
  void onlyTlsAndTheHttp2ConnectionStayInThePipeline(Provider provider) throws Exception {
    try (var tls = tls(provider).build();
        var server = serve(tls);
        var socket = offering(connect(server, trusting(NO_CERTIFICATE)), "h2");
        var raw = new RawClient(socket)) {
      raw.says(PREFACE + SETTINGS).hearsSettingsFirst();
      assertThat(socket.getApplicationProtocol()).isEqualTo("h2");
      for (int i = 0; i < 1_000 && server.pipelines.isEmpty(); i++) Thread.sleep(10);
      var names = server.pipelines.getFirst();
      assertThat(names).hasSize(3);
      assertThat(names.get(0)).startsWith("SslHandler");
      assertThat(names.get(1)).startsWith("Http2Connection");
    }
  }

  @ParameterizedTest
  @MethodSource("providers")
  void aClientThatOffersOnlyHttp1IsAnsweredInHttp1(Provider provider) throws Exception {
    try (var tls = tls(provider).build();
        var server = serve(tls);
        var socket = offering(connect(server, trusting(NO_CERTIFICATE)), "http/1.1");
        var raw = new RawClient(socket)) {
      raw.says("GET /a HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
      assertThat(raw.hearsTheRest()).startsWith("HTTP/1.1 200 ").endsWith("GET /a");
      assertThat(socket.getApplicationProtocol()).isEqualTo("http/1.1");
    }
  }

  @ParameterizedTest
  @MethodSource("providers")
  void withoutAlpnTheFirstBytesDecide(Provider provider) throws Exception {
    try (var tls = tls(provider).build();
        var server = serve(tls);
        var http2 = new RawClient(connect(server, trusting(NO_CERTIFICATE)));
        var http1 = new RawClient(connect(server, trusting(NO_CERTIFICATE)))) {
      http2.says(PREFACE + SETTINGS).hearsSettingsFirst();
      assertThat(http1.says("GET / HTTP/1.1\r\n\r\n").hearsTheRest()).startsWith("HTTP/1.1 400 ");
    }
  }

  /// RFC 9113 §9.2.2.
  @ParameterizedTest
  @MethodSource("providers")
  void tls12IsSpokenWithTheSuiteThatHttp2Requires(Provider provider) throws Exception {
    try (var tls = tls(provider).build();
        var server = serve(tls);
        var socket = offering(connect(server, trusting(NO_CERTIFICATE)), "h2");
        var raw = new RawClient(socket)) {
      socket.setEnabledProtocols(new String[] {"TLSv1.2"});
      socket.setEnabledCipherSuites(new String[] {"TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256"});
      raw.says(PREFACE + SETTINGS).hearsSettingsFirst();
      assertThat(socket.getSession().getProtocol()).isEqualTo("TLSv1.2");
    }
  }

  /// RFC 9113 Appendix A.
  @ParameterizedTest
  @MethodSource("providers")
  void aSuiteThatHttp2ProhibitsIsRefused(Provider provider) throws Exception {
    try (var tls = tls(provider).build();
        var server = serve(tls);
        var socket = offering(connect(server, trusting(NO_CERTIFICATE)), "h2")) {
      socket.setEnabledProtocols(new String[] {"TLSv1.2"});
      socket.setEnabledCipherSuites(new String[] {"TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA"});
      assertThatThrownBy(socket::startHandshake).isInstanceOf(SSLHandshakeException.class);
      server.awaitConnections(0);
    }
  }

  @ParameterizedTest
  @MethodSource("providers")
  void aClientCertificateThatIsRequiredMustBeShown(Provider provider) throws Exception {
    try (var tls =
            tls(provider)
                .trust(ascii(authority.getCertificatePEM()))
                .clientCertificates(Tls.ClientCertificates.REQUIRED)
                .build();
        var server = serve(tls);
        var known =
            new RawClient(
                offering(
                    connect(server, trusting(client.toKeyManagerFactory().getKeyManagers())),
                    "h2"));
        var unknown = new RawClient(offering(connect(server, trusting(NO_CERTIFICATE)), "h2"))) {
      known.says(PREFACE + SETTINGS).hearsSettingsFirst();
      // TLS 1.3 tells a client of a bad certificate with the first bytes it reads.
      assertThatThrownBy(() -> unknown.says(PREFACE + SETTINGS).hearsSettingsFirst())
          .isInstanceOf(IOException.class);
      server.awaitConnections(1);
    }
  }

  @ParameterizedTest
  @MethodSource("providers")
  void aClientCertificateThatIsOptionalMayBeMissing(Provider provider) throws Exception {
    try (var tls =
            tls(provider)
                .trust(List.of(authority.toTrustManager()))
                .clientCertificates(Tls.ClientCertificates.OPTIONAL)
                .build();
        var server = serve(tls);
        var raw = new RawClient(offering(connect(server, trusting(NO_CERTIFICATE)), "h2"))) {
      raw.says(PREFACE + SETTINGS).hearsSettingsFirst();
    }
  }

  @ParameterizedTest
  @MethodSource("providers")
  void aKeyManagerMayChooseTheCertificate(Provider provider) throws Exception {
    var keyManagers = Arrays.asList(localhost.toKeyManagerFactory().getKeyManagers());
    var builder = Tls.builder().identity(keyManagers);
    if (provider == Provider.JDK) builder.jdkProvider();
    try (var tls = builder.build();
        var server = serve(tls);
        var raw = new RawClient(offering(connect(server, trusting(NO_CERTIFICATE)), "h2"))) {
      raw.says(PREFACE + SETTINGS).hearsSettingsFirst();
    }
  }

  @ParameterizedTest
  @MethodSource("providers")
  void aClientThatSpeaksPlainTextIsClosed(Provider provider) throws Exception {
    try (var tls = tls(provider).build();
        var server = serve(tls);
        var raw = RawClient.to(server.port())) {
      raw.says(PREFACE + SETTINGS).seesTheConnectionEnd();
    }
  }

  @ParameterizedTest
  @EnumSource
  void halfATlsHandshakeAndThenSilenceIsClosed(Provider provider) throws Exception {
    try (var tls = tls(provider).build();
        var server = serve(tls);
        var raw = RawClient.to(server.port())) {
      raw.says("\u0016\u0003\u0001\u0002\u0000\u0001").seesTheConnectionEnd();
      server.awaitConnections(0);
    }
  }

  @Test
  void aTlsClientOnAPlainTextPortIsClosed() throws Exception {
    try (var server = EchoServer.onLoopback();
        var socket = connect(server, trusting(NO_CERTIFICATE))) {
      assertThatThrownBy(socket::startHandshake)
          .isInstanceOfAny(SSLException.class, IOException.class);
      server.awaitConnections(0);
    }
  }
}
