package dev.weftline.internal.net;

import static java.lang.System.Logger.Level.DEBUG;

import dev.weftline.internal.http.ExchangeHandler;
import dev.weftline.internal.http1.Http1Connection;
import dev.weftline.internal.http2.Http2Connection;
import dev.weftline.internal.http2.Http2Limits;
import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.handler.ssl.ApplicationProtocolNames;
import io.netty.handler.ssl.SslHandler;
import io.netty.handler.ssl.SslHandshakeCompletionEvent;
import io.netty.util.concurrent.Future;
import java.lang.System.Logger;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/// Finds out what an accepted connection speaks, puts the handler for it into the pipeline and
/// leaves: after TLS by ALPN (RFC 9113 §3.2), else by the first bytes (RFC 9113 §3.3, §3.4).
///
/// Confined to the loop of its channel. Makes no copy of what it looks at unless the first few
/// bytes come in pieces.
public final class Handshake extends ChannelInboundHandlerAdapter {
  private static final Logger log = System.getLogger(Handshake.class.getName());

  /// RFC 9113 §3.4: how a client's preface starts. No HTTP/1 client says this, so the rest of the
  /// preface is left to [Http2Connection], which answers what is wrong with it.
  private static final byte[] PREFACE_START =
      "PRI * HTTP/2.0\r\n".getBytes(StandardCharsets.US_ASCII);

  /// RFC 9110 §16.1.1: the longest method registered, UPDATEREDIRECTREF, has 17 letters.
  private static final int METHOD_BYTES_MAX = 20;

  private enum Spoken {
    HTTP2,
    HTTP1,
    NEITHER,
    UNDECIDED
  }

  private final Http2Limits limits;
  private final @Nullable Tls tls; // null for plain text
  private final ExchangeHandler.Factory exchanges;
  private final Supplier<Http2Connection> http2;
  private @Nullable Future<?> timer; // until the protocol is chosen
  private @Nullable ByteBuf held; // the start of what may become a preface

  /// The handshake of one connection.
  ///
  /// @param tls null to speak plain text
  /// @param exchanges is given the exchanges of HTTP/1 connections
  /// @param http2 makes the handler of one HTTP/2 connection
  public Handshake(
      Http2Limits limits,
      @Nullable Tls tls,
      ExchangeHandler.Factory exchanges,
      Supplier<Http2Connection> http2) {
    this.limits = limits;
    this.tls = tls;
    this.exchanges = exchanges;
    this.http2 = http2;
  }

  @Override
  public void handlerAdded(ChannelHandlerContext ctx) {
    if (tls != null) {
      ctx.pipeline()
          .addBefore(ctx.name(), null, tls.handler(ctx.alloc(), limits.handshakeMillis()));
    }
    timer =
        ctx.executor().schedule(() -> silent(ctx), limits.handshakeMillis(), TimeUnit.MILLISECONDS);
  }

  @Override
  public void handlerRemoved(ChannelHandlerContext ctx) {
    if (timer != null) timer.cancel(false);
    if (held != null) held.release();
    held = null;
  }

  @Override
  public void userEventTriggered(ChannelHandlerContext ctx, Object event) {
    if (!(event instanceof SslHandshakeCompletionEvent handshake) || !handshake.isSuccess()) {
      ctx.fireUserEventTriggered(event);
      return;
    }
    var protocol = ctx.pipeline().get(SslHandler.class).applicationProtocol();
    switch (protocol) {
      case ApplicationProtocolNames.HTTP_2 -> speakHttp2(ctx, null);
      case ApplicationProtocolNames.HTTP_1_1 -> speakHttp1(ctx, null);
      // RFC 9113 §3.2 asks clients for ALPN; one that came without shows by its first bytes.
      case null, default -> {}
    }
  }

  @Override
  public void channelRead(ChannelHandlerContext ctx, Object message) {
    var bytes = (ByteBuf) message;
    if (held != null) {
      var start = held;
      held = null;
      bytes = joined(ctx, start, bytes);
    }
    switch (spoken(bytes)) {
      case HTTP2 -> speakHttp2(ctx, bytes);
      case HTTP1 -> speakHttp1(ctx, bytes);
      case UNDECIDED -> held = bytes;
      case NEITHER -> {
        log.log(DEBUG, "{0} speaks neither HTTP/2 nor HTTP/1", ctx.channel().remoteAddress());
        bytes.release();
        ctx.close();
      }
    }
  }

  @Override
  public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
    log.log(DEBUG, "handshake with {0} failed: {1}", ctx.channel().remoteAddress(), cause);
    ctx.close();
  }

  private static ByteBuf joined(ChannelHandlerContext ctx, ByteBuf first, ByteBuf second) {
    var both = ctx.alloc().buffer(first.readableBytes() + second.readableBytes());
    both.writeBytes(first).writeBytes(second);
    first.release();
    second.release();
    return both;
  }

  private static Spoken spoken(ByteBuf bytes) {
    int length = bytes.readableBytes();
    int start = bytes.readerIndex();
    int same = 0;
    while (same < length
        && same < PREFACE_START.length
        && bytes.getByte(start + same) == PREFACE_START[same]) {
      same++;
    }
    if (same == PREFACE_START.length) return Spoken.HTTP2;
    if (same == length) return Spoken.UNDECIDED;
    return startsLikeHttp1(bytes, start, length) ? Spoken.HTTP1 : Spoken.NEITHER;
  }

  /// RFC 9112 §3: a request starts with a method, letters in practice, and a space.
  private static boolean startsLikeHttp1(ByteBuf bytes, int start, int length) {
    for (int i = 0; i < length; i++) {
      byte b = bytes.getByte(start + i);
      if (b == ' ') return i > 0;
      boolean letter = b >= 'A' && b <= 'Z' || b >= 'a' && b <= 'z' || b == '-';
      if (!letter || i == METHOD_BYTES_MAX) return false;
    }
    return true;
  }

  /// Takes over `bytes`.
  private void speakHttp2(ChannelHandlerContext ctx, @Nullable ByteBuf bytes) {
    ctx.pipeline().addLast(http2.get());
    leave(ctx, bytes);
  }

  /// Takes over `bytes`.
  private void speakHttp1(ChannelHandlerContext ctx, @Nullable ByteBuf bytes) {
    ctx.pipeline().addLast(new Http1Connection(limits, tls != null, exchanges, http2));
    leave(ctx, bytes);
  }

  private void leave(ChannelHandlerContext ctx, @Nullable ByteBuf bytes) {
    // Removal first: when the bytes make the next handler close the channel, nothing of ours is
    // left.
    ctx.pipeline().remove(this);
    if (bytes != null) ctx.fireChannelRead(bytes);
  }

  private void silent(ChannelHandlerContext ctx) {
    log.log(
        DEBUG,
        "{0} did not say what it speaks within {1} ms",
        ctx.channel().remoteAddress(),
        limits.handshakeMillis());
    ctx.close();
  }
}
