package dev.weftline.internal.http1;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.ChannelHandlerContext;
import io.netty.handler.codec.DecoderResult;
import io.netty.handler.codec.http.HttpDecoderConfig;
import io.netty.handler.codec.http.HttpMessage;
import io.netty.handler.codec.http.HttpRequestDecoder;
import io.netty.handler.codec.http.LastHttpContent;
import io.netty.util.ReferenceCountUtil;
import java.util.List;

/// Netty's decoder of HTTP/1.x requests, one request at a time: behind the end of each it rests
/// until it may go on, and what came meanwhile stays undecoded. So a client that sends many
/// requests at once costs their octets, and those are bounded. Where Netty is more forgiving than
/// RFC 9112 it is strict.
///
/// Confined to its loop.
final class RequestDecoder extends HttpRequestDecoder {
  /// What may wait undecoded before the socket is left unread. A read may exceed it by its own
  /// size, 64 KiB at most. Not zero, because a connection that is read shows when its client goes.
  private static final int WAITING_BYTES_MAX = 16 << 10;

  private boolean resting;
  private boolean discarding;
  private boolean decoding;

  // Of the request head under way.
  private boolean headSeen; // to its empty line
  private boolean started;
  private int lineOctets;
  private int bytesSeen; // of what is still to be decoded

  RequestDecoder(int fieldBytesMax) {
    super(
        new HttpDecoderConfig()
            .setMaxInitialLineLength(fieldBytesMax)
            .setMaxHeaderSize(fieldBytesMax)
            .setStrictLineParsing(true)
            .setUseRfc9112TransferEncoding(true)
            .setAllowDuplicateContentLengths(false));
  }

  /// Whether a request has begun to come and its fields are not complete.
  boolean isInsideHead() {
    return started && !headSeen;
  }

  /// Decodes no more until `proceed`.
  void rest() {
    resting = true;
  }

  /// Goes on with what came meanwhile.
  void proceed(ChannelHandlerContext connection) throws Exception {
    resting = false;
    if (decoding) return;
    if (actualReadableBytes() > 0) {
      channelRead(connection.pipeline().context(this), Unpooled.EMPTY_BUFFER);
    } else {
      connection.channel().config().setAutoRead(true);
    }
  }

  /// Whatever comes from now on is dropped.
  void discard(ChannelHandlerContext connection) {
    discarding = true;
    connection.channel().config().setAutoRead(true);
  }

  @Override
  public void channelRead(ChannelHandlerContext ctx, Object message) throws Exception {
    if (discarding) {
      ReferenceCountUtil.release(message);
      return;
    }
    boolean nested = decoding;
    decoding = true;
    try {
      super.channelRead(ctx, message);
    } finally {
      decoding = nested;
    }
    boolean full = resting && actualReadableBytes() >= WAITING_BYTES_MAX;
    if (!discarding) ctx.channel().config().setAutoRead(!full);
  }

  /// Netty would read on by itself when nothing came of what was read.
  @Override
  public void channelReadComplete(ChannelHandlerContext ctx) throws Exception {
    if (resting || discarding) ctx.fireChannelReadComplete();
    else super.channelReadComplete(ctx);
  }

  @Override
  protected void decode(ChannelHandlerContext ctx, ByteBuf in, List<Object> out) throws Exception {
    if (discarding) in.skipBytes(in.readableBytes());
    if (resting || discarding) return;
    if (!headSeen && !lookThrough(in)) {
      in.skipBytes(in.readableBytes());
      var broken = createInvalidMessage();
      broken.setDecoderResult(
          DecoderResult.failure(new IllegalArgumentException("RFC 9112 5.2: a line is folded")));
      out.add(broken);
      return;
    }
    int before = in.readableBytes();
    super.decode(ctx, in, out);
    bytesSeen = Math.max(0, bytesSeen - (before - in.readableBytes()));
    if (!out.isEmpty() && out.getLast() instanceof LastHttpContent) {
      resting = true;
      headSeen = false;
      started = false;
      lineOctets = 0;
      bytesSeen = 0;
    }
  }

  /// RFC 9112 §2.2, §5.2: nothing but empty lines stands before a request, and no line of its head
  /// begins with a space or a control. False when one does.
  private boolean lookThrough(ByteBuf in) {
    int end = in.writerIndex();
    for (int i = in.readerIndex() + bytesSeen; i < end; i++) {
      byte octet = in.getByte(i);
      if (octet == '\n') {
        if (started && lineOctets == 0) {
          headSeen = true;
          return true;
        }
        lineOctets = 0;
      } else if (octet != '\r') {
        if (lineOctets == 0 && octet >= 0 && octet <= ' ') return false;
        started = true;
        lineOctets++;
      }
    }
    bytesSeen = in.readableBytes();
    return true;
  }

  /// RFC 9112 §6.3: might be an attempt at smuggling, and is refused.
  @Override
  protected void handleTransferEncodingChunkedWithContentLength(HttpMessage message) {
    throw new IllegalArgumentException("both Transfer-Encoding and Content-Length");
  }
}
