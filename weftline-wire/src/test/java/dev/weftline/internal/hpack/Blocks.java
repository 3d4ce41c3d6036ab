package dev.weftline.internal.hpack;

import dev.weftline.internal.http.Field;
import dev.weftline.internal.http.Fields;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import io.netty.buffer.Unpooled;
import java.util.HexFormat;

/// Field blocks and field sections as tests write them.
final class Blocks {
  private Blocks() {}

  static ByteBuf block(String hex) {
    return Unpooled.wrappedBuffer(HexFormat.of().parseHex(hex.replace(" ", "")));
  }

  static Fields section(String... namesAndValues) {
    var fields = new Fields(namesAndValues.length / 2);
    for (int i = 0; i < namesAndValues.length; i += 2) {
      fields.add(namesAndValues[i], namesAndValues[i + 1]);
    }
    return fields;
  }

  static Fields constant(String... namesAndValues) {
    var section = section(namesAndValues);
    var fields = new Field[section.size()];
    for (int i = 0; i < fields.length; i++) fields[i] = section.get(i);
    return Fields.constant(fields);
  }

  /// As RFC 9113 §6.5.2 counts it.
  static int sizeOf(Fields fields) {
    int size = 0;
    for (int i = 0; i < fields.size(); i++) size += fields.get(i).size();
    return size;
  }

  static ByteBuf encoded(HpackEncoder encoder, Fields fields) {
    var out = Unpooled.buffer();
    encoder.encode(fields, out);
    return out;
  }

  static String hex(HpackEncoder encoder, Fields fields) {
    return ByteBufUtil.hexDump(encoded(encoder, fields));
  }

  static Fields decoded(HpackDecoder decoder, ByteBuf block) throws HpackException {
    var fields = new Fields(8);
    decoder.decode(block, fields);
    return fields;
  }
}
