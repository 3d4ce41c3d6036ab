package dev.weftline.internal.http2;

import static dev.weftline.internal.http2.FrameType.ACK;
import static dev.weftline.internal.http2.FrameType.CONTINUATION;
import static dev.weftline.internal.http2.FrameType.DATA;
import static dev.weftline.internal.http2.FrameType.END_HEADERS;
import static dev.weftline.internal.http2.FrameType.END_STREAM;
import static dev.weftline.internal.http2.FrameType.GOAWAY;
import static dev.weftline.internal.http2.FrameType.HEADERS;
import static dev.weftline.internal.http2.FrameType.HEADER_BYTES;
import static dev.weftline.internal.http2.FrameType.PING;
import static dev.weftline.internal.http2.FrameType.RST_STREAM;
import static dev.weftline.internal.http2.FrameType.SETTINGS;
import static dev.weftline.internal.http2.FrameType.WINDOW_UPDATE;

import dev.weftline.internal.hpack.HpackEncoder;
import dev.weftline.internal.http.Fields;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import io.netty.buffer.Unpooled;
import io.netty.channel.ChannelFutureListener;
import io.netty.channel.ChannelHandlerContext;
import org.jspecify.annotations.Nullable;

/// Calls → bytes; nothing else writes to the channel. Frames gather in one buffer, which goes to
/// the socket with one flush per batch. Confined to the loop.
///
/// Hot: nothing is allocated per frame; the buffer is taken when the first frame is written and
/// given to the channel whole.
final class FrameWriter {
  /// Once so much has gathered the buffer is handed to the channel, so that its writability tells
  /// when a peer does not read.
  private static final int BATCH_BYTES_MAX = 64 << 10;

  /// The same while memory is tight.
  private static final int BATCH_BYTES_TIGHT = 8 << 10;

  private static final int BATCH_BYTES_MIN = 512;

  private static final System.Logger LOG = System.getLogger(FrameWriter.class.getName());

  private final ChannelHandlerContext ctx;
  private final HpackEncoder hpack;
  private final boolean traced = LOG.isLoggable(System.Logger.Level.TRACE);

  private @Nullable ByteBuf batch;
  private int batchBytesGuess = BATCH_BYTES_MIN;
  private int batchBytesMax = BATCH_BYTES_MAX;
  private boolean unflushed;

  /// RFC 9113 §6.5.2: the peer's SETTINGS_MAX_FRAME_SIZE, though never more than one turn of a
  /// stream.
  private int payloadBytesMax = FrameType.PAYLOAD_BYTES_MAX;

  FrameWriter(ChannelHandlerContext ctx, HpackEncoder hpack) {
    this.ctx = ctx;
    this.hpack = hpack;
  }

  int payloadBytesMax() {
    return payloadBytesMax;
  }

  void settings(Settings ours) {
    var initial = Settings.INITIAL;
    int start = begin(6 * Settings.ENTRY_BYTES);
    var out = batch();
    entry(out, Settings.HEADER_TABLE_SIZE, ours.tableBytes(), initial.tableBytes());
    entry(out, Settings.MAX_CONCURRENT_STREAMS, ours.streamsMax(), initial.streamsMax());
    entry(out, Settings.INITIAL_WINDOW_SIZE, ours.windowBytes(), initial.windowBytes());
    entry(out, Settings.MAX_HEADER_LIST_SIZE, ours.fieldBytesMax(), initial.fieldBytesMax());
    end(start, SETTINGS, 0, 0);
  }

  /// A changed SETTINGS_INITIAL_WINDOW_SIZE alone.
  void settingsWindow(int windowBytes) {
    int start = begin(Settings.ENTRY_BYTES);
    entry(batch(), Settings.INITIAL_WINDOW_SIZE, windowBytes, -1);
    end(start, SETTINGS, 0, 0);
  }

  private static void entry(ByteBuf out, int id, int value, int initial) {
    if (value != initial) out.writeShort(id).writeInt(value);
  }

  void settingsAck() {
    end(begin(0), SETTINGS, ACK, 0);
  }

  void ping(long opaque, boolean ack) {
    int start = begin(8);
    batch().writeLong(opaque);
    end(start, PING, ack ? ACK : 0, 0);
  }

  void goAway(int lastStreamId, ErrorCode code, String debug) {
    int start = begin(8 + debug.length());
    batch().writeInt(lastStreamId).writeInt(code.code());
    ByteBufUtil.writeAscii(batch(), debug);
    end(start, GOAWAY, 0, 0);
  }

  void rstStream(int streamId, long code) {
    int start = begin(4);
    batch().writeInt((int) code);
    end(start, RST_STREAM, 0, streamId);
  }

  void windowUpdate(int streamId, int increment) {
    int start = begin(4);
    batch().writeInt(increment);
    end(start, WINDOW_UPDATE, 0, streamId);
  }

  /// One field section: HEADERS, and CONTINUATION where it is longer than the peer's frames (RFC
  /// 9113 §6.10).
  void headers(int streamId, Fields fields, boolean endStream) {
    int start = begin(64);
    var out = batch();
    hpack.encode(fields, out);
    int flags = endStream ? END_STREAM : 0;
    int length = out.writerIndex() - start - HEADER_BYTES;
    if (length <= payloadBytesMax) {
      end(start, HEADERS, flags | END_HEADERS, streamId);
      return;
    }
    byte[] rest = new byte[length - payloadBytesMax];
    out.getBytes(start + HEADER_BYTES + payloadBytesMax, rest);
    out.writerIndex(start + HEADER_BYTES + payloadBytesMax);
    end(start, HEADERS, flags, streamId);
    for (int offset = 0; offset < rest.length; ) {
      int part = Math.min(payloadBytesMax, rest.length - offset);
      int continuation = begin(part);
      batch().writeBytes(rest, offset, part);
      offset += part;
      end(continuation, CONTINUATION, offset == rest.length ? END_HEADERS : 0, streamId);
    }
  }

  /// The frame header of DATA; `dataBytes` of exactly `length` octets follow.
  void data(int streamId, int length, boolean endStream) {
    int start = begin(length);
    var out = batch();
    out.setMedium(start, length);
    out.setByte(start + 3, DATA);
    out.setByte(start + 4, endStream ? END_STREAM : 0);
    out.setInt(start + 5, streamId);
    if (traced) trace(streamId, DATA, length, endStream ? END_STREAM : 0);
  }

  void dataBytes(byte[] bytes, int offset, int length) {
    batch().writeBytes(bytes, offset, length);
  }

  /// Hands a full batch to the channel, unflushed. Called between turns, never within a frame.
  void endTurn() {
    if (batch != null && batch.readableBytes() >= batchBytesMax) passOn();
  }

  /// Whether something was written since the last `flush`.
  boolean isUnflushed() {
    return batch != null || unflushed;
  }

  /// Everything written so far goes to the socket. While the peer does not read, what little is
  /// still written gathers here: each batch of its own would cost a whole buffer. The channel's
  /// becoming writable flushes it.
  void flush() {
    if (batch != null && (unflushed || ctx.channel().isWritable())) passOn();
    if (!unflushed) return;
    unflushed = false;
    ctx.flush();
  }

  /// Everything goes to the socket, and then `last` is told: the last that is written.
  void flushThen(ChannelFutureListener last) {
    var rest = batch != null ? batch : Unpooled.EMPTY_BUFFER;
    batch = null;
    unflushed = false;
    ctx.writeAndFlush(rest).addListener(last);
  }

  /// Whether memory is tight: less gathers before the channel has it.
  void tight(boolean tight) {
    batchBytesMax = tight ? BATCH_BYTES_TIGHT : BATCH_BYTES_MAX;
  }

  /// Octets that the channel does not have yet.
  int batchBytes() {
    return batch == null ? 0 : batch.readableBytes();
  }

  /// The peer's settings bear on what is written from now on.
  void peerSettings(Settings peer) {
    payloadBytesMax = Math.min(peer.frameBytesMax(), FrameType.PAYLOAD_BYTES_MAX);
    hpack.peerTableBytesMax(peer.tableBytes());
  }

  void close() {
    if (batch != null) batch.release();
    batch = null;
  }

  private void passOn() {
    var full = batch();
    batch = null;
    batchBytesGuess =
        Math.clamp(full.readableBytes() * 5L / 4, BATCH_BYTES_MIN, BATCH_BYTES_MAX + (32 << 10));
    unflushed = true;
    ctx.write(full, ctx.voidPromise());
  }

  private ByteBuf batch() {
    var current = batch;
    if (current == null) throw new IllegalStateException("no frame was begun");
    return current;
  }

  /// Leaves room for the frame header and makes sure of `payload` octets more.
  private int begin(int payload) {
    var out = batch;
    if (out == null) {
      out = ctx.alloc().directBuffer(Math.max(batchBytesGuess, HEADER_BYTES + payload));
      batch = out;
    }
    int start = out.writerIndex();
    out.ensureWritable(HEADER_BYTES + payload);
    out.writerIndex(start + HEADER_BYTES);
    return start;
  }

  private void end(int start, int type, int flags, int streamId) {
    var out = batch();
    int length = out.writerIndex() - start - HEADER_BYTES;
    out.setMedium(start, length);
    out.setByte(start + 3, type);
    out.setByte(start + 4, flags);
    out.setInt(start + 5, streamId);
    if (traced) trace(streamId, type, length, flags);
  }

  private static void trace(int streamId, int type, int length, int flags) {
    LOG.log(System.Logger.Level.TRACE, FrameLog.sent(streamId, type, length, flags));
  }
}
