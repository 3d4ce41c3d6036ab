package dev.weftline.internal.http1;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.assertj.core.api.Assertions.assertThat;

import dev.weftline.internal.http2.Http2Connection;
import dev.weftline.internal.http2.Http2Limits;
import dev.weftline.internal.testing.TestExchanges;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.embedded.EmbeddedChannel;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/// How long a connection is kept on which nothing happens, on a clock that the test moves.
final class IdleConnectionTest {
  private static final Http2Limits LIMITS = Http2Limits.DEFAULT;

  private final TestExchanges exchanges = new TestExchanges();
  private final EmbeddedChannel channel = new EmbeddedChannel();

  @BeforeEach
  void start() {
    channel.freezeTime();
    channel
        .pipeline()
        .addLast(
            new Http1Connection(
                LIMITS, false, exchanges, () -> new Http2Connection(LIMITS, exchanges)));
  }

  @AfterEach
  void stop() {
    channel.finishAndReleaseAll();
    exchanges.checkAllOver();
  }

  private void receives(String octets) {
    channel.writeInbound(Unpooled.copiedBuffer(octets, ISO_8859_1));
  }

  private void passes(long seconds) {
    channel.advanceTimeBy(seconds, TimeUnit.SECONDS);
    channel.runScheduledPendingTasks();
    channel.runPendingTasks();
  }

  private String sent() {
    var text = new StringBuilder();
    for (ByteBuf part; (part = channel.readOutbound()) != null; part.release()) {
      text.append(part.toString(ISO_8859_1));
    }
    return text.toString();
  }

  @Test
  void betweenRequestsItIsKeptLongerThanLoadBalancersKeepIt() {
    for (int i = 0; i < 3; i++) {
      passes(i == 0 ? 9 : 74);
      receives("GET /nowhere HTTP/1.1\r\nHost: a\r\n\r\n");
      assertThat(sent()).startsWith("HTTP/1.1 404 ");
    }
    passes(74);
    assertThat(channel.isOpen()).isTrue();
    passes(1);
    assertThat(channel.isOpen()).isFalse();
    assertThat(sent()).isEmpty();
  }

  @Test
  void theFirstRequestComesWithinTheHandshake() {
    passes(9);
    assertThat(channel.isOpen()).isTrue();
    passes(1);
    assertThat(channel.isOpen()).isFalse();
  }

  /// RFC 9110 §15.5.9.
  @Test
  void aRequestThatHasBegunIsWholeWithinAHandshake() {
    receives("GET /nowhere HTTP/1.1\r\nHost: a\r\n\r\n");
    sent();
    passes(60);
    receives("GET / HTTP/1.1\r\n");
    passes(9);
    receives("Host: a\r\n");
    passes(1);
    assertThat(sent()).startsWith("HTTP/1.1 408 ").contains("\r\nconnection: close\r\n");
    passes(1);
    assertThat(channel.isOpen()).isFalse();
  }

  @Test
  void aRequestUnderWayHasTheTimeThatItsHandlerTakes() {
    receives("GET /silent HTTP/1.1\r\nHost: a\r\n\r\n");
    passes(3_600);
    assertThat(channel.isOpen()).isTrue();
  }
}
