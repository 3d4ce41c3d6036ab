package dev.weftline.internal.hpack;

import static dev.weftline.internal.hpack.Blocks.block;
import static dev.weftline.internal.hpack.Blocks.decoded;
import static dev.weftline.internal.hpack.Blocks.hex;
import static dev.weftline.internal.hpack.Blocks.section;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import dev.weftline.internal.http.Fields;
import org.junit.jupiter.api.Test;

/// How the size of the dynamic table changes (RFC 7541 §4.2, §6.3).
class TableSizeTest {
  private static final Fields CUSTOM = section("custom-key", "custom-value");
  private static final String CUSTOM_LITERAL = "408825a849e95ba97d7f8925a849e95bb8e8b4bf";
  private static final Fields GET = section(":method", "GET");

  private final HpackDecoder decoder = new HpackDecoder(4_096, 16 << 10);
  private final HpackEncoder encoder = new HpackEncoder(4_096);

  /// RFC 7541 §4.3: a size of 0 empties the table.
  @Test
  void anUpdateToZeroForgetsEverything() throws HpackException {
    assertThat(decoded(decoder, block(CUSTOM_LITERAL + "be")).size()).isEqualTo(2);
    assertThatExceptionOfType(HpackException.class)
        .isThrownBy(() -> decoded(decoder, block("20be")))
        .withMessageContaining("2.3.3");
  }

  /// RFC 7541 §4.2: the smallest size in between and the last one.
  @Test
  void twoUpdatesMayStandAtTheStartOfABlock() throws HpackException {
    assertThat(decoded(decoder, block("203fe11f" + CUSTOM_LITERAL + "be")).size()).isEqualTo(2);
  }

  /// RFC 7541 §4.4: a field larger than the table empties it, and is not an error.
  @Test
  void aFieldLargerThanTheTableIsDecodedAndNotIndexed() throws HpackException {
    assertThat(decoded(decoder, block("3f09" + CUSTOM_LITERAL))).isEqualTo(CUSTOM);
    assertThatExceptionOfType(HpackException.class)
        .isThrownBy(() -> decoded(decoder, block("be")))
        .withMessageContaining("2.3.3");
  }

  /// RFC 7541 §4.2: until its acknowledgement the peer may not know our smaller table.
  @Test
  void aSmallerTableIsDueWithTheFirstBlockAfterTheAcknowledgement() throws HpackException {
    var small = new HpackDecoder(256, 16 << 10);
    assertThat(decoded(small, block(CUSTOM_LITERAL + "be")).size()).isEqualTo(2);
    small.settingsAcknowledged();
    assertThatExceptionOfType(HpackException.class)
        .isThrownBy(() -> decoded(small, block("82")))
        .withMessageContaining("4.2: table size update missing");
    assertThatExceptionOfType(HpackException.class)
        .isThrownBy(() -> decoded(small, block("3fe20182")))
        .withMessageContaining("6.3");
    assertThat(decoded(small, block("3fe10182"))).isEqualTo(GET);
    assertThat(decoded(small, block("82"))).isEqualTo(GET);
  }

  @Test
  void noUpdateIsDueWhenThePeerAlreadyMadeTheTableSmaller() throws HpackException {
    var small = new HpackDecoder(256, 16 << 10);
    assertThat(decoded(small, block("2082"))).isEqualTo(GET);
    small.settingsAcknowledged();
    assertThat(decoded(small, block("82"))).isEqualTo(GET);
  }

  @Test
  void aLargerTableMayBeUsed() throws HpackException {
    var large = new HpackDecoder(8_192, 16 << 10);
    assertThat(decoded(large, block("3fe13f82"))).isEqualTo(GET);
  }

  @Test
  void theEncoderSaysNothingWhileTheSizeStays() {
    encoder.peerTableBytesMax(4_096);
    encoder.peerTableBytesMax(1 << 20); // more than we care to use
    encoder.peerTableBytesMax(-1); // 2^32-1
    assertThat(hex(encoder, GET)).isEqualTo("82");
  }

  @Test
  void theEncoderAnnouncesASmallerTableOnce() {
    assertThat(hex(encoder, CUSTOM)).isEqualTo(CUSTOM_LITERAL);
    encoder.peerTableBytesMax(0);
    assertThat(hex(encoder, CUSTOM)).startsWith("2000");
    assertThat(hex(encoder, CUSTOM)).startsWith("00");
  }

  /// RFC 7541 §4.2: lowered and raised between two blocks, both sizes are announced.
  @Test
  void theEncoderAnnouncesTheLowestSizeAndTheLast() {
    assertThat(hex(encoder, CUSTOM)).isEqualTo(CUSTOM_LITERAL);
    encoder.peerTableBytesMax(10);
    encoder.peerTableBytesMax(0);
    encoder.peerTableBytesMax(4_096);
    assertThat(hex(encoder, CUSTOM)).isEqualTo("203fe11f" + CUSTOM_LITERAL);
    assertThat(hex(encoder, CUSTOM)).isEqualTo("be");
  }

  @Test
  void aConstantSectionIsEncodedAnewAfterTheTableChanged() {
    var constant = Blocks.constant("custom-key", "custom-value");
    assertThat(hex(encoder, constant)).isEqualTo(CUSTOM_LITERAL);
    assertThat(hex(encoder, constant)).isEqualTo("be");
    assertThat(hex(encoder, constant)).isEqualTo("be");
    encoder.peerTableBytesMax(0);
    encoder.peerTableBytesMax(4_096);
    assertThat(hex(encoder, constant)).isEqualTo("203fe11f" + CUSTOM_LITERAL);
    assertThat(hex(encoder, constant)).isEqualTo("be");
  }

  @Test
  void anEncoderThatSpendsLessSaysSoFirst() {
    assertThat(hex(new HpackEncoder(1_024), GET)).isEqualTo("3fe10782");
  }

  @Test
  void anEncoderThatMaySpendMoreWaitsForThePeer() {
    var large = new HpackEncoder(8_192);
    assertThat(hex(large, GET)).isEqualTo("82");
    large.peerTableBytesMax(1 << 20);
    assertThat(hex(large, GET)).isEqualTo("3fe13f82");
  }
}
