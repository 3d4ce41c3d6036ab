package dev.weftline.internal.hpack;

import static dev.weftline.internal.hpack.Blocks.block;
import static dev.weftline.internal.hpack.Blocks.constant;
import static dev.weftline.internal.hpack.Blocks.decoded;
import static dev.weftline.internal.hpack.Blocks.section;
import static org.assertj.core.api.Assertions.assertThat;

import com.sun.management.ThreadMXBean;
import dev.weftline.internal.http.Fields;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.buffer.UnpooledByteBufAllocator;
import java.lang.management.ManagementFactory;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// What the same request and response cost when they come again: no object.
class HpackAllocationTest {
  private static final int ROUNDS = 10_000;

  private static final Fields REQUEST =
      section(
          ":path", "/helloworld.Greeter/SayHello",
          ":scheme", "http",
          ":method", "POST",
          ":authority", "127.0.0.1:50051",
          "user-agent", "h2load nghttp2/1.59.0",
          "content-type", "application/grpc",
          "te", "trailers",
          "content-length", "12");

  private final ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();

  /// As nghttp2 does it: `:path` and `content-length` are Huffman-coded and not indexed each time.
  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void theSameRequestAgainAllocatesNothing(boolean direct) throws HpackException {
    var decoder = new HpackDecoder(4_096, 16 << 10);
    var encoder = new HpackEncoder(4_096);
    assertThat(decoded(decoder, Blocks.encoded(encoder, REQUEST))).isEqualTo(REQUEST);
    var again = Blocks.encoded(encoder, REQUEST);
    // No leak detector, which would allocate.
    ByteBuf block =
        direct ? new UnpooledByteBufAllocator(true, true).directBuffer() : Unpooled.buffer();
    block.writeBytes(again);
    assertThat(block.isDirect()).isEqualTo(direct);
    repeat(decoder, block, new Fields(2 * REQUEST.size()), 2); // literals are kept the second time

    var fields = new Fields(ROUNDS * REQUEST.size());
    long before = threads.getCurrentThreadAllocatedBytes();
    repeat(decoder, block, fields, ROUNDS);
    long allocated = threads.getCurrentThreadAllocatedBytes() - before;

    assertThat(allocated).as("bytes for %d requests", ROUNDS).isLessThan(ROUNDS);
    assertThat(fields.size()).isEqualTo(ROUNDS * REQUEST.size());
    for (int i = 0; i < REQUEST.size(); i++) {
      assertThat(fields.get(fields.size() - REQUEST.size() + i)).isEqualTo(REQUEST.get(i));
    }
    block.release();
  }

  @Test
  void aConstantSectionAgainAllocatesNothing() {
    var encoder = new HpackEncoder(4_096);
    var headers = constant(":status", "200", "content-type", "application/grpc");
    var trailers = constant("grpc-status", "0");
    var out = Unpooled.buffer(64);
    respond(encoder, headers, trailers, out, 3);
    long before = threads.getCurrentThreadAllocatedBytes();
    respond(encoder, headers, trailers, out, ROUNDS);
    long allocated = threads.getCurrentThreadAllocatedBytes() - before;
    assertThat(allocated).as("bytes for %d responses", ROUNDS).isLessThan(ROUNDS);
    assertThat(out.readableBytes()).isEqualTo(3);
  }

  /// Values that never come again take no room on the connection.
  @Test
  void literalsAreKeptOnlyWhenTheyRepeat() throws HpackException {
    var decoder = new HpackDecoder(4_096, 16 << 10);
    var once = decoded(decoder, block("04 0161"));
    var twice = decoded(decoder, block("04 0161"));
    var thrice = decoded(decoder, block("04 0161"));
    assertThat(twice.get(0)).isNotSameAs(once.get(0));
    assertThat(thrice.get(0)).isSameAs(twice.get(0));
  }

  /// The same octets after another name are another field.
  @Test
  void literalsAreToldApartByTheirNames() throws HpackException {
    var decoder = new HpackDecoder(4_096, 16 << 10);
    for (int i = 0; i < 4; i++) {
      assertThat(decoded(decoder, block("04 0161 0f0d 0161 000161 0161")))
          .isEqualTo(section(":path", "a", "content-length", "a", "a", "a"));
    }
  }

  private static void repeat(HpackDecoder decoder, ByteBuf block, Fields into, int times)
      throws HpackException {
    for (int i = 0; i < times; i++) {
      block.readerIndex(0);
      decoder.decode(block, into);
    }
  }

  private static void respond(
      HpackEncoder encoder, Fields headers, Fields trailers, ByteBuf out, int times) {
    for (int i = 0; i < times; i++) {
      out.clear();
      encoder.encode(headers, out);
      encoder.encode(trailers, out);
    }
  }
}
