package dev.weftline.internal.hpack;

import static dev.weftline.internal.hpack.Blocks.constant;
import static dev.weftline.internal.hpack.Blocks.decoded;
import static dev.weftline.internal.hpack.Blocks.encoded;
import static dev.weftline.internal.hpack.Blocks.hex;
import static dev.weftline.internal.hpack.Blocks.section;
import static org.assertj.core.api.Assertions.assertThat;

import dev.weftline.internal.http.Fields;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// Which fields the encoder puts into the table (RFC 7541 §6.2, §7.1).
class IndexingTest {
  private static final Fields HEADERS =
      constant(":status", "200", "content-type", "application/grpc");
  private static final Fields TRAILERS = constant("grpc-status", "0");

  private final HpackEncoder encoder = new HpackEncoder(4_096);
  private final HpackDecoder decoder = new HpackDecoder(4_096, 16 << 10);

  /// RFC 7541 §7.1.3.
  @ParameterizedTest
  @ValueSource(strings = {"authorization", "cookie", "set-cookie", "x-api-key"})
  void aSecretIsNeverIndexed(String name) throws HpackException {
    for (int i = 0; i < 3; i++) {
      var block = encoded(encoder, section(name, "secret"));
      assertThat(block.getByte(0) & 0xf0).isEqualTo(0x10);
      assertThat(decoded(decoder, block)).isEqualTo(section(name, "secret"));
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {":path", "content-length", "grpc-message", "trace-bin", "traceparent"})
  void whatHardlyRepeatsIsNotIndexed(String name) throws HpackException {
    for (int i = 0; i < 3; i++) {
      var block = encoded(encoder, section(name, "123"));
      assertThat(block.getByte(0) & 0xf0).isZero();
      assertThat(decoded(decoder, block)).isEqualTo(section(name, "123"));
    }
  }

  @Test
  void aLongValueIsNotIndexed() {
    for (int i = 0; i < 3; i++) {
      assertThat(encoded(encoder, section("custom", "v".repeat(257))).getByte(0)).isZero();
    }
  }

  @Test
  void aConstantSectionIsAFewBytesAfterItsFirstTime() throws HpackException {
    assertThat(decoded(decoder, encoded(encoder, HEADERS))).isEqualTo(HEADERS);
    assertThat(decoded(decoder, encoded(encoder, TRAILERS))).isEqualTo(TRAILERS);
    for (int i = 0; i < 3; i++) {
      assertThat(hex(encoder, HEADERS)).isEqualTo("88bf");
      assertThat(hex(encoder, TRAILERS)).isEqualTo("be");
    }
    // Another field moves their indices.
    assertThat(decoded(decoder, encoded(encoder, section("a", "b")))).isEqualTo(section("a", "b"));
    assertThat(decoded(decoder, encoded(encoder, HEADERS))).isEqualTo(HEADERS);
    assertThat(hex(encoder, HEADERS)).isEqualTo("88c0");
    assertThat(hex(encoder, TRAILERS)).isEqualTo("bf");
  }

  @Test
  void aSectionWithoutATableIsTheSameOnEveryConnection() throws HpackException {
    var refusal = section(":status", "200", "grpc-status", "8", "reason", "full").withoutTable();
    var first = hex(encoder, refusal);
    assertThat(decoded(decoder, encoded(encoder, refusal))).isEqualTo(refusal);
    assertThat(decoded(decoder, encoded(encoder, section("a", "b")))).isEqualTo(section("a", "b"));
    assertThat(hex(encoder, refusal)).isEqualTo(first);
    assertThat(hex(new HpackEncoder(0), refusal)).isEqualTo("20" + first);
    assertThat(refusal.octets()).isNotNull();
    // It has put nothing into the table.
    assertThat(decoded(new HpackDecoder(0, 16 << 10), encoded(encoder, refusal)))
        .isEqualTo(refusal);
  }

  @Test
  void moreConstantSectionsThanAreKeptAreEncodedAllTheSame() throws HpackException {
    var sections = new Fields[9];
    for (int i = 0; i < sections.length; i++) sections[i] = constant("grpc-status", "" + i);
    for (int round = 0; round < 4; round++) {
      for (var section : sections) {
        assertThat(decoded(decoder, encoded(encoder, section))).isEqualTo(section);
      }
    }
    assertThat(encoded(encoder, sections[8]).readableBytes()).isEqualTo(1);
  }

  /// A value that changes each time would push out all that repeats.
  @Test
  void aChangingValueLeavesTheTableAlone() {
    hex(encoder, HEADERS);
    hex(encoder, section("request-number", "first"));
    var settled = hex(encoder, HEADERS);
    for (int i = 0; i < 1_000; i++) hex(encoder, section("request-number", "n" + i));
    assertThat(hex(encoder, HEADERS)).isEqualTo(settled);
  }

  @Test
  void aChangedValueIsIndexedWhenItComesAgain() {
    hex(encoder, section("shard", "one"));
    assertThat(hex(encoder, section("shard", "two"))).startsWith("0f2f"); // name 62, not indexed
    assertThat(hex(encoder, section("shard", "two"))).startsWith("7e");
    assertThat(hex(encoder, section("shard", "two"))).isEqualTo("be");
  }
}
