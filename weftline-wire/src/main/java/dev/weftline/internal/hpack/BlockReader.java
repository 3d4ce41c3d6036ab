package dev.weftline.internal.hpack;

import dev.weftline.internal.http.Field;
import io.netty.buffer.ByteBuf;
import io.netty.util.concurrent.FastThreadLocal;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/// Reads the integers and strings of one field block (RFC 7541 §5).
///
/// Hot. One for each loop, not for each connection: a block is decoded in one go, so idle
/// connections need no room for it. What is kept between blocks is bounded by [#KEPT_BYTES_MAX].
final class BlockReader {
  /// Twice the largest field section we usually allow; larger blocks get arrays of their own.
  private static final int KEPT_BYTES_MAX = 32 << 10;

  private static final byte[] NONE = {};
  private static final FastThreadLocal<BlockReader> OF_THIS_LOOP =
      new FastThreadLocal<>() {
        @Override
        protected BlockReader initialValue() {
          return new BlockReader();
        }
      };

  private byte[] copy = new byte[1 << 10];
  private byte[] text = new byte[2 << 10];
  private byte[] octets = NONE;
  private int at;
  private int end;
  private int nameBytes;
  private int textBytes;

  private BlockReader() {}

  /// Reads all readable bytes of `block`, which stays the caller's. [#close] must follow.
  static BlockReader of(ByteBuf block) {
    var reader = OF_THIS_LOOP.get();
    int length = block.readableBytes();
    if (block.hasArray()) {
      reader.octets = block.array();
      reader.at = block.arrayOffset() + block.readerIndex();
      block.skipBytes(length);
    } else {
      if (length > reader.copy.length) reader.copy = new byte[length];
      block.readBytes(reader.copy, 0, length);
      reader.octets = reader.copy;
      reader.at = 0;
    }
    reader.end = reader.at + length;
    return reader;
  }

  void close() {
    octets = NONE;
    if (copy.length > KEPT_BYTES_MAX) copy = NONE;
    if (text.length > KEPT_BYTES_MAX) text = NONE;
  }

  boolean atEnd() {
    return at == end;
  }

  int position() {
    return at;
  }

  /// Back to an earlier [#position].
  void rewind(int position) {
    at = position;
  }

  byte[] octets() {
    return octets;
  }

  /// Whether a dynamic table size update comes next (RFC 7541 §6.3).
  boolean atSizeUpdate() {
    return at < end && (octets[at] & 0xe0) == 0x20;
  }

  int octet() throws HpackException {
    if (at == end) throw new HpackException("RFC 7541 6: field block cut off");
    return octets[at++] & 0xff;
  }

  /// The integer whose first octet is `first` and whose prefix has the bits of `mask` (RFC 7541
  /// §5.1).
  int integer(int first, int mask) throws HpackException {
    int prefix = first & mask;
    return prefix < mask ? prefix : mask + integerRest(mask);
  }

  private int integerRest(int mask) throws HpackException {
    long rest = 0;
    for (int shift = 0; shift < 35; shift += 7) {
      int octet = octet();
      rest |= (octet & 0x7fL) << shift;
      if (octet < 0x80) {
        if (rest > Integer.MAX_VALUE - mask) break;
        return (int) rest;
      }
    }
    // RFC 7541 §5.1: past a limit, in value or in octets, an integer is an error.
    throw new HpackException("RFC 7541 5.1: integer over 2^31-1 or over 6 octets");
  }

  void skipString() throws HpackException {
    int length = stringBytes(octet()); // moves `at`
    at += length;
  }

  /// Reads a literal, which is its name unless that is known by its index, and its value; returns
  /// its size without the name that was known.
  int literal(boolean withName) throws HpackException {
    textBytes = 0;
    if (withName) string();
    nameBytes = textBytes;
    string();
    return textBytes;
  }

  /// The literal just read, as a field; `named` has its name when that was known by its index.
  Field field(@Nullable Field named) {
    if (named == null) named = KnownNames.find(text, nameBytes);
    var value = new String(text, nameBytes, textBytes - nameBytes, StandardCharsets.ISO_8859_1);
    if (named != null) return named.withValue(value);
    return Field.of(new String(text, 0, nameBytes, StandardCharsets.ISO_8859_1), value);
  }

  /// RFC 7541 §5.2.
  private void string() throws HpackException {
    int first = octet();
    int length = stringBytes(first);
    if ((first & 0x80) != 0) {
      reserve(Huffman.decodedBytesMax(length));
      textBytes = Huffman.decode(octets, at, at + length, text, textBytes);
    } else {
      reserve(length);
      System.arraycopy(octets, at, text, textBytes, length);
      textBytes += length;
    }
    at += length;
  }

  private int stringBytes(int first) throws HpackException {
    int length = integer(first, 0x7f);
    if (length > end - at) throw new HpackException("RFC 7541 5.2: string past the field block");
    return length;
  }

  private void reserve(int bytes) {
    int needed = textBytes + bytes;
    if (needed > text.length) text = Arrays.copyOf(text, Math.max(needed, text.length * 2));
  }
}
