package dev.weftline.internal.http1;

import static java.lang.System.Logger.Level.DEBUG;
import static java.lang.System.Logger.Level.WARNING;

import dev.weftline.internal.http.Connection;
import dev.weftline.internal.http.DateField;
import dev.weftline.internal.http.ExchangeHandler;
import dev.weftline.internal.http.ExchangeHandler.Close;
import dev.weftline.internal.http.Fields;
import dev.weftline.internal.http2.ErrorCode;
import dev.weftline.internal.http2.Http2Connection;
import dev.weftline.internal.http2.Http2Limits;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.EventLoop;
import io.netty.channel.local.LocalAddress;
import io.netty.channel.socket.DuplexChannel;
import io.netty.handler.codec.DecoderResult;
import io.netty.handler.codec.http.HttpContent;
import io.netty.handler.codec.http.HttpObject;
import io.netty.handler.codec.http.HttpRequest;
import io.netty.handler.codec.http.HttpResponseStatus;
import io.netty.handler.codec.http.LastHttpContent;
import io.netty.handler.codec.http.TooLongHttpHeaderException;
import io.netty.handler.codec.http.TooLongHttpLineException;
import io.netty.handler.ssl.SslHandler;
import io.netty.util.ReferenceCountUtil;
import io.netty.util.concurrent.Future;
import java.io.IOException;
import java.lang.System.Logger;
import java.net.SocketAddress;
import java.nio.charset.StandardCharsets;
import java.util.Locale;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import javax.net.ssl.SSLSession;
import org.jspecify.annotations.Nullable;

/// One HTTP/1.x connection: its requests as exchanges, one after the other (RFC 9112 §9.3), or the
/// upgrade to HTTP/2. Brings its decoder with it, and takes it along when it leaves.
///
/// Confined to its loop; `askTurn` and the plain getters may be called from call threads.
public final class Http1Connection extends ChannelInboundHandlerAdapter implements Connection {
  private static final Logger log = System.getLogger(Http1Connection.class.getName());

  /// Between two requests. Longer than the 60 s for which load balancers keep a connection, so that
  /// it is they who close, and never with a request on its way.
  private static final int IDLE_MILLIS = 75_000;

  /// RFC 9112 §9.6: after the last response we read on for a moment, lest a reset by unread bytes
  /// takes the response away from the peer.
  private static final int LINGER_MILLIS = 1_000;

  private static final byte[] CONTINUE =
      "HTTP/1.1 100 Continue\r\n\r\n".getBytes(StandardCharsets.US_ASCII);

  private static final byte[] SWITCHING =
      "HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: h2c\r\n\r\n"
          .getBytes(StandardCharsets.US_ASCII);

  private enum Phase {
    /// For a request.
    WAITING,
    /// A request was taken and its response is not written whole.
    SERVING,
    /// The last response is written; what still comes is dropped.
    LEAVING
  }

  private final Http2Limits limits;
  private final boolean tls;
  private final ExchangeHandler.Factory exchanges;
  private final Supplier<Http2Connection> http2;
  private final RequestDecoder decoder;
  private final Runnable turn = this::turnAsTask;

  // From handlerAdded on.
  private @Nullable ChannelHandlerContext ctx;
  private @Nullable SSLSession tlsSession;

  private Phase phase = Phase.WAITING;
  private @Nullable Future<?> timer; // of the phase; none while serving
  private @Nullable Future<?> stall; // while the peer does not read what we write
  private boolean headTimed; // the timer is for a request that has begun to come
  private boolean announced; // to the handlers' factory
  private boolean draining;
  private boolean reading; // between channelRead and channelReadComplete

  // Of the request under way.
  private @Nullable Http1Exchange exchange; // until its response is written
  private @Nullable ExchangeHandler handler; // until it was told of the end
  private boolean requestEnded;
  private boolean lastRequest;
  private int unconsumedBytes; // of its content

  private @Nullable Upgrade upgrade; // until the request is whole
  private @Nullable ByteBuf rest; // what followed the request, while we leave

  /// A connection that has said nothing yet.
  ///
  /// @param exchanges is given the exchanges of this connection
  /// @param http2 makes the handler that an upgraded connection goes on with
  public Http1Connection(
      Http2Limits limits,
      boolean tls,
      ExchangeHandler.Factory exchanges,
      Supplier<Http2Connection> http2) {
    this.limits = limits;
    this.tls = tls;
    this.exchanges = exchanges;
    this.http2 = http2;
    this.decoder = new RequestDecoder(limits.fieldBytesMax());
  }

  // ── Life ──────────────────────────────────────────────────────────────────────────────────────

  @Override
  public void handlerAdded(ChannelHandlerContext context) {
    ctx = context;
    var ssl = context.pipeline().get(SslHandler.class);
    if (ssl != null) tlsSession = ssl.engine().getSession();
    context.pipeline().addBefore(context.name(), null, decoder);
    timeHead();
  }

  @Override
  public void handlerRemoved(ChannelHandlerContext context) {
    stopTimer();
    if (stall != null) stall.cancel(false);
    if (rest != null) rest.release();
    rest = null;
  }

  /// Closes the connection behind the response under way, or at once when there is none.
  @Override
  public void shutdown() {
    draining = true;
    if (phase == Phase.WAITING && !decoder.isInsideHead()) leave();
  }

  @Override
  public void channelInactive(ChannelHandlerContext context) {
    phase = Phase.LEAVING;
    stopTimer();
    close(new Close.ConnectionLost("the connection was closed"));
    if (announced) exchanges.connectionClosed(this);
    announced = false;
    context.fireChannelInactive();
  }

  @Override
  public void exceptionCaught(ChannelHandlerContext context, Throwable cause) {
    if (cause instanceof IOException) {
      log.log(DEBUG, "{0}: {1}", remoteAddress(), cause);
    } else {
      log.log(WARNING, "HTTP/1 connection from " + remoteAddress() + " broke", cause);
    }
    context.close();
  }

  private void stopTimer() {
    if (timer != null) timer.cancel(false);
    timer = null;
    headTimed = false;
  }

  private void closeIn(int millis) {
    stopTimer();
    timer = loop().schedule(() -> context().close(), millis, TimeUnit.MILLISECONDS);
  }

  /// A request that has begun is whole, to the end of its fields, as soon as a handshake must be.
  private void timeHead() {
    stopTimer();
    timer = loop().schedule(this::headTimedOut, limits.handshakeMillis(), TimeUnit.MILLISECONDS);
    headTimed = true;
  }

  private void headTimedOut() {
    if (phase != Phase.WAITING) return;
    if (!decoder.isInsideHead()) {
      context().close();
      return;
    }
    refuse(HttpResponseStatus.REQUEST_TIMEOUT, "The request took too long to come.");
    context().flush();
  }

  // ── Reading ───────────────────────────────────────────────────────────────────────────────────

  @Override
  public void channelRead(ChannelHandlerContext context, Object message) throws Exception {
    if (message instanceof ByteBuf undecoded) {
      rest = undecoded; // the decoder was removed, and hands over what it had not come to
      return;
    }
    reading = true;
    try {
      receive((HttpObject) message);
    } finally {
      ReferenceCountUtil.release(message);
    }
    turn();
  }

  @Override
  public void channelReadComplete(ChannelHandlerContext context) throws Exception {
    work();
    context.fireChannelReadComplete();
  }

  /// What was sent since the last turn, and what was waiting behind a response that it ended.
  private void work() throws Exception {
    do {
      reading = false;
      turn();
    } while (reading);
    if (phase == Phase.WAITING && decoder.isInsideHead() && !headTimed) timeHead();
    context().flush();
  }

  private void receive(HttpObject part) throws Exception {
    // What is left of a request that is answered, or of one that the client broke off.
    if (phase == Phase.LEAVING || !channel().isActive()) return;
    if (part.decoderResult().isFailure()) {
      broken(part.decoderResult());
      return;
    }
    if (part instanceof HttpRequest request) begin(request);
    if (part instanceof HttpContent content) receiveContent(content);
  }

  private void begin(HttpRequest request) throws Exception {
    switch (RequestHead.of(request, tls, limits.fieldBytesMax())) {
      case RequestHead.Refused(var status, var text) -> refuse(status, text);
      case RequestHead.Accepted head -> {
        try {
          upgrade = Upgrade.of(request, head, tls);
        } catch (Upgrade.Malformed e) {
          refuse(HttpResponseStatus.BAD_REQUEST, String.valueOf(e.getMessage()));
          return;
        }
        if (upgrade == null) open(head);
      }
    }
  }

  private void open(RequestHead.Accepted head) {
    stopTimer();
    phase = Phase.SERVING;
    requestEnded = !head.bodyFollows();
    lastRequest = !head.keepsAlive();
    unconsumedBytes = 0;
    if (!announced) {
      announced = true;
      exchanges.connectionOpened(this);
    }
    var opened = new Http1Exchange(this, head);
    exchange = opened;
    handler = exchanges.open(opened, requestEnded);
    // RFC 9110 §10.1.1: not when the answer is there already.
    if (head.expectsContinue() && !requestEnded && opened.isUnanswered()) {
      context().writeAndFlush(Unpooled.wrappedBuffer(CONTINUE));
    }
  }

  private void receiveContent(HttpContent content) throws Exception {
    boolean last = content instanceof LastHttpContent;
    if (upgrade != null) {
      if (last) speakHttp2(upgrade);
      return;
    }
    var receiver = handler;
    if (requestEnded || receiver == null) return; // the end of a request without content
    int bytes = content.content().readableBytes();
    if (bytes > 0) {
      unconsumedBytes += bytes;
      if (unconsumedBytes >= limits.windowBytes()) decoder.rest();
      receiver.receiveData(content.content(), bytes);
    }
    if (!last) return;
    requestEnded = true;
    receiver.receiveEnd(trailers((LastHttpContent) content));
  }

  /// RFC 9110 §6.5.1: trailers that may not be merged may be dropped, and malformed ones are.
  private static Fields trailers(LastHttpContent last) {
    if (last.trailingHeaders().isEmpty()) return Fields.EMPTY;
    var fields = new Fields(last.trailingHeaders().size());
    for (var trailer : last.trailingHeaders()) {
      fields.add(trailer.getKey().toLowerCase(Locale.ROOT), trailer.getValue());
    }
    return fields.trailersFault() == null ? fields : Fields.EMPTY;
  }

  private void broken(DecoderResult result) {
    log.log(DEBUG, "{0}: {1}", remoteAddress(), result.cause());
    switch (result.cause()) {
      case TooLongHttpLineException _ ->
          refuse(HttpResponseStatus.REQUEST_URI_TOO_LONG, "Request line too long.");
      case TooLongHttpHeaderException _ ->
          refuse(RequestHead.TOO_LARGE.status(), RequestHead.TOO_LARGE.text());
      case null, default -> refuse(HttpResponseStatus.BAD_REQUEST, "Not an HTTP request.");
    }
  }

  /// RFC 7540 §3.2: 101, then our SETTINGS; the client's preface comes next, and may be here
  /// already.
  private void speakHttp2(Upgrade asked) {
    phase = Phase.LEAVING;
    if (announced) exchanges.connectionClosed(this);
    announced = false;
    var context = context();
    context.writeAndFlush(Unpooled.wrappedBuffer(SWITCHING));
    var pipeline = context.pipeline();
    pipeline.remove(decoder);
    var connection = http2.get();
    pipeline.addLast(connection);
    connection.upgraded(asked.request(), asked.settings());
    var following = rest;
    rest = null;
    pipeline.remove(this);
    if (draining) connection.shutdown();
    if (following != null) context.fireChannelRead(following);
  }

  // ── Writing ───────────────────────────────────────────────────────────────────────────────────

  /// Something was sent, or used up. Any thread.
  void askTurn() {
    var loop = loop();
    // What is read at the moment has its turn when it was worked through.
    if (loop.inEventLoop() && reading) return;
    try {
      loop.execute(turn);
    } catch (RejectedExecutionException e) {
      // The loop has ended, and with it every connection: there is nobody to send to.
      log.log(DEBUG, "sent after the server has closed: {0}", this);
    }
  }

  /// In a task nobody above catches what our own bugs throw.
  private void turnAsTask() {
    try {
      work();
    } catch (Exception | AssertionError e) {
      exceptionCaught(context(), e);
    }
  }

  private void turn() throws Exception {
    var now = exchange;
    if (now == null) return;
    if (now.isReset()) {
      close(new Close.ResetLocally(now.resetCode(), "reset by the handler"));
      context().close();
      return;
    }
    giveBack(now.takeCredit());
    boolean wrote = now.write(context());
    if (now.isOver()) finished();
    else if (wrote && handler != null) handler.sent(now.unsentBytes());
  }

  private void giveBack(int bytes) throws Exception {
    if (bytes == 0) return;
    boolean full = unconsumedBytes >= limits.windowBytes();
    unconsumedBytes -= bytes;
    if (full && unconsumedBytes < limits.windowBytes() && !requestEnded) decoder.proceed(context());
  }

  /// The response is written. The next request, when the client may send one, and we know where it
  /// begins.
  private void finished() throws Exception {
    boolean ends = endsWithResponse(true);
    close(Close.COMPLETED);
    if (ends) {
      leave();
      return;
    }
    phase = Phase.WAITING;
    closeIn(IDLE_MILLIS);
    decoder.proceed(context());
  }

  private void close(Close cause) {
    var over = exchange;
    var told = handler;
    exchange = null;
    handler = null;
    if (over != null) over.over();
    if (told != null) told.closed(cause);
  }

  /// The response under way ends with the connection.
  void endWithResponse() {
    lastRequest = true;
  }

  /// Whether the connection ends with the response under way.
  ///
  /// @param atOnce whether the response ends now, so that a request that has not come whole is left
  ///   unread (RFC 9112 §9.3)
  boolean endsWithResponse(boolean atOnce) {
    return lastRequest || draining || atOnce && !requestEnded;
  }

  /// Answers what is no request and leaves: where another begins cannot be known.
  private void refuse(HttpResponseStatus status, String reason) {
    var current = exchange;
    boolean begun = current != null && current.hasBegun();
    close(new Close.ResetLocally(ErrorCode.PROTOCOL_ERROR.code(), reason));
    if (begun) {
      context().close(); // in the midst of a response, where no other fits
      return;
    }
    var text = reason + "\n";
    var response =
        "HTTP/1.1 %d %s\r\ndate: %s\r\ncontent-type: text/plain\r\ncontent-length: %d\r\nconnection: close\r\n\r\n%s"
            .formatted(
                status.code(), status.reasonPhrase(), DateField.now().value(), text.length(), text);
    context().write(Unpooled.copiedBuffer(response, StandardCharsets.US_ASCII));
    leave();
  }

  private void leave() {
    phase = Phase.LEAVING;
    decoder.discard(context());
    closeIn(IDLE_MILLIS); // a peer that does not read its last response
    context().writeAndFlush(Unpooled.EMPTY_BUFFER).addListener(_ -> linger());
  }

  private void linger() {
    if (!channel().isActive()) return;
    closeIn(LINGER_MILLIS);
    // RFC 8446 §6.1: close_notify ends one direction, as FIN does without TLS.
    var ssl = context().pipeline().get(SslHandler.class);
    if (ssl != null) ssl.closeOutbound();
    else if (channel() instanceof DuplexChannel socket) socket.shutdownOutput();
  }

  @Override
  public void channelWritabilityChanged(ChannelHandlerContext context) {
    if (stall != null) stall.cancel(false);
    stall = null;
    if (!context.channel().isWritable()) {
      stall = loop().schedule(() -> context.close(), IDLE_MILLIS, TimeUnit.MILLISECONDS);
    } else if (!reading) {
      turnAsTask();
    }
    context.fireChannelWritabilityChanged();
  }

  // ── What exchanges ask ────────────────────────────────────────────────────────────────────────

  EventLoop loop() {
    return context().channel().eventLoop();
  }

  SocketAddress remoteAddress() {
    return address(context().channel().remoteAddress());
  }

  SocketAddress localAddress() {
    return address(context().channel().localAddress());
  }

  /// Netty answers null for an address that the kernel no longer tells.
  private static SocketAddress address(@Nullable SocketAddress address) {
    return address != null ? address : UNKNOWN_ADDRESS;
  }

  private static final SocketAddress UNKNOWN_ADDRESS = new LocalAddress("unknown");

  @Nullable SSLSession tlsSession() {
    return tlsSession;
  }

  @Override
  public Channel channel() {
    return context().channel();
  }

  private ChannelHandlerContext context() {
    if (ctx == null) throw new IllegalStateException("not in a pipeline");
    return ctx;
  }

  @Override
  public String toString() {
    return "HTTP/1 connection " + (ctx == null ? "" : remoteAddress()) + " " + phase;
  }
}
