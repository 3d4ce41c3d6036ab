package dev.weftline.internal.hpack;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;

/// The Huffman code of RFC 7541 Appendix B. It is canonical: codes of one length count upwards with
/// their symbols, and a longer code starts where the shorter ones ended; so the lengths say it all.
///
/// Hot: runs over each literal that is not recognised. Codes of up to 8 bits, which is all of
/// letters, digits and `/.-_:%`, take one look into a table of 512 bytes; the others are found by
/// their length.
final class Huffman {
  private static final int EOS = 256;
  private static final int SHORT_BITS = 8;
  private static final int LONGEST_BITS = 30;

  /// The length of each symbol's code, 16 symbols to a line and EOS on the last: one digit of base
  /// 36 for each.
  private static final byte[] LENGTHS =
      lengths(
          """
          dnsssssssoussuss
          ssssssusssssssss
          6aacd68baa8b8666
          555666666678f6ca
          d677777777777777
          77777777878djde6
          f565656665776665
          67655677777fbeds
          kmkkmmmnmnnnnnon
          oomnonnnnlmnmnno
          mlkmmnnlnmmolmnn
          llmlnmnnkmmmnmmn
          qqkjmnmpqqqrrqop
          jlqrrqrollqqsrrr
          koklmllnmmppooqn
          qrqqrrrrrsrrrrrq
          u
          """);

  private static final int[] CODES = new int[LENGTHS.length];

  /// For the next 8 bits: length << 8 | symbol, or 0 when the code is longer.
  private static final short[] SHORT_CODES = new short[1 << SHORT_BITS];

  /// The symbols in the order of their codes, and where each length starts in it and in the codes.
  private static final short[] BY_CODE = new short[LENGTHS.length];

  private static final int[] FIRST_CODE = new int[LONGEST_BITS + 1];
  private static final int[] FIRST_AT = new int[LONGEST_BITS + 2];

  private static final VarHandle INT =
      MethodHandles.byteArrayViewVarHandle(int[].class, ByteOrder.BIG_ENDIAN);

  static {
    int code = 0;
    int at = 0;
    for (int length = 1; length <= LONGEST_BITS; length++) {
      code <<= 1;
      FIRST_CODE[length] = code;
      FIRST_AT[length] = at;
      for (int symbol = 0; symbol < LENGTHS.length; symbol++) {
        if (LENGTHS[symbol] != length) continue;
        CODES[symbol] = code;
        BY_CODE[at++] = (short) symbol;
        if (length <= SHORT_BITS) {
          int from = code << SHORT_BITS - length;
          for (int i = 0; i < 1 << SHORT_BITS - length; i++) {
            SHORT_CODES[from + i] = (short) (length << 8 | symbol);
          }
        }
        code++;
      }
    }
    FIRST_AT[LONGEST_BITS + 1] = at;
  }

  private Huffman() {}

  private static byte[] lengths(String digits) {
    var lengths = new byte[EOS + 1];
    int symbol = 0;
    for (int i = 0; i < digits.length(); i++) {
      char digit = digits.charAt(i);
      if (digit != '\n') lengths[symbol++] = (byte) Character.digit(digit, 36);
    }
    return lengths;
  }

  /// How many octets `bytes` octets can become at most: no code is shorter than 5 bits.
  static int decodedBytesMax(int bytes) {
    return (int) Math.min(bytes * 8L / 5, Integer.MAX_VALUE);
  }

  /// Decodes `in[from..to)` to `out[at..)` and returns where that ends. `out` must have room for
  /// [#decodedBytesMax].
  static int decode(byte[] in, int from, int to, byte[] out, int at) throws HpackException {
    long window = 0; // the bits not yet decoded, leftmost first
    int bits = 0; // how many of them there are
    int next = from;
    for (; ; ) {
      if (bits <= 32 && to - next >= 4) {
        window |= ((int) INT.get(in, next) & 0xffff_ffffL) << 32 - bits;
        next += 4;
        bits += 32;
      } else {
        while (bits <= 56 && next < to) {
          window |= (in[next++] & 0xffL) << 56 - bits;
          bits += 8;
        }
      }
      if (bits < SHORT_BITS) break;
      do {
        int found = SHORT_CODES[(int) (window >>> 56)];
        int length = found >> 8;
        if (found == 0) {
          length = longCodeLength((int) (window >>> 32));
          if (length > bits) {
            if (next < to) break;
            // RFC 7541 §5.2: padding is the start of EOS and shorter than 8 bits.
            throw new HpackException("RFC 7541 5.2: Huffman code cut off");
          }
          found = BY_CODE[rank((int) (window >>> 32), length)];
          if (found == EOS) throw new HpackException("RFC 7541 5.2: EOS in a Huffman string");
        }
        out[at++] = (byte) found;
        window <<= length;
        bits -= length;
      } while (bits >= SHORT_BITS);
    }
    // Fewer than 8 bits are left: one more short code perhaps, then padding.
    while (bits > 0) {
      int found = SHORT_CODES[(int) (window >>> 56)];
      int length = found >> 8;
      if (found == 0 || length > bits) {
        // RFC 7541 §5.2: padding is the most significant bits of EOS, all ones.
        if (window >>> 64 - bits == (1L << bits) - 1) break;
        throw new HpackException("RFC 7541 5.2: Huffman padding is not all ones");
      }
      out[at++] = (byte) found;
      window <<= length;
      bits -= length;
    }
    return at;
  }

  private static int longCodeLength(int window) {
    int length = SHORT_BITS + 1;
    while (length < LONGEST_BITS && rank(window, length) >= FIRST_AT[length + 1]) length++;
    return length;
  }

  /// Where the code of this length at the start of `window` stands in [#BY_CODE]; past the end of
  /// that length when the code is longer.
  private static int rank(int window, int length) {
    return FIRST_AT[length] + (window >>> 32 - length) - FIRST_CODE[length];
  }

  /// How many octets [#encode] writes.
  static int encodedBytes(byte[] in) {
    long bits = 0;
    for (byte octet : in) bits += LENGTHS[octet & 0xff];
    return (int) (bits + 7 >>> 3);
  }

  /// Encodes `in` to `out[at..)` and returns where that ends.
  static int encode(byte[] in, byte[] out, int at) {
    long window = 0; // the bits not yet written, rightmost last
    int bits = 0;
    for (byte octet : in) {
      int symbol = octet & 0xff;
      int length = LENGTHS[symbol];
      window = window << length | CODES[symbol];
      bits += length;
      if (bits >= 32) {
        bits -= 32;
        INT.set(out, at, (int) (window >>> bits));
        at += 4;
      }
    }
    while (bits >= 8) {
      bits -= 8;
      out[at++] = (byte) (window >>> bits);
    }
    // RFC 7541 §5.2: the rest of the last octet is the start of EOS.
    if (bits > 0) out[at++] = (byte) (window << 8 - bits | 0xff >>> bits);
    return at;
  }
}
