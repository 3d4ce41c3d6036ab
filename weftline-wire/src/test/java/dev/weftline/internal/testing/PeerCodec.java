package dev.weftline.internal.testing;

import dev.weftline.internal.http.Fields;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.UnpooledByteBufAllocator;
import io.netty.handler.codec.http2.DefaultHttp2Headers;
import io.netty.handler.codec.http2.DefaultHttp2HeadersDecoder;
import io.netty.handler.codec.http2.DefaultHttp2HeadersEncoder;
import io.netty.handler.codec.http2.Http2Exception;
import io.netty.handler.codec.http2.Http2Headers;
import io.netty.handler.codec.http2.Http2HeadersEncoder;
import io.netty.handler.codec.http2.ReadOnlyHttp2Headers;
import io.netty.util.AsciiString;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/// Frames to bytes and back, for one side of one connection. Shares nothing with the engine, and
/// its HPACK is Netty's, so that an error in ours cannot hide in both.
final class PeerCodec {
  static final int DATA = 0;
  static final int HEADERS = 1;
  static final int PRIORITY = 2;
  static final int RST_STREAM = 3;
  static final int SETTINGS = 4;
  static final int PUSH_PROMISE = 5;
  static final int PING = 6;
  static final int GOAWAY = 7;
  static final int WINDOW_UPDATE = 8;
  static final int CONTINUATION = 9;

  static final int FLAG_END_STREAM = 1;
  static final int FLAG_ACK = 1;
  static final int FLAG_END_HEADERS = 4;
  static final int FLAG_PADDED = 8;
  static final int FLAG_PRIORITY = 32;

  /// Short strings go as they are, longer ones Huffman-coded: both are spoken.
  private static final int HUFFMAN_FROM_OCTETS = 12;

  /// Heap buffers of the kit's own, left to the garbage collector.
  private static final UnpooledByteBufAllocator ALLOCATOR =
      new UnpooledByteBufAllocator(false, true);

  private final DefaultHttp2HeadersEncoder encoder =
      new DefaultHttp2HeadersEncoder(
          Http2HeadersEncoder.NEVER_SENSITIVE, true, 16, HUFFMAN_FROM_OCTETS);
  private final OrderedDecoder decoder = new OrderedDecoder();
  private final ByteBuf unread = ALLOCATOR.heapBuffer();
  private int fragmentBytes = 16_384;

  // A field block under way: HEADERS seen, END_HEADERS not yet.
  private final ByteBuf block = ALLOCATOR.heapBuffer();
  private int blockStreamId;
  private boolean blockEndsStream;

  /// Field blocks longer than this are sent in several frames.
  void fragmentBytes(int bytes) {
    fragmentBytes = bytes;
  }

  /// The largest table the engine may use for its field blocks: our SETTINGS_HEADER_TABLE_SIZE.
  void decodingTableBytes(long bytes) {
    try {
      decoder.configuration().maxHeaderTableSize(bytes);
    } catch (Http2Exception e) {
      throw new IllegalArgumentException(e);
    }
  }

  /// The engine's SETTINGS_HEADER_TABLE_SIZE.
  void encodingTableBytes(long bytes) {
    try {
      encoder.configuration().maxHeaderTableSize(bytes);
    } catch (Http2Exception e) {
      throw new IllegalArgumentException(e);
    }
  }

  byte[] encode(Frame... frames) {
    var out = ALLOCATOR.heapBuffer();
    for (var frame : frames) encode(frame, out);
    var bytes = new byte[out.readableBytes()];
    out.readBytes(bytes);
    return bytes;
  }

  /// The field block of a section, as the next one in order.
  String encodeBlock(Fields fields) {
    var flat = new AsciiString[fields.size() * 2];
    for (int i = 0; i < fields.size(); i++) {
      flat[2 * i] = new AsciiString(fields.get(i).nameOctets());
      flat[2 * i + 1] = new AsciiString(fields.get(i).valueOctets());
    }
    var out = ALLOCATOR.heapBuffer();
    try {
      // "Trailers", unvalidated, are just fields in order: nothing is moved, nothing refused.
      encoder.encodeHeaders(1, ReadOnlyHttp2Headers.trailers(false, flat), out);
    } catch (Http2Exception e) {
      throw new IllegalArgumentException(fields.toString(), e);
    }
    return out.toString(StandardCharsets.ISO_8859_1);
  }

  private void encode(Frame frame, ByteBuf out) {
    switch (frame) {
      case Frame.Data data -> encodeData(data, out);
      case Frame.Headers headers -> encodeHeaders(headers, out);
      case Frame.Priority(int id, int dependsOn, int weight) -> {
        header(out, 5, PRIORITY, 0, id);
        out.writeInt(dependsOn).writeByte(weight);
      }
      case Frame.RstStream(int id, long code) -> {
        header(out, 4, RST_STREAM, 0, id);
        out.writeInt((int) code);
      }
      case Frame.Settings(var settings) -> {
        header(out, 6 * settings.size(), SETTINGS, 0, 0);
        for (var setting : settings) out.writeShort(setting.id()).writeInt((int) setting.value());
      }
      case Frame.SettingsAck() -> header(out, 0, SETTINGS, FLAG_ACK, 0);
      case Frame.Ping(long octets, boolean ack) -> {
        header(out, 8, PING, ack ? FLAG_ACK : 0, 0);
        out.writeLong(octets);
      }
      case Frame.GoAway(int last, long code, String debug) -> {
        header(out, 8 + debug.length(), GOAWAY, 0, 0);
        out.writeInt(last).writeInt((int) code);
        octets(out, debug);
      }
      case Frame.WindowUpdate(int id, int increment) -> {
        header(out, 4, WINDOW_UPDATE, 0, id);
        out.writeInt(increment);
      }
      case Frame.Raw(int type, int flags, int id, String payload) -> {
        header(out, payload.length(), type, flags, id);
        octets(out, payload);
      }
    }
  }

  private static void encodeData(Frame.Data data, ByteBuf out) {
    int flags = data.endStream() ? FLAG_END_STREAM : 0;
    if (data.padding() < 0) {
      header(out, data.octets().length(), DATA, flags, data.streamId());
      octets(out, data.octets());
    } else {
      header(out, data.flowBytes(), DATA, flags | FLAG_PADDED, data.streamId());
      out.writeByte(data.padding());
      octets(out, data.octets());
      out.writeZero(data.padding());
    }
  }

  private void encodeHeaders(Frame.Headers headers, ByteBuf out) {
    var fieldBlock = encodeBlock(headers.fields());
    int type = HEADERS;
    int flags = headers.endStream() ? FLAG_END_STREAM : 0;
    int at = 0;
    while (true) {
      int end = Math.min(fieldBlock.length(), at + fragmentBytes);
      if (end == fieldBlock.length()) flags |= FLAG_END_HEADERS;
      header(out, end - at, type, flags, headers.streamId());
      octets(out, fieldBlock.substring(at, end));
      if (end == fieldBlock.length()) return;
      at = end;
      type = CONTINUATION;
      flags = 0;
    }
  }

  private static void header(ByteBuf out, int length, int type, int flags, int streamId) {
    out.writeMedium(length).writeByte(type).writeByte(flags).writeInt(streamId);
  }

  private static void octets(ByteBuf out, String octets) {
    out.writeCharSequence(octets, StandardCharsets.ISO_8859_1);
  }

  /// Reads what the engine wrote; each whole frame goes to `frames`. A field block becomes one
  /// `Headers`, whatever its fragments were.
  void decode(byte[] bytes, Consumer<Frame> frames) {
    unread.discardReadBytes().writeBytes(bytes);
    while (unread.readableBytes() >= 9) {
      int start = unread.readerIndex();
      int length = unread.getUnsignedMedium(start);
      if (unread.readableBytes() < 9 + length) return;
      unread.skipBytes(3);
      int type = unread.readUnsignedByte();
      int flags = unread.readUnsignedByte();
      int streamId = unread.readInt();
      if (streamId < 0) throw new AssertionError("the engine set the reserved bit of a stream id");
      var frame = frame(type, flags, streamId, unread.readSlice(length));
      if (frame != null) frames.accept(frame);
    }
  }

  private @Nullable Frame frame(int type, int flags, int streamId, ByteBuf payload) {
    // RFC 9113 §6.10: nothing may stand inside a field block.
    if (blockStreamId != 0 && (type != CONTINUATION || streamId != blockStreamId)) {
      throw new AssertionError("frame of type " + type + " inside a field block");
    }
    return switch (type) {
      case DATA -> {
        int padding = (flags & FLAG_PADDED) != 0 ? payload.readUnsignedByte() : -1;
        var octets = octets(payload, payload.readableBytes() - Math.max(0, padding));
        yield new Frame.Data(streamId, octets, padding, (flags & FLAG_END_STREAM) != 0);
      }
      case HEADERS -> {
        int padding = (flags & FLAG_PADDED) != 0 ? payload.readUnsignedByte() : 0;
        if ((flags & FLAG_PRIORITY) != 0) payload.skipBytes(5);
        blockStreamId = streamId;
        blockEndsStream = (flags & FLAG_END_STREAM) != 0;
        block.clear().writeBytes(payload, payload.readableBytes() - padding);
        yield endOfFragment((flags & FLAG_END_HEADERS) != 0);
      }
      case CONTINUATION -> {
        if (blockStreamId == 0) throw new AssertionError("CONTINUATION outside a field block");
        block.writeBytes(payload);
        yield endOfFragment((flags & FLAG_END_HEADERS) != 0);
      }
      case PRIORITY -> new Frame.Priority(streamId, payload.readInt(), payload.readUnsignedByte());
      case RST_STREAM -> new Frame.RstStream(streamId, payload.readUnsignedInt());
      case SETTINGS -> {
        if ((flags & FLAG_ACK) != 0) yield new Frame.SettingsAck();
        var settings = new ArrayList<Frame.Setting>();
        while (payload.isReadable()) {
          settings.add(new Frame.Setting(payload.readUnsignedShort(), payload.readUnsignedInt()));
        }
        yield new Frame.Settings(List.copyOf(settings));
      }
      case PING -> new Frame.Ping(payload.readLong(), (flags & FLAG_ACK) != 0);
      case GOAWAY -> {
        int last = payload.readInt();
        long code = payload.readUnsignedInt();
        yield new Frame.GoAway(last, code, octets(payload, payload.readableBytes()));
      }
      case WINDOW_UPDATE -> new Frame.WindowUpdate(streamId, payload.readInt());
      default -> new Frame.Raw(type, flags, streamId, octets(payload, payload.readableBytes()));
    };
  }

  private static String octets(ByteBuf payload, int length) {
    return payload.readCharSequence(length, StandardCharsets.ISO_8859_1).toString();
  }

  private @Nullable Frame endOfFragment(boolean last) {
    if (!last) return null;
    var fields = decoder.decode(blockStreamId, block);
    var frame = new Frame.Headers(blockStreamId, fields, blockEndsStream);
    blockStreamId = 0;
    return frame;
  }

  /// Netty's decoder, keeping the order in which the fields stood.
  private static final class OrderedDecoder extends DefaultHttp2HeadersDecoder {
    private Fields decoded = new Fields(0);

    OrderedDecoder() {
      super(false, 1 << 20);
    }

    Fields decode(int streamId, ByteBuf block) {
      decoded = new Fields(8);
      try {
        decodeHeaders(streamId, block);
      } catch (Http2Exception e) {
        throw new AssertionError("the engine sent a field block that does not decode", e);
      }
      return decoded;
    }

    @Override
    protected Http2Headers newHeaders() {
      return new DefaultHttp2Headers(false) {
        @Override
        public Http2Headers add(CharSequence name, CharSequence value) {
          decoded.add(name.toString(), value.toString());
          return this;
        }
      };
    }
  }
}
