package dev.weftline.internal.net;

import static dev.weftline.internal.net.RawClient.PREFACE;
import static dev.weftline.internal.net.RawClient.SETTINGS;
import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// What a plain-text connection speaks, by its first bytes.
final class HandshakeTest {
  private EchoServer server;

  @BeforeEach
  void start() throws Exception {
    server = EchoServer.onLoopback();
  }

  @AfterEach
  void stop() {
    server.close();
  }

  /// RFC 9113 §3.3, §3.4.
  @Test
  void aPrefaceBeginsHttp2() throws Exception {
    try (var client = RawClient.to(server.port())) {
      client.says(PREFACE + SETTINGS).hearsSettingsFirst();
    }
  }

  @Test
  void aPrefaceMayComeByteByByte() throws Exception {
    try (var client = RawClient.to(server.port())) {
      for (char octet : (PREFACE + SETTINGS).toCharArray()) {
        client.says(String.valueOf(octet));
        Thread.sleep(1); // a segment of its own
      }
      client.hearsSettingsFirst();
    }
  }

  @Test
  void onlyTheHttp2ConnectionStaysInThePipeline() throws Exception {
    try (var client = RawClient.to(server.port())) {
      client.says(PREFACE + SETTINGS).hearsSettingsFirst();
      assertThat(pipeline()).hasSize(2).first().asString().startsWith("Http2Connection");
    }
  }

  private List<String> pipeline() throws InterruptedException {
    for (int i = 0; i < 1_000 && server.pipelines.isEmpty(); i++) Thread.sleep(10);
    return server.pipelines.getFirst(); // the last name is Netty's own tail
  }

  /// RFC 9113 §3.4: a wrong preface that is meant for HTTP/2 is a connection error.
  @Test
  void aPrefaceThatEndsWrongIsAnsweredInHttp2() throws Exception {
    try (var client = RawClient.to(server.port())) {
      client.says("PRI * HTTP/2.0\r\n\r\nXX\r\n\r\n");
      var goAway = client.hearsFrame(RawClient.GOAWAY_TYPE);
      assertThat(goAway[7]).isEqualTo((byte) 1); // PROTOCOL_ERROR
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "PRI * HT", "PRI * HTTP/2.0\r\n\r\nS", "GET / HTTP/1.1\r\nHost:"})
  void halfAHandshakeAndThenSilenceIsClosed(String half) throws Exception {
    try (var client = RawClient.to(server.port());
        var other = RawClient.to(server.port())) {
      other.says(PREFACE + SETTINGS).hearsSettingsFirst();
      long start = System.nanoTime();
      client.says(half).seesTheConnectionEnd();
      assertThat(Duration.ofNanos(System.nanoTime() - start))
          .isGreaterThan(Duration.ofMillis(EchoServer.HANDSHAKE_MILLIS / 2))
          .isLessThan(Duration.ofMillis(10 * EchoServer.HANDSHAKE_MILLIS));
      // One that has said what it speaks stays.
      server.awaitConnections(1);
    }
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "\u0016\u0003\u0001\u0002\u0000", // a TLS client on a plain-text port
        "\u0000\u0000\u0000\u0004\u0000", // HTTP/2 without its preface
        " GET / HTTP/1.1\r\n",
        "PRI\u0000",
        "AMETHODTHATISMUCHTOOLONG / HTTP/1.1\r\n",
      })
  void whatIsNeitherHttp2NorHttp1IsClosedWithoutAWord(String octets) throws Exception {
    try (var client = RawClient.to(server.port())) {
      long start = System.nanoTime();
      assertThat(client.says(octets).hearsTheRest()).isEmpty();
      assertThat(Duration.ofNanos(System.nanoTime() - start))
          .isLessThan(Duration.ofMillis(EchoServer.HANDSHAKE_MILLIS));
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"GET", "POST", "PUT", "PRI", "PATCH", "M-SEARCH", "P"})
  void anHttp1RequestIsAnsweredInHttp1(String method) throws Exception {
    try (var client = RawClient.to(server.port())) {
      var answer =
          client
              .says(method + " / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
              .hearsTheRest();
      assertThat(answer)
          .startsWith("HTTP/1.1 200 OK\r\n")
          .contains("\r\nconnection: close\r\n")
          .endsWith("\r\n\r\n" + method + " /");
    }
  }

  @Test
  void anHttp1RequestThatIsNoneGets400() throws Exception {
    try (var client = RawClient.to(server.port())) {
      assertThat(client.says("INVALID CONNECTION PREFACE\r\n\r\n").hearsTheRest())
          .startsWith("HTTP/1.1 400 ");
    }
  }

  @Test
  void anHttp1RequestOfAnotherVersionGets505() throws Exception {
    try (var client = RawClient.to(server.port())) {
      assertThat(client.says("GET / HTTP/3.0\r\n\r\n").hearsTheRest()).startsWith("HTTP/1.1 505 ");
    }
  }

  @Test
  void anEndlessRequestLineGets414() throws Exception {
    try (var client = RawClient.to(server.port())) {
      client.says("GET /" + "a".repeat(5_000));
      assertThat(client.hearsTheRest()).startsWith("HTTP/1.1 414 ");
    }
  }

  @Test
  void endlessFieldsGet431() throws Exception {
    try (var client = RawClient.to(server.port())) {
      client.says("GET / HTTP/1.1\r\n" + "a: b\r\n".repeat(1_000));
      assertThat(client.hearsTheRest()).startsWith("HTTP/1.1 431 ");
    }
  }

  @Test
  void anHttp1ClientThatNeverClosesIsClosed() throws Exception {
    try (var client = RawClient.to(server.port())) {
      client.says("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n").hearsTheRest();
      server.awaitConnections(0);
    }
  }

  @Test
  void aConnectionOutlivesTheTimeForItsHandshake() throws Exception {
    try (var client = RawClient.to(server.port())) {
      client.says(PREFACE + SETTINGS).hearsSettingsFirst();
      Thread.sleep(2L * EchoServer.HANDSHAKE_MILLIS); // the handshake's timer is gone
      client.says("\0\0\10\6\0\0\0\0\0" + "weftline"); // PING
      assertThat(new String(client.hearsFrame(6), StandardCharsets.US_ASCII)).isEqualTo("weftline");
    }
  }
}
