package dev.weftline.internal.net;

import static dev.weftline.internal.net.RawClient.PREFACE;
import static dev.weftline.internal.net.RawClient.SETTINGS;
import static org.assertj.core.api.Assertions.assertThat;

import dev.weftline.internal.http.TrustedPeers;
import io.netty.pkitesting.CertificateBuilder;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.security.SecureRandom;
import java.time.Duration;
import java.util.Map;
import java.util.stream.Stream;
import javax.net.ssl.SSLContext;
import javax.net.ssl.TrustManager;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/// The PROXY protocol: proxy-protocol.txt of HAProxy, versions 1 (§2.1) and 2 (§2.2).
final class ProxyProtocolTest {
  private static final String SIGNATURE = "\r\n\r\n\0\r\nQUIT\n";
  private static final String V1 = "PROXY TCP4 192.0.2.7 198.51.100.1 4711 443\r\n";

  /// PROXY, TCP over IPv4: addresses and ports.
  private static final String V2 =
      SIGNATURE + "\41\21\0\14" + "\300\0\2\7" + "\3063d\1" + "\22g\1\273";

  private PeerTable peers = new PeerTable(100, 0);
  private @Nullable EchoServer server;

  @AfterEach
  void stop() {
    if (server != null) server.close();
  }

  private RawClient connect(String... trusted) throws IOException {
    if (server == null) {
      var proxies = TrustedPeers.of(trusted);
      server =
          new EchoServer(Transport.preferred(), null, peers, proxies, null, EchoServer.loopback());
    }
    return RawClient.to(server.port());
  }

  /// The client sees the close before it is counted.
  private void expectsRefused(String reason) throws InterruptedException {
    for (int i = 0; i < 1_000 && peers.refused().isEmpty(); i++) Thread.sleep(10);
    assertThat(peers.refused()).isEqualTo(Map.of(reason, 1L));
  }

  @ParameterizedTest
  @ValueSource(strings = {V1, V2})
  void theToldAddressIsTheClients(String header) throws Exception {
    try (var proxy = connect("127.0.0.0/8")) {
      proxy.says(header + PREFACE + SETTINGS);
      assertThat(proxy.asksWhoItIs()).isEqualTo("/192.0.2.7:4711");
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {V1, V2})
  void aHeaderMayComeOctetByOctet(String header) throws Exception {
    try (var proxy = connect("127.0.0.1")) {
      for (char octet : header.toCharArray()) proxy.says(String.valueOf(octet));
      proxy.says(PREFACE + SETTINGS);
      assertThat(proxy.asksWhoItIs()).isEqualTo("/192.0.2.7:4711");
    }
  }

  @Test
  void ipv6IsToldToo() throws Exception {
    try (var proxy = connect("127.0.0.1")) {
      proxy.says("PROXY TCP6 2001:db8::7 2001:db8::1 4711 443\r\n" + PREFACE + SETTINGS);
      assertThat(proxy.asksWhoItIs()).isEqualTo("/[2001:db8:0:0:0:0:0:7]:4711");
    }
  }

  /// §2.2: extensions (TLVs) are passed over.
  @Test
  void extensionsArePassedOver() throws Exception {
    try (var proxy = connect("127.0.0.1")) {
      proxy.says(
          V2.replace("\21\0\14", "\21\0\27") + "\1\0\2h2" + "\4\0\3\0\0\0" + PREFACE + SETTINGS);
      assertThat(proxy.asksWhoItIs()).isEqualTo("/192.0.2.7:4711");
    }
  }

  /// §2.1 UNKNOWN, §2.2 LOCAL: the health checks of the proxy itself.
  @ParameterizedTest
  @ValueSource(strings = {"PROXY UNKNOWN\r\n", SIGNATURE + "\40\0\0\0"})
  void aProxysOwnConnectionKeepsItsAddress(String header) throws Exception {
    try (var proxy = connect("127.0.0.1")) {
      proxy.says(header + PREFACE + SETTINGS);
      assertThat(proxy.asksWhoItIs()).startsWith("/127.0.0.1:");
    }
  }

  /// §2: "must not try to guess whether the protocol header is present or not".
  @ParameterizedTest
  @ValueSource(
      strings = {
        PREFACE + SETTINGS,
        "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n",
        "PROXY TCP4 192.0.2.7\r\n",
        "PROXY TCP4 192.0.2.777 198.51.100.1 4711 443\r\n",
        "PROXY TCP4 192.0.2.7 198.51.100.1 4711 99999\r\n",
        "PROXY TCP9 192.0.2.7 198.51.100.1 4711 443\r\n",
        SIGNATURE + "\61\21\0\14aaaaaaaaaaaa", // version 3
        SIGNATURE + "\42\21\0\14aaaaaaaaaaaa", // an unknown command
        SIGNATURE + "\41\21\0\4aaaa", // no room for its addresses
        SIGNATURE + "\41\21\0\20aaaaaaaaaaaa\1\377\377a", // an extension past the end
      })
  void whatIsNoHeaderIsRefused(String octets) throws Exception {
    try (var proxy = connect("127.0.0.1")) {
      proxy.says(octets).seesTheConnectionEnd();
      expectsRefused("PROXY_HEADER");
    }
  }

  static Stream<String> tooLong() {
    return Stream.of(
        "PROXY TCP4 " + "1".repeat(200), SIGNATURE + "\41\21\377\377" + "a".repeat(20_000));
  }

  @ParameterizedTest
  @MethodSource("tooLong")
  void aHeaderThatIsTooLongIsRefusedBeforeItsEnd(String octets) throws Exception {
    try (var proxy = connect("127.0.0.1")) {
      proxy.says(octets).seesTheConnectionEnd();
      expectsRefused("PROXY_HEADER");
    }
  }

  /// The time for a handshake bounds it, TLS or not.
  @ParameterizedTest
  @ValueSource(strings = {"", "PROXY TCP4 192", "\r\n\r\n\0\r\nQUIT\n\41"})
  void aHeaderThatDoesNotEndIsClosed(String octets) throws Exception {
    try (var proxy = connect("127.0.0.1")) {
      var before = System.nanoTime();
      proxy.says(octets).seesTheConnectionEnd();
      assertThat(Duration.ofNanos(System.nanoTime() - before))
          .isLessThan(Duration.ofMillis(10L * EchoServer.HANDSHAKE_MILLIS));
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {V1, V2})
  void aStrangersHeaderIsRefused(String header) throws Exception {
    try (var stranger = connect("10.0.0.0/8")) {
      stranger.says(header.substring(0, 4)).says(header.substring(4) + PREFACE + SETTINGS);
      stranger.seesTheConnectionEnd();
      expectsRefused("PROXY_HEADER");
    }
  }

  @Test
  void aStrangerWithoutHeaderIsServed() throws Exception {
    try (var stranger = connect("10.0.0.0/8")) {
      stranger.says("P").says(PREFACE.substring(1) + SETTINGS);
      assertThat(stranger.asksWhoItIs()).startsWith("/127.0.0.1:");
    }
  }

  @Test
  void theClientsBehindAProxyAreItsPeers() throws Exception {
    peers = new PeerTable(100, 1);
    try (var first = connect("127.0.0.1")) {
      first.says(V1 + PREFACE + SETTINGS).hearsSettingsFirst();
      try (var second = connect();
          var other = connect()) {
        second.says(V1 + PREFACE + SETTINGS).seesTheConnectionEnd();
        other.says(V1.replace("192.0.2.7", "192.0.2.8") + PREFACE + SETTINGS);
        assertThat(other.asksWhoItIs()).isEqualTo("/192.0.2.8:4711");
      }
      expectsRefused("PER_PEER_MAX");
    }
  }

  @Test
  void theHeaderStandsBeforeTls() throws Exception {
    var authority =
        new CertificateBuilder()
            .ecp256()
            .subject("CN=localhost")
            .addSanIpAddress("127.0.0.1")
            .setIsCertificateAuthority(true)
            .buildSelfSigned();
    var context = SSLContext.getInstance("TLS");
    context.init(null, new TrustManager[] {authority.toTrustManager()}, new SecureRandom());
    try (var tls =
            Tls.builder()
                .identity(
                    authority.getCertificatePathPEM().getBytes(StandardCharsets.US_ASCII),
                    authority.getPrivateKeyPEM().getBytes(StandardCharsets.US_ASCII),
                    null)
                .build();
        var secure =
            new EchoServer(
                Transport.preferred(),
                tls,
                peers,
                TrustedPeers.of("127.0.0.1"),
                null,
                EchoServer.loopback());
        var proxy = RawClient.to(secure.port())) {
      proxy.says(V2);
      var socket =
          context.getSocketFactory().createSocket(proxy.socket(), "127.0.0.1", secure.port(), true);
      try (var client = new RawClient(socket)) {
        client.says(PREFACE + SETTINGS);
        assertThat(client.asksWhoItIs()).isEqualTo("/192.0.2.7:4711");
      }
    }
  }
}
