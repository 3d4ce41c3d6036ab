package dev.weftline.internal.http1;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.assertj.core.api.Assertions.assertThat;

import io.netty.buffer.Unpooled;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.embedded.EmbeddedChannel;
import io.netty.handler.codec.http.HttpRequest;
import io.netty.util.ReferenceCountUtil;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/// What pipelined requests cost before their turn has come (RFC 9112 §9.3.2).
final class RequestDecoderTest {
  private final RequestDecoder decoder = new RequestDecoder(1_024);
  private final List<String> targets = new ArrayList<>();
  private final EmbeddedChannel channel =
      new EmbeddedChannel(
          decoder,
          new ChannelInboundHandlerAdapter() {
            @Override
            public void channelRead(ChannelHandlerContext ctx, Object message) {
              if (message instanceof HttpRequest request) targets.add(request.uri());
              ReferenceCountUtil.release(message);
            }
          });

  @AfterEach
  void close() {
    channel.finishAndReleaseAll();
  }

  private void receives(String octets) {
    channel.writeInbound(Unpooled.copiedBuffer(octets, US_ASCII));
  }

  private void proceed() throws Exception {
    decoder.proceed(channel.pipeline().lastContext());
  }

  private static String requests(int count) {
    return "GET /a HTTP/1.1\r\nHost: a\r\n\r\n".repeat(count);
  }

  @Test
  void oneRequestIsDecodedAtATime() throws Exception {
    receives(requests(3));
    assertThat(targets).hasSize(1);
    proceed();
    proceed();
    assertThat(targets).hasSize(3);
    assertThat(channel.config().isAutoRead()).isTrue();
  }

  /// Each request served must not let another read in.
  @Test
  void theSocketIsLeftUnreadUntilFewRequestsWait() throws Exception {
    int count = 64 * 1_024 / requests(1).length();
    receives(requests(count));
    for (int served = 1; served < count / 2; served++) {
      assertThat(channel.config().isAutoRead()).as("after %s of %s", served, count).isFalse();
      proceed();
      assertThat(targets).hasSize(served + 1);
    }
    while (targets.size() < count) proceed();
    assertThat(channel.config().isAutoRead()).isTrue();
  }

  @Test
  void whatIsDiscardedIsReadAway() throws Exception {
    receives(requests(3_000));
    assertThat(channel.config().isAutoRead()).isFalse();
    decoder.discard(channel.pipeline().lastContext());
    assertThat(channel.config().isAutoRead()).isTrue();
    receives(requests(3_000));
    proceed();
    assertThat(channel.config().isAutoRead()).isTrue();
    assertThat(targets).hasSize(1);
  }
}
