package dev.weftline.internal.hpack;

import static dev.weftline.internal.hpack.Blocks.encoded;
import static dev.weftline.internal.hpack.Blocks.sizeOf;
import static org.assertj.core.api.Assertions.assertThat;

import dev.weftline.internal.http.Fields;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.handler.codec.http2.DefaultHttp2Headers;
import io.netty.handler.codec.http2.DefaultHttp2HeadersDecoder;
import io.netty.handler.codec.http2.DefaultHttp2HeadersEncoder;
import io.netty.handler.codec.http2.Http2HeadersEncoder;
import io.netty.util.AsciiString;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;

/// Whatever is encoded is decoded to the same, by us and by Netty, over thousands of sections of
/// one connection whose table changes its size now and then.
class RoundTripTest {
  private static final int SECTIONS = 5_000;
  private static final int FIELD_BYTES_MAX = 1 << 20;

  private final long seed = AnySections.seed();
  private final Random random = new Random(seed);
  private final AnySections sections = new AnySections(random);
  private final HpackEncoder encoder = new HpackEncoder(4_096);
  private final HpackDecoder decoder = new HpackDecoder(4_096, FIELD_BYTES_MAX);

  @Test
  void ourEncoderAndOurDecoderAgree() throws HpackException {
    for (int i = 0; i < SECTIONS; i++) {
      while (random.nextInt(50) == 0) encoder.peerTableBytesMax(random.nextInt(5_000));
      var section = sections.next();
      var block = encoded(encoder, section);
      if (random.nextBoolean()) block = Unpooled.directBuffer().writeBytes(block);
      var decoded = new Fields(0);
      int size = decoder.decode(block, decoded);
      block.release();
      assertThat(decoded).as("seed %d, section %d", seed, i).isEqualTo(section);
      assertThat(size).as("seed %d, section %d", seed, i).isEqualTo(sizeOf(section));
    }
  }

  @Test
  void nettyDecodesWhatWeEncode() throws Exception {
    var netty = new DefaultHttp2HeadersDecoder(false, FIELD_BYTES_MAX);
    for (int i = 0; i < SECTIONS; i++) {
      while (random.nextInt(50) == 0) {
        int setting = random.nextInt(4_096);
        encoder.peerTableBytesMax(setting);
        netty.configuration().maxHeaderTableSize(setting);
      }
      var section = sections.next();
      var block = encoded(encoder, section);
      var decoded = netty.decodeHeaders(1, block);
      var fields = new Fields(8);
      for (var header : decoded)
        fields.add(header.getKey().toString(), header.getValue().toString());
      assertThat(byName(fields)).as("seed %d, section %d", seed, i).isEqualTo(byName(section));
      assertThat(block.isReadable()).isFalse();
    }
  }

  @Test
  void weDecodeWhatNettyEncodes() throws Exception {
    var netty = new DefaultHttp2HeadersEncoder(Http2HeadersEncoder.NEVER_SENSITIVE, true, 16, 0);
    for (int i = 0; i < SECTIONS; i++) {
      if (random.nextInt(50) == 0) {
        netty.configuration().maxHeaderTableSize(random.nextInt(4_096));
      }
      var section = sections.next();
      var headers = new DefaultHttp2Headers(false);
      for (int j = 0; j < section.size(); j++) {
        var field = section.get(j);
        headers.add(
            new AsciiString(field.nameOctets(), true), new AsciiString(field.valueOctets(), true));
      }
      ByteBuf block = Unpooled.buffer();
      netty.encodeHeaders(1, headers, block);
      var decoded = new Fields(8);
      decoder.decode(block, decoded);
      assertThat(byName(decoded)).as("seed %d, section %d", seed, i).isEqualTo(byName(section));
    }
  }

  /// Netty sorts pseudo-fields to the front, so only the order within one name is compared.
  private static Map<String, String> byName(Fields fields) {
    var sorted = new TreeMap<String, String>();
    for (int i = 0; i < fields.size(); i++) {
      sorted.merge(fields.get(i).name(), fields.get(i).value(), (a, b) -> a + "\n" + b);
    }
    return sorted;
  }
}
