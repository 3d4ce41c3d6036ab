package dev.weftline.internal.http2;

import static dev.weftline.internal.http2.ErrorCode.ENHANCE_YOUR_CALM;
import static dev.weftline.internal.http2.ErrorCode.FRAME_SIZE_ERROR;
import static dev.weftline.internal.http2.ErrorCode.PROTOCOL_ERROR;
import static dev.weftline.internal.http2.FrameType.CONTINUATION;
import static dev.weftline.internal.http2.FrameType.DATA;
import static dev.weftline.internal.http2.FrameType.END_HEADERS;
import static dev.weftline.internal.http2.FrameType.END_STREAM;
import static dev.weftline.internal.http2.FrameType.GOAWAY;
import static dev.weftline.internal.http2.FrameType.HEADERS;
import static dev.weftline.internal.http2.FrameType.HEADER_BYTES;
import static dev.weftline.internal.http2.FrameType.PADDED;
import static dev.weftline.internal.http2.FrameType.PAYLOAD_BYTES_MAX;
import static dev.weftline.internal.http2.FrameType.PING;
import static dev.weftline.internal.http2.FrameType.PRIORITY;
import static dev.weftline.internal.http2.FrameType.PRIORITY_FLAG;
import static dev.weftline.internal.http2.FrameType.PUSH_PROMISE;
import static dev.weftline.internal.http2.FrameType.RST_STREAM;
import static dev.weftline.internal.http2.FrameType.SETTINGS;
import static dev.weftline.internal.http2.FrameType.WINDOW_UPDATE;

import dev.weftline.internal.http2.Http2Exception.ConnectionError;
import dev.weftline.internal.http2.Http2Exception.StreamError;
import io.netty.buffer.ByteBuf;
import org.jspecify.annotations.Nullable;

/// Bytes → calls on [Visitor]; every length and stream-id rule of RFC 9113 §6. Knows no streams.
/// Confined to the loop.
///
/// Hot: frames are read in place from the buffer that the socket filled. A DATA frame is handed on
/// as far as it has arrived; of any other frame whose end is missing, the part that is there is
/// kept, at most one frame.
final class FrameReader {
  /// What a frame says. A frame is a call, so that there is nothing to allocate.
  interface Visitor {
    /// A DATA frame begins: `length` octets count for flow control (RFC 9113 §6.1), `payload` of
    /// them are not padding. Answers whether the payload is wanted; otherwise it is skipped.
    boolean beginData(int streamId, int length, int payload, boolean endStream)
        throws Http2Exception;

    /// The next `length` octets of that frame's payload: reads exactly so many of `in`.
    void data(ByteBuf in, int length) throws Http2Exception;

    /// The frame is over. Not called when the payload was not wanted.
    void endData(boolean endStream) throws Http2Exception;

    /// A whole field block, with its CONTINUATION frames: all that `block` holds, which is not
    /// kept.
    void headers(int streamId, ByteBuf block, boolean endStream) throws Http2Exception;

    void rstStream(int streamId, long code) throws Http2Exception;

    /// The `length` octets of a SETTINGS payload, whole entries (RFC 9113 §6.5.1).
    void settings(ByteBuf payload, int length) throws Http2Exception;

    void settingsAck() throws Http2Exception;

    void ping(long opaque, boolean ack) throws Http2Exception;

    void goAway(int lastStreamId, long code) throws Http2Exception;

    /// An increment of 0 comes through: what it ends depends on the stream (RFC 9113 §6.9).
    void windowUpdate(int streamId, int increment) throws Http2Exception;

    /// PRIORITY (deprecated, RFC 9113 §5.3.2) or a frame of unknown type (§4.1): without effect.
    void ignored(int type) throws Http2Exception;
  }

  /// Frames that one field block may be cut into, beyond one for each KiB: a CONTINUATION flood
  /// (CVE-2024-27316) sends many small ones, every known client fills them.
  private static final int CONTINUATIONS_MAX = 8;

  private static final System.Logger LOG = System.getLogger(FrameReader.class.getName());

  private final int blockBytesMax;
  private final boolean traced = LOG.isLoggable(System.Logger.Level.TRACE);

  private @Nullable ByteBuf partial; // the start of a frame whose rest has not arrived

  private @Nullable ByteBuf block; // field block under way, until END_HEADERS
  private int blockStreamId;
  private boolean blockEndStream;
  private int continuations;

  private int payloadLeft; // of the DATA frame under way
  private int paddingLeft;
  private boolean dataWanted;
  private boolean dataEndStream;

  /// `blockBytesMax`: how long a field block may be, encoded.
  FrameReader(int blockBytesMax) {
    this.blockBytesMax = blockBytesMax;
  }

  /// Reads one frame, or as much of a DATA frame as is there. False when more bytes are needed;
  /// `in` is then empty.
  ///
  /// After a [StreamError] the reader stands behind the frame that caused it and goes on; after a
  /// [ConnectionError] it must not be called again.
  boolean next(ByteBuf in, Visitor visitor) throws Http2Exception {
    if (payloadLeft + paddingLeft > 0) return continueData(in, visitor);
    if (partial != null) return completePartial(partial, in, visitor);
    int readable = in.readableBytes();
    if (readable < HEADER_BYTES) {
      keep(in, HEADER_BYTES);
      return false;
    }
    int start = in.readerIndex();
    int needed = bytesNeeded(in, start);
    if (readable < needed) {
      keep(in, needed);
      return false;
    }
    dispatch(in, visitor);
    return true;
  }

  /// Releases what is kept; the connection is over.
  void close() {
    if (partial != null) partial.release();
    if (block != null) block.release();
    partial = null;
    block = null;
    payloadLeft = 0;
    paddingLeft = 0;
  }

  /// How many bytes must be there before the frame that starts at `start` can be looked at.
  private int bytesNeeded(ByteBuf in, int start) throws Http2Exception {
    int length = in.getUnsignedMedium(start);
    // RFC 9113 §4.2: longer than we announced. A connection error, since what follows cannot be
    // told from its payload.
    if (length > PAYLOAD_BYTES_MAX) {
      throw new ConnectionError(FRAME_SIZE_ERROR, "RFC 9113 4.2: frame of " + length + " octets");
    }
    if (in.getByte(start + 3) != DATA) return HEADER_BYTES + length;
    boolean padLength = (in.getByte(start + 4) & PADDED) != 0 && length > 0;
    return padLength ? HEADER_BYTES + 1 : HEADER_BYTES;
  }

  private void keep(ByteBuf in, int needed) {
    if (!in.isReadable()) return;
    partial = in.alloc().buffer(needed).writeBytes(in);
  }

  private boolean completePartial(ByteBuf kept, ByteBuf in, Visitor visitor) throws Http2Exception {
    if (!fill(kept, in, HEADER_BYTES)) return false;
    if (!fill(kept, in, bytesNeeded(kept, kept.readerIndex()))) return false;
    partial = null;
    try {
      dispatch(kept, visitor);
    } finally {
      kept.release();
    }
    return true;
  }

  private static boolean fill(ByteBuf kept, ByteBuf in, int needed) {
    int missing = needed - kept.readableBytes();
    if (missing > 0) kept.writeBytes(in, Math.min(missing, in.readableBytes()));
    return kept.readableBytes() >= needed;
  }

  /// One frame whose `bytesNeeded` are there. Leaves `in` behind it, whatever is thrown.
  private void dispatch(ByteBuf in, Visitor visitor) throws Http2Exception {
    int length = in.readUnsignedMedium();
    int type = in.readUnsignedByte();
    int flags = in.readUnsignedByte();
    int streamId = in.readInt() & Integer.MAX_VALUE; // RFC 9113 §4.1: the reserved bit is ignored
    if (traced) {
      LOG.log(System.Logger.Level.TRACE, FrameLog.received(streamId, type, length, flags));
    }
    // RFC 9113 §6.10: nothing may come between HEADERS and its CONTINUATION frames.
    if (block != null && (type != CONTINUATION || streamId != blockStreamId)) {
      throw new ConnectionError(PROTOCOL_ERROR, "RFC 9113 6.10: a field block was interrupted");
    }
    if (type == DATA) {
      beginData(streamId, length, flags, in, visitor);
      return;
    }
    int end = in.readerIndex() + length;
    int writerIndex = in.writerIndex();
    in.writerIndex(end); // the rules below see this frame only
    try {
      switch (type) {
        case HEADERS -> headers(streamId, flags, in, visitor);
        case PRIORITY -> priority(streamId, length, visitor);
        case RST_STREAM -> rstStream(streamId, length, in, visitor);
        case SETTINGS -> settings(streamId, length, flags, in, visitor);
        // RFC 9113 §8.4: a client cannot push.
        case PUSH_PROMISE ->
            throw new ConnectionError(PROTOCOL_ERROR, "RFC 9113 8.4: PUSH_PROMISE from a client");
        case PING -> ping(streamId, length, flags, in, visitor);
        case GOAWAY -> goAway(streamId, length, in, visitor);
        case WINDOW_UPDATE -> windowUpdate(streamId, length, in, visitor);
        case CONTINUATION -> continuation(streamId, flags, in, visitor);
        // RFC 9113 §4.1: frames of unknown type are ignored and discarded.
        default -> visitor.ignored(type);
      }
    } finally {
      in.setIndex(end, writerIndex);
    }
  }

  /// RFC 9113 §6.1.
  private void beginData(int streamId, int length, int flags, ByteBuf in, Visitor visitor)
      throws Http2Exception {
    int padding = 0;
    int payload = length;
    if ((flags & PADDED) != 0) {
      if (length == 0) {
        throw new ConnectionError(FRAME_SIZE_ERROR, "RFC 9113 6.1: PADDED without Pad Length");
      }
      padding = in.readUnsignedByte();
      payload = length - 1 - padding;
      if (payload < 0) {
        throw new ConnectionError(PROTOCOL_ERROR, "RFC 9113 6.1: more padding than payload");
      }
    }
    if (streamId == 0) {
      throw new ConnectionError(PROTOCOL_ERROR, "RFC 9113 6.1: DATA on stream 0");
    }
    payloadLeft = payload;
    paddingLeft = padding;
    dataEndStream = (flags & END_STREAM) != 0;
    dataWanted = false; // stays so when the visitor refuses the frame
    dataWanted = visitor.beginData(streamId, length, payload, dataEndStream);
    if (payload + padding == 0 && dataWanted) visitor.endData(dataEndStream);
  }

  private boolean continueData(ByteBuf in, Visitor visitor) throws Http2Exception {
    int readable = in.readableBytes();
    if (readable == 0) return false;
    int bytes = Math.min(payloadLeft, readable);
    payloadLeft -= bytes;
    int padding = Math.min(paddingLeft, readable - bytes);
    paddingLeft -= padding;
    int end = in.readerIndex() + bytes + padding;
    try {
      if (dataWanted) {
        dataWanted = false; // stays so when the visitor refuses
        if (bytes > 0) visitor.data(in, bytes);
        if (payloadLeft + paddingLeft == 0) {
          visitor.endData(dataEndStream);
        } else {
          dataWanted = true;
        }
      }
    } finally {
      in.readerIndex(end);
    }
    return true;
  }

  /// RFC 9113 §6.2.
  private void headers(int streamId, int flags, ByteBuf in, Visitor visitor) throws Http2Exception {
    if (streamId == 0) {
      throw new ConnectionError(PROTOCOL_ERROR, "RFC 9113 6.2: HEADERS on stream 0");
    }
    boolean padded = (flags & PADDED) != 0;
    boolean priority = (flags & PRIORITY_FLAG) != 0;
    if (in.readableBytes() < (padded ? 1 : 0) + (priority ? 5 : 0)) {
      throw new ConnectionError(FRAME_SIZE_ERROR, "RFC 9113 6.2: HEADERS too short");
    }
    int padding = padded ? in.readUnsignedByte() : 0;
    if (priority) in.skipBytes(5); // RFC 9113 §5.3.2: deprecated, without effect
    if (padding > in.readableBytes()) {
      throw new ConnectionError(PROTOCOL_ERROR, "RFC 9113 6.2: more padding than payload");
    }
    in.writerIndex(in.writerIndex() - padding);
    boolean endStream = (flags & END_STREAM) != 0;
    if ((flags & END_HEADERS) != 0) {
      visitor.headers(streamId, in, endStream);
      return;
    }
    block = in.alloc().buffer(in.readableBytes() * 2).writeBytes(in);
    blockStreamId = streamId;
    blockEndStream = endStream;
    continuations = 0;
  }

  /// RFC 9113 §6.10.
  private void continuation(int streamId, int flags, ByteBuf in, Visitor visitor)
      throws Http2Exception {
    var whole = block;
    if (whole == null) {
      throw new ConnectionError(
          PROTOCOL_ERROR, "RFC 9113 6.10: CONTINUATION without a field block under way");
    }
    if (whole.readableBytes() + in.readableBytes() > blockBytesMax
        || ++continuations > CONTINUATIONS_MAX + blockBytesMax / 1_024) {
      throw new ConnectionError(
          ENHANCE_YOUR_CALM, "a field block of more than " + blockBytesMax + " octets");
    }
    whole.writeBytes(in);
    if ((flags & END_HEADERS) == 0) return;
    block = null;
    try {
      visitor.headers(streamId, whole, blockEndStream);
    } finally {
      whole.release();
    }
  }

  /// RFC 9113 §6.3.
  private static void priority(int streamId, int length, Visitor visitor) throws Http2Exception {
    if (streamId == 0) {
      throw new ConnectionError(PROTOCOL_ERROR, "RFC 9113 6.3: PRIORITY on stream 0");
    }
    if (length != 5) {
      throw new StreamError(streamId, FRAME_SIZE_ERROR, "RFC 9113 6.3: PRIORITY is 5 octets");
    }
    visitor.ignored(PRIORITY);
  }

  /// RFC 9113 §6.4.
  private static void rstStream(int streamId, int length, ByteBuf in, Visitor visitor)
      throws Http2Exception {
    if (streamId == 0) {
      throw new ConnectionError(PROTOCOL_ERROR, "RFC 9113 6.4: RST_STREAM on stream 0");
    }
    if (length != 4) {
      throw new ConnectionError(FRAME_SIZE_ERROR, "RFC 9113 6.4: RST_STREAM is 4 octets");
    }
    visitor.rstStream(streamId, in.readUnsignedInt());
  }

  /// RFC 9113 §6.5.
  private static void settings(int streamId, int length, int flags, ByteBuf in, Visitor visitor)
      throws Http2Exception {
    if (streamId != 0) {
      throw new ConnectionError(PROTOCOL_ERROR, "RFC 9113 6.5: SETTINGS on a stream");
    }
    if ((flags & FrameType.ACK) != 0) {
      if (length != 0) {
        throw new ConnectionError(FRAME_SIZE_ERROR, "RFC 9113 6.5: SETTINGS ACK with a payload");
      }
      visitor.settingsAck();
      return;
    }
    if (length % Settings.ENTRY_BYTES != 0) {
      throw new ConnectionError(FRAME_SIZE_ERROR, "RFC 9113 6.5: SETTINGS of " + length);
    }
    visitor.settings(in, length);
  }

  /// RFC 9113 §6.7.
  private static void ping(int streamId, int length, int flags, ByteBuf in, Visitor visitor)
      throws Http2Exception {
    if (streamId != 0) {
      throw new ConnectionError(PROTOCOL_ERROR, "RFC 9113 6.7: PING on a stream");
    }
    if (length != 8) {
      throw new ConnectionError(FRAME_SIZE_ERROR, "RFC 9113 6.7: PING is 8 octets");
    }
    visitor.ping(in.readLong(), (flags & FrameType.ACK) != 0);
  }

  /// RFC 9113 §6.8.
  private static void goAway(int streamId, int length, ByteBuf in, Visitor visitor)
      throws Http2Exception {
    if (streamId != 0) {
      throw new ConnectionError(PROTOCOL_ERROR, "RFC 9113 6.8: GOAWAY on a stream");
    }
    if (length < 8) {
      throw new ConnectionError(FRAME_SIZE_ERROR, "RFC 9113 6.8: GOAWAY of " + length);
    }
    visitor.goAway(in.readInt() & Integer.MAX_VALUE, in.readUnsignedInt());
  }

  /// RFC 9113 §6.9.
  private static void windowUpdate(int streamId, int length, ByteBuf in, Visitor visitor)
      throws Http2Exception {
    if (length != 4) {
      throw new ConnectionError(FRAME_SIZE_ERROR, "RFC 9113 6.9: WINDOW_UPDATE is 4 octets");
    }
    visitor.windowUpdate(streamId, in.readInt() & Integer.MAX_VALUE);
  }
}
