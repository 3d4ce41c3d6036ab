package dev.weftline.internal.hpack;

import static dev.weftline.internal.hpack.Blocks.block;
import static dev.weftline.internal.hpack.Blocks.decoded;
import static dev.weftline.internal.hpack.Blocks.section;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// What RFC 7541 calls a decoding error, rule by rule.
class MalformedBlocksTest {
  private final HpackDecoder decoder = new HpackDecoder(4_096, 16 << 10);

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          # what                                    | block            | rule
          index 0                                   | 80               | 6.1: index 0
          index past an empty table                 | be               | 2.3.3
          the largest index                         | ff80ffffff07     | 2.3.3
          name index past the table, with indexing  | 7f00 0161        | 2.3.3
          name index past the table, without        | 0f2f 0161        | 2.3.3
          name index past the table, never          | 1f2f 0161        | 2.3.3
          an integer over 2^31-1                    | ffffffffff0f     | 5.1
          an integer just over 2^31-1               | ff81ffffff07     | 5.1
          zeros without end in an integer           | ff808080808000   | 5.1
          an integer without its end                | ff80             | 6: field block cut off
          an integer without its second octet       | ff               | 6: field block cut off
          a literal without its strings             | 40               | 6: field block cut off
          a literal without its value               | 400161           | 6: field block cut off
          an indexed name without its value         | 04               | 6: field block cut off
          a value longer than the block             | 04 05 61         | 5.2: string past
          a name longer than the block              | 00 05 61         | 5.2: string past
          a name with indexing longer than the block| 40 05 61         | 5.2: string past
          a value of 2 GiB                          | 04 7f80ffffff07  | 5.2: string past
          a Huffman value longer than the block     | 04 85 1f         | 5.2: string past
          Huffman padding of zeros                  | 04 81 18         | 5.2: Huffman padding
          Huffman padding with one zero             | 04 81 1e         | 5.2: Huffman padding
          Huffman padding of 8 bits                 | 04 81 ff         | 5.2: Huffman code
          Huffman padding of 11 bits                | 04 82 1fff       | 5.2: Huffman code
          Huffman padding of 29 bits                | 04 84 3fffffff   | 5.2: Huffman code
          a long Huffman code cut off               | 04 83 fffffd     | 5.2: Huffman code
          EOS                                       | 04 84 ffffffff   | 5.2: EOS
          EOS after a symbol                        | 04 85 1fffffffff | 5.2: EOS
          EOS in a name                             | 40 84 ffffffff 00| 5.2: EOS
          a table size update after a field         | 82 20            | 4.2: table size update after
          a table size over the setting             | 3fe21f           | 6.3
          a table size of 2^31-1                    | 3fe0ffffff07     | 6.3
          """)
  void areRefused(String what, String block, String rule) {
    assertThatExceptionOfType(HpackException.class)
        .as(what)
        .isThrownBy(() -> decoded(decoder, block(block)))
        .withMessageStartingWith("RFC 7541 " + rule);
  }

  /// RFC 7541 §5.2: up to 7 bits of ones are padding.
  @Test
  void sevenBitsOfPaddingAreFine() throws HpackException {
    // Five times 5 bits of "0".
    assertThat(decoded(decoder, block("04 84 0000007f"))).isEqualTo(section(":path", "00000"));
  }

  @Test
  void aBlockCutAnywhereInsideAFieldIsRefused() throws HpackException {
    var whole = block("4088 25a8 49e9 5ba9 7d7f 8925 a849 e95b b8e8 b4bf");
    for (int length = 1; length < whole.readableBytes(); length++) {
      var cut = whole.retainedSlice(0, length);
      assertThatExceptionOfType(HpackException.class)
          .as("%d octets", length)
          .isThrownBy(() -> decoded(decoder, cut));
      cut.release();
    }
    assertThat(decoded(decoder, whole)).isEqualTo(section("custom-key", "custom-value"));
  }

  @Test
  void anErrorCarriesNoStackBecauseThePeerCausesIt() {
    assertThatExceptionOfType(HpackException.class)
        .isThrownBy(() -> decoded(decoder, block("80")))
        .satisfies(e -> assertThat(e.getStackTrace()).isEmpty());
  }

  @Test
  void anEmptyBlockIsAnEmptySection() throws HpackException {
    assertThat(decoded(decoder, block("")).size()).isZero();
  }
}
