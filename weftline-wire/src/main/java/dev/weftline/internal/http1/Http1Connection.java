package dev.weftline.internal.http1;

import static java.lang.System.Logger.Level.DEBUG;

import dev.weftline.internal.http2.Http2Connection;
import dev.weftline.internal.http2.Http2Limits;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.socket.DuplexChannel;
import io.netty.handler.codec.DecoderResult;
import io.netty.handler.codec.http.DefaultFullHttpResponse;
import io.netty.handler.codec.http.HttpDecoderConfig;
import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpHeaderValues;
import io.netty.handler.codec.http.HttpObject;
import io.netty.handler.codec.http.HttpRequest;
import io.netty.handler.codec.http.HttpResponseStatus;
import io.netty.handler.codec.http.HttpServerCodec;
import io.netty.handler.codec.http.HttpVersion;
import io.netty.handler.codec.http.LastHttpContent;
import io.netty.handler.codec.http.TooLongHttpHeaderException;
import io.netty.handler.codec.http.TooLongHttpLineException;
import io.netty.util.ReferenceCountUtil;
import io.netty.util.concurrent.Future;
import java.lang.System.Logger;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/// One HTTP/1.x connection: answers its first request, by the upgrade to HTTP/2 or by a refusal
/// that ends the connection. Brings Netty's codec with it, and takes it along when it leaves.
///
/// Confined to its loop.
public final class Http1Connection extends ChannelInboundHandlerAdapter {
  private static final Logger log = System.getLogger(Http1Connection.class.getName());

  /// RFC 9112 §9.6: after the last response we read on for a moment, lest a reset by unread bytes
  /// takes the response away from the peer.
  private static final int LINGER_MILLIS = 1_000;

  private final Http2Limits limits;
  private final boolean tls;
  private final Supplier<Http2Connection> http2;
  private @Nullable Future<?> timer; // until the request is whole, then until the linger ends
  private Upgrade.@Nullable Accepted upgrade; // until the request is whole
  private @Nullable ByteBuf rest; // what followed the request, while we leave
  private boolean answered;

  /// A connection that has said nothing yet.
  ///
  /// @param http2 makes the handler that an upgraded connection goes on with
  public Http1Connection(Http2Limits limits, boolean tls, Supplier<Http2Connection> http2) {
    this.limits = limits;
    this.tls = tls;
    this.http2 = http2;
  }

  @Override
  public void handlerAdded(ChannelHandlerContext ctx) {
    var bounds =
        new HttpDecoderConfig()
            .setMaxInitialLineLength(limits.fieldBytesMax())
            .setMaxHeaderSize(limits.fieldBytesMax());
    ctx.pipeline().addBefore(ctx.name(), null, new HttpServerCodec(bounds));
    closeIn(ctx, limits.handshakeMillis());
  }

  @Override
  public void handlerRemoved(ChannelHandlerContext ctx) {
    if (timer != null) timer.cancel(false);
    if (rest != null) rest.release();
    rest = null;
  }

  @Override
  public void channelRead(ChannelHandlerContext ctx, Object message) {
    if (message instanceof ByteBuf undecoded) {
      rest = undecoded; // the codec was removed, and hands over what it had not come to
      return;
    }
    try {
      receive(ctx, (HttpObject) message);
    } finally {
      ReferenceCountUtil.release(message);
    }
  }

  private void receive(ChannelHandlerContext ctx, HttpObject part) {
    if (answered) return; // what is left of a refused request
    if (part.decoderResult().isFailure()) {
      refuse(ctx, broken(part.decoderResult()));
    } else if (part instanceof HttpRequest request) {
      switch (Upgrade.of(request, tls)) {
        case Upgrade.Accepted accepted -> upgrade = accepted;
        case Upgrade.Refused refused -> refuse(ctx, refused);
      }
    } else if (part instanceof LastHttpContent && upgrade != null) {
      speakHttp2(ctx, upgrade);
    }
  }

  @Override
  public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
    log.log(DEBUG, "HTTP/1 with {0} failed: {1}", ctx.channel().remoteAddress(), cause);
    ctx.close();
  }

  /// RFC 7540 §3.2: 101, then our SETTINGS; the client's preface comes next, and may be here
  /// already.
  private void speakHttp2(ChannelHandlerContext ctx, Upgrade.Accepted accepted) {
    answered = true;
    var switching =
        new DefaultFullHttpResponse(
            HttpVersion.HTTP_1_1, HttpResponseStatus.SWITCHING_PROTOCOLS, Unpooled.EMPTY_BUFFER);
    switching.headers().set(HttpHeaderNames.CONNECTION, HttpHeaderValues.UPGRADE);
    switching.headers().set(HttpHeaderNames.UPGRADE, "h2c");
    ctx.writeAndFlush(switching);
    var pipeline = ctx.pipeline();
    pipeline.remove(HttpServerCodec.class); // first, for it would encode what HTTP/2 writes
    var connection = http2.get();
    pipeline.addLast(connection);
    connection.upgraded(accepted.request(), accepted.settings());
    var following = rest;
    rest = null;
    pipeline.remove(this);
    if (following != null) ctx.fireChannelRead(following);
  }

  private void refuse(ChannelHandlerContext ctx, Upgrade.Refused refused) {
    answered = true;
    var text = (refused.text() + "\n").getBytes(StandardCharsets.US_ASCII);
    var response =
        new DefaultFullHttpResponse(
            HttpVersion.HTTP_1_1, refused.status(), Unpooled.wrappedBuffer(text));
    response
        .headers()
        .set(HttpHeaderNames.CONTENT_TYPE, HttpHeaderValues.TEXT_PLAIN)
        .set(HttpHeaderNames.CONTENT_LENGTH, text.length)
        .set(HttpHeaderNames.CONNECTION, HttpHeaderValues.CLOSE);
    if (refused.status().equals(HttpResponseStatus.UPGRADE_REQUIRED)) {
      // RFC 9110 §15.5.22: a 426 says what to upgrade to, and §7.8: Connection names Upgrade.
      response.headers().set(HttpHeaderNames.UPGRADE, "h2c");
      response.headers().add(HttpHeaderNames.CONNECTION, HttpHeaderValues.UPGRADE);
    }
    ctx.writeAndFlush(response).addListener(_ -> linger(ctx));
  }

  private void linger(ChannelHandlerContext ctx) {
    // Under TLS half a connection cannot be closed: SslHandler says close_notify and closes.
    if (!tls && ctx.channel() instanceof DuplexChannel socket) {
      socket.shutdownOutput();
      closeIn(ctx, LINGER_MILLIS);
    } else {
      ctx.close();
    }
  }

  private void closeIn(ChannelHandlerContext ctx, int millis) {
    if (timer != null) timer.cancel(false);
    timer = ctx.executor().schedule(() -> close(ctx), millis, TimeUnit.MILLISECONDS);
  }

  private static void close(ChannelHandlerContext ctx) {
    ctx.close();
  }

  private static Upgrade.Refused broken(DecoderResult result) {
    var cause = result.cause();
    if (cause instanceof TooLongHttpLineException) {
      return new Upgrade.Refused(HttpResponseStatus.REQUEST_URI_TOO_LONG, "Request line too long.");
    }
    return cause instanceof TooLongHttpHeaderException
        ? new Upgrade.Refused(
            HttpResponseStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, "Header fields too large.")
        : new Upgrade.Refused(HttpResponseStatus.BAD_REQUEST, "Not an HTTP request.");
  }
}
