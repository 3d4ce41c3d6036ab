package dev.weftline.internal.hpack;

import io.netty.buffer.ByteBuf;
import io.netty.util.concurrent.FastThreadLocal;
import java.util.Arrays;

/// Writes the integers and strings of one field block (RFC 7541 §5) to an array, which goes to the
/// buffer at once.
///
/// Hot. One for each loop, not for each connection: a block is encoded in one go. What is kept
/// between blocks is bounded by [#KEPT_BYTES_MAX].
final class BlockWriter {
  private static final int KEPT_BYTES_MAX = 32 << 10;

  /// RFC 7541 §5.1: the prefix and five octets of 7 bits hold any int.
  private static final int INTEGER_BYTES_MAX = 6;

  private static final FastThreadLocal<BlockWriter> OF_THIS_LOOP =
      new FastThreadLocal<>() {
        @Override
        protected BlockWriter initialValue() {
          return new BlockWriter();
        }
      };

  private byte[] octets = new byte[1 << 10];
  private int at;

  private BlockWriter() {}

  static BlockWriter ofThisLoop() {
    var writer = OF_THIS_LOOP.get();
    writer.at = 0;
    if (writer.octets.length > KEPT_BYTES_MAX) writer.octets = new byte[1 << 10];
    return writer;
  }

  void writeTo(ByteBuf out) {
    out.writeBytes(octets, 0, at);
  }

  byte[] copyFrom(int position) {
    return Arrays.copyOfRange(octets, position, at);
  }

  int position() {
    return at;
  }

  /// `pattern` is what stands above the prefix, `mask` has the bits of the prefix (RFC 7541 §5.1).
  void integer(int pattern, int mask, int value) {
    reserve(INTEGER_BYTES_MAX);
    if (value < mask) {
      octets[at++] = (byte) (pattern | value);
      return;
    }
    octets[at++] = (byte) (pattern | mask);
    int rest = value - mask;
    while (rest >= 0x80) {
      octets[at++] = (byte) (rest | 0x80);
      rest >>>= 7;
    }
    octets[at++] = (byte) rest;
  }

  /// RFC 7541 §5.2: Huffman-coded when that is shorter.
  void string(byte[] string) {
    int coded = Huffman.encodedBytes(string);
    if (coded < string.length) {
      integer(0x80, 0x7f, coded);
      reserve(coded);
      at = Huffman.encode(string, octets, at);
    } else {
      integer(0, 0x7f, string.length);
      reserve(string.length);
      System.arraycopy(string, 0, octets, at, string.length);
      at += string.length;
    }
  }

  private void reserve(int bytes) {
    int needed = at + bytes;
    if (needed > octets.length) octets = Arrays.copyOf(octets, Math.max(needed, at * 2));
  }
}
