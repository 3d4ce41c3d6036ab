package dev.weftline.internal.net;

import static dev.weftline.internal.net.RawClient.PREFACE;
import static dev.weftline.internal.net.RawClient.SETTINGS;
import static org.assertj.core.api.Assertions.assertThat;

import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// RFC 7540 §3.2: from HTTP/1.1 to HTTP/2 in plain text.
final class UpgradeFromHttp1Test {
  /// INITIAL_WINDOW_SIZE 65535 and MAX_CONCURRENT_STREAMS 100, base64url without padding.
  private static final String UPGRADE =
      """
      GET /hello HTTP/1.1\r
      Host: example.org\r
      Connection: Upgrade, HTTP2-Settings\r
      Upgrade: h2c\r
      HTTP2-Settings: AAMAAABkAAQAAP__\r
      \r
      """;

  private static final int DATA_TYPE = 0;

  private EchoServer server;

  @BeforeEach
  void start() throws Exception {
    server = EchoServer.onLoopback();
  }

  @AfterEach
  void stop() {
    server.close();
  }

  @Test
  void theRequestIsAnsweredOnStream1() throws Exception {
    try (var client = RawClient.to(server.port())) {
      assertThat(client.says(UPGRADE).hearsHttp1Head())
          .startsWith("HTTP/1.1 101 Switching Protocols\r\n")
          .containsIgnoringCase("\r\nconnection: upgrade\r\n")
          .containsIgnoringCase("\r\nupgrade: h2c\r\n");
      client.hearsFrame(RawClient.SETTINGS_TYPE);
      client.says(PREFACE + SETTINGS);
      assertThat(new String(client.hearsFrame(DATA_TYPE), StandardCharsets.US_ASCII))
          .isEqualTo("GET /hello");
    }
  }

  @Test
  void aPrefaceInTheSamePacketIsNotLost() throws Exception {
    try (var client = RawClient.to(server.port())) {
      var ping = "\0\0\10\6\0\0\0\0\0" + "weftline";
      client.says(UPGRADE + PREFACE + SETTINGS + ping).hearsHttp1Head();
      assertThat(new String(client.hearsFrame(6), StandardCharsets.US_ASCII)).isEqualTo("weftline");
    }
  }

  @Test
  void onlyTheHttp2ConnectionStaysInThePipeline() throws Exception {
    try (var client = RawClient.to(server.port())) {
      client.says(UPGRADE + PREFACE + SETTINGS).hearsHttp1Head();
      client.hearsFrame(DATA_TYPE);
      for (int i = 0; i < 1_000 && server.pipelines.isEmpty(); i++) Thread.sleep(10);
      assertThat(server.pipelines.getFirst())
          .hasSize(2)
          .first()
          .asString()
          .startsWith("Http2Connection");
    }
  }

  @Test
  void anUpgradedClientThatThenIsSilentIsClosed() throws Exception {
    try (var client = RawClient.to(server.port())) {
      client.says(UPGRADE).hearsHttp1Head();
      client.seesTheConnectionEnd();
    }
  }

  /// RFC 9110 §7.8: a server may ignore Upgrade.
  @ParameterizedTest
  @ValueSource(
      strings = {
        "GET /a HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n",
        "GET /a HTTP/1.0\r\nHost: a\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: \r\n\r\n",
        "GET /a HTTP/1.1\r\nHost: a\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: websocket\r\nHTTP2-Settings: \r\n\r\n",
        "POST /a HTTP/1.1\r\nHost: a\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: \r\nContent-Length: 1\r\n\r\nx",
      })
  void whatDoesNotAskProperlyOrHasABodyIsAnsweredInHttp1(String request) throws Exception {
    try (var client = RawClient.to(server.port())) {
      assertThat(client.says(request).hearsHttp1Head()).startsWith("HTTP/1.1 200 ");
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"%%%", "AAMA"})
  void brokenSettingsAreABadRequest(String settings) throws Exception {
    try (var client = RawClient.to(server.port())) {
      assertThat(client.says(UPGRADE.replace("AAMAAABkAAQAAP__", settings)).hearsTheRest())
          .startsWith("HTTP/1.1 400 ");
    }
  }

  @Test
  void aLaterRequestMayUpgrade() throws Exception {
    try (var client = RawClient.to(server.port())) {
      client.says("GET /first HTTP/1.1\r\nHost: a\r\n\r\n" + UPGRADE + PREFACE + SETTINGS);
      assertThat(client.hearsHttp1Head()).startsWith("HTTP/1.1 200 ");
      assertThat(client.hearsHttp1Head()).contains("GET /first").contains("101 Switching");
      assertThat(new String(client.hearsFrame(DATA_TYPE), StandardCharsets.US_ASCII))
          .isEqualTo("GET /hello");
    }
  }

  /// The JDK's client asks for the upgrade with its first request, and goes on in HTTP/2.
  @Test
  void theJdkClientIsUpgraded() throws Exception {
    try (var client = HttpClient.newHttpClient()) {
      for (int i = 0; i < 3; i++) {
        var request =
            HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + server.port() + "/jdk/" + i))
                .build();
        var response = client.send(request, HttpResponse.BodyHandlers.ofString());
        assertThat(response.version()).isEqualTo(HttpClient.Version.HTTP_2);
        assertThat(response.body()).isEqualTo("GET /jdk/" + i);
      }
      assertThat(server.listener.openConnections()).isEqualTo(1);
    }
  }
}
