package dev.weftline.internal.hpack;

import static dev.weftline.internal.hpack.Blocks.block;
import static dev.weftline.internal.hpack.Blocks.section;
import static dev.weftline.internal.hpack.Blocks.sizeOf;
import static org.assertj.core.api.Assertions.assertThat;

import dev.weftline.internal.http.Fields;
import io.netty.buffer.ByteBufUtil;
import io.netty.buffer.Unpooled;
import java.util.HexFormat;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// The examples of RFC 7541 Appendix C, decoded; and encoded where our choice is the example's.
class RfcExamplesTest {
  private final HpackDecoder decoder = new HpackDecoder(4_096, 16 << 10);

  /// RFC 7541 §C.1.1, §C.1.2, §C.1.3: integers with a prefix of 5 and of 8 bits.
  @ParameterizedTest
  @CsvSource(
      textBlock =
          """
          # value, mask, octets
          10,   31,  0a
          1337, 31,  1f9a0a
          42,   255, 2a
          """)
  void integers(int value, int mask, String octets) throws HpackException {
    var writer = BlockWriter.ofThisLoop();
    writer.integer(0, mask, value);
    assertThat(HexFormat.of().formatHex(writer.copyFrom(0))).isEqualTo(octets);

    var reader = BlockReader.of(block(octets));
    assertThat(reader.integer(reader.octet(), mask)).isEqualTo(value);
    assertThat(reader.atEnd()).isTrue();
    reader.close();
  }

  /// RFC 7541 §C.2.1.
  @Test
  void aLiteralWithIndexingIsIndexedAfterwards() throws HpackException {
    decodes(
        "400a 6375 7374 6f6d 2d6b 6579 0d63 7573 746f 6d2d 6865 6164 6572",
        section("custom-key", "custom-header"));
    decodes("be", section("custom-key", "custom-header"));
  }

  /// RFC 7541 §C.2.2.
  @Test
  void aLiteralWithoutIndexing() throws HpackException {
    decodes("040c 2f73 616d 706c 652f 7061 7468", section(":path", "/sample/path"));
  }

  /// RFC 7541 §C.2.3.
  @Test
  void aLiteralNeverIndexed() throws HpackException {
    decodes("1008 7061 7373 776f 7264 0673 6563 7265 74", section("password", "secret"));
  }

  /// RFC 7541 §C.2.4.
  @Test
  void anIndexedField() throws HpackException {
    decodes("82", section(":method", "GET"));
  }

  /// RFC 7541 §C.3.
  @Test
  void requestsWithoutHuffmanCoding() throws HpackException {
    decodes("8286 8441 0f77 7777 2e65 7861 6d70 6c65 2e63 6f6d", FIRST_REQUEST);
    decodes("8286 84be 5808 6e6f 2d63 6163 6865", SECOND_REQUEST);
    decodes(
        "8287 85bf 400a 6375 7374 6f6d 2d6b 6579 0c63 7573 746f 6d2d 7661 6c75 65", THIRD_REQUEST);
  }

  /// RFC 7541 §C.4.
  @Test
  void requestsWithHuffmanCoding() throws HpackException {
    decodes(HUFFMAN_REQUESTS[0], FIRST_REQUEST);
    decodes(HUFFMAN_REQUESTS[1], SECOND_REQUEST);
    decodes(HUFFMAN_REQUESTS[2], THIRD_REQUEST);
  }

  /// RFC 7541 §C.4, the other way.
  @Test
  void requestsAreEncodedAsTheRfcDoes() {
    var encoder = new HpackEncoder(4_096);
    encodes(encoder, FIRST_REQUEST, HUFFMAN_REQUESTS[0]);
    encodes(encoder, SECOND_REQUEST, HUFFMAN_REQUESTS[1]);
    encodes(encoder, THIRD_REQUEST, HUFFMAN_REQUESTS[2]);
  }

  /// RFC 7541 §C.5: a table of 256 bytes, which the third response fills twice.
  @Test
  void responsesWithoutHuffmanCodingEvict() throws HpackException {
    decodes("3fe101", Fields.EMPTY);
    decodes(
        "4803 3330 3258 0770 7269 7661 7465 611d 4d6f 6e2c 2032 3120 4f63 7420 3230 3133 2032 303a"
            + "3133 3a32 3120 474d 546e 1768 7474 7073 3a2f 2f77 7777 2e65 7861 6d70 6c65 2e63 6f6d",
        FIRST_RESPONSE);
    decodes("4803 3330 37c1 c0bf", SECOND_RESPONSE);
    decodes(
        "88c1 611d 4d6f 6e2c 2032 3120 4f63 7420 3230 3133 2032 303a 3133 3a32 3220 474d 54c0 5a04"
            + "677a 6970 7738 666f 6f3d 4153 444a 4b48 514b 425a 584f 5157 454f 5049 5541 5851 5745"
            + "4f49 553b 206d 6178 2d61 6765 3d33 3630 303b 2076 6572 7369 6f6e 3d31",
        THIRD_RESPONSE);
  }

  /// RFC 7541 §C.6.
  @Test
  void responsesWithHuffmanCodingEvict() throws HpackException {
    decodes("3fe101", Fields.EMPTY);
    decodes(
        "4882 6402 5885 aec3 771a 4b61 96d0 7abe 9410 54d4 44a8 2005 9504 0b81 66e0 82a6 2d1b ff6e"
            + "919d 29ad 1718 63c7 8f0b 97c8 e9ae 82ae 43d3",
        FIRST_RESPONSE);
    decodes("4883 640e ffc1 c0bf", SECOND_RESPONSE);
    decodes(
        "88c1 6196 d07a be94 1054 d444 a820 0595 040b 8166 e084 a62d 1bff c05a 839b d9ab 77ad 94e7"
            + "821d d7f2 e6c7 b335 dfdf cd5b 3960 d5af 2708 7f36 72c1 ab27 0fb5 291f 9587 3160 65c0"
            + "03ed 4ee5 b106 3d50 07",
        THIRD_RESPONSE);
    // What the table holds in the end.
    decodes("bebfc0", section("set-cookie", COOKIE, "content-encoding", "gzip", "date", LATER));
  }

  private void decodes(String hex, Fields expected) throws HpackException {
    var fields = new Fields(8);
    int size = decoder.decode(block(hex), fields);
    assertThat(fields).isEqualTo(expected);
    assertThat(size).isEqualTo(sizeOf(expected));
  }

  private static void encodes(HpackEncoder encoder, Fields fields, String hex) {
    var out = Unpooled.buffer();
    encoder.encode(fields, out);
    assertThat(ByteBufUtil.hexDump(out)).isEqualTo(hex.replace(" ", ""));
  }

  private static final String DATE = "Mon, 21 Oct 2013 20:13:21 GMT";
  private static final String LATER = "Mon, 21 Oct 2013 20:13:22 GMT";
  private static final String COOKIE = "foo=ASDJKHQKBZXOQWEOPIUAXQWEOIU; max-age=3600; version=1";

  private static final Fields FIRST_REQUEST =
      section(":method", "GET", ":scheme", "http", ":path", "/", ":authority", "www.example.com");

  private static final Fields SECOND_REQUEST =
      section(
          ":method",
          "GET",
          ":scheme",
          "http",
          ":path",
          "/",
          ":authority",
          "www.example.com",
          "cache-control",
          "no-cache");

  private static final Fields THIRD_REQUEST =
      section(
          ":method",
          "GET",
          ":scheme",
          "https",
          ":path",
          "/index.html",
          ":authority",
          "www.example.com",
          "custom-key",
          "custom-value");

  private static final String[] HUFFMAN_REQUESTS = {
    "8286 8441 8cf1 e3c2 e5f2 3a6b a0ab 90f4 ff",
    "8286 84be 5886 a8eb 1064 9cbf",
    "8287 85bf 4088 25a8 49e9 5ba9 7d7f 8925 a849 e95b b8e8 b4bf",
  };

  private static final Fields FIRST_RESPONSE =
      section(
          ":status",
          "302",
          "cache-control",
          "private",
          "date",
          DATE,
          "location",
          "https://www.example.com");

  private static final Fields SECOND_RESPONSE =
      section(
          ":status",
          "307",
          "cache-control",
          "private",
          "date",
          DATE,
          "location",
          "https://www.example.com");

  private static final Fields THIRD_RESPONSE =
      section(
          ":status",
          "200",
          "cache-control",
          "private",
          "date",
          LATER,
          "location",
          "https://www.example.com",
          "content-encoding",
          "gzip",
          "set-cookie",
          COOKIE);
}
