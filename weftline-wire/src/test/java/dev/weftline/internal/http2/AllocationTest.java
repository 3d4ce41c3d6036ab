package dev.weftline.internal.http2;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.assertj.core.api.Assertions.assertThat;

import com.sun.management.ThreadMXBean;
import dev.weftline.internal.http.Exchange;
import dev.weftline.internal.http.ExchangeHandler;
import dev.weftline.internal.http.Fields;
import dev.weftline.internal.testing.FakeClock;
import dev.weftline.internal.testing.ScriptedPeer;
import dev.weftline.internal.testing.TestExchanges;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.buffer.UnpooledByteBufAllocator;
import io.netty.channel.embedded.EmbeddedChannel;
import java.lang.management.ManagementFactory;
import java.nio.ByteBuffer;
import java.time.Duration;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/// What a frame and a call cost in heap, behind warm-up. On a busy machine time lies and allocation
/// does not. What belongs to a read batch (the embedded channel's own, one output buffer) is spread
/// over its frames.
class AllocationTest {
  private static final int FRAMES = 200;
  private static final int WARM_UP_READS = 1_500;
  private static final int READS = 200;

  private static final ThreadMXBean THREADS =
      ManagementFactory.getPlatformMXBean(ThreadMXBean.class);

  private final FakeClock clock = new FakeClock();
  private final Consuming exchanges = new Consuming();
  private EmbeddedChannel channel;

  @BeforeEach
  void connects() {
    channel = new EmbeddedChannel();
    channel.config().setAllocator(new UnpooledByteBufAllocator(true, true));
    channel
        .pipeline()
        .addLast(
            new Http2Connection(Http2Limits.DEFAULT, Lifetime.UNLIMITED, null, exchanges, clock));
    reads((ScriptedPeer.PREFACE + "\0\0\0\4\0\0\0\0\0").getBytes(ISO_8859_1));
  }

  @AfterEach
  void closes() {
    assertThat(channel.isOpen()).isTrue();
    channel.finishAndReleaseAll();
  }

  @Test
  void aWindowUpdateCostsNothing() {
    assertThat(bytesPerFrame("\0\0\4\10\0\0\0\0\0\0\0\0\1")).isLessThan(4);
  }

  @Test
  void aPingCostsNothing() {
    assertThat(bytesPerFrame("\0\0\10\6\0\0\0\0\0" + "12345678")).isLessThan(8);
  }

  @Test
  void aDataFrameCostsNothing() {
    reads(request(1, false));
    assertThat(bytesPerFrame("\0\0\5\0\0\0\0\0\1" + "tick.")).isLessThan(4);
  }

  /// The stream with its two windows, its field section, one outbox entry, the message.
  @Test
  void aUnaryCallCostsAFewSmallObjects() {
    // The replies' octets, as credit.
    byte[] credit = "\0\0\4\10\0\0\0\0\0\0\0\3\u00e8".getBytes(ISO_8859_1);
    assertThat(FRAMES * Consuming.BODY.length).isEqualTo(1_000);
    var batch = ByteBuffer.allocate(credit.length + FRAMES * REQUEST.length);
    int[] streamId = {1};
    double bytes =
        bytesPerRead(() -> {
          batch.clear().put(credit);
          for (int i = 0; i < FRAMES; i++, streamId[0] += 2) {
            int start = batch.position();
            batch.put(REQUEST).putInt(start + 5, streamId[0]);
          }
          reads(batch.array());
        })
            / FRAMES;
    assertThat(exchanges.completed).isEqualTo((WARM_UP_READS + READS) * FRAMES);
    assertThat(bytes).isLessThan(400);
  }

  private double bytesPerFrame(String frame) {
    byte[] read = frame.repeat(FRAMES).getBytes(ISO_8859_1);
    return bytesPerRead(() -> reads(read)) / FRAMES;
  }

  private static double bytesPerRead(Runnable read) {
    for (int i = 0; i < WARM_UP_READS; i++) read.run();
    long before = THREADS.getCurrentThreadAllocatedBytes();
    for (int i = 0; i < READS; i++) read.run();
    return (THREADS.getCurrentThreadAllocatedBytes() - before) / (double) READS;
  }

  private void reads(byte[] bytes) {
    clock.advance(Duration.ofSeconds(1));
    channel.writeInbound(Unpooled.wrappedBuffer(bytes));
    for (ByteBuf out; (out = channel.readOutbound()) != null; ) out.release();
  }

  private static final byte[] REQUEST = request(1, true);

  /// POST, http, `/hello` and an authority: static names, literal values that enter no table.
  private static byte[] request(int streamId, boolean end) {
    var block = "\u0083\u0086\4\6/hello\1\tlocalhost";
    var header = "\0\0" + (char) block.length() + "\1" + (char) (end ? 5 : 4) + "\0\0\0";
    return (header + (char) streamId + block).getBytes(ISO_8859_1);
  }

  /// Answers a whole request, consumes any other.
  private static final class Consuming implements ExchangeHandler.Factory {
    private static final byte[] BODY = "hello".getBytes(ISO_8859_1);
    private int completed;

    @Override
    public ExchangeHandler open(Exchange exchange, boolean endOfRequest) {
      if (endOfRequest) exchange.respond(TestExchanges.HEADERS, BODY, TestExchanges.TRAILERS);
      return new ExchangeHandler() {
        @Override
        public void receiveData(ByteBuf data, int length) {
          data.skipBytes(length);
          exchange.consumed(length);
        }

        @Override
        public void receiveEnd(Fields trailers) {}

        @Override
        public void sent(int unsentBytes) {}

        @Override
        public void closed(Close cause) {
          if (cause instanceof Close.Completed) completed++;
        }
      };
    }
  }
}
