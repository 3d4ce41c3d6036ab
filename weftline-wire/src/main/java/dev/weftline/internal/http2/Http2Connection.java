package dev.weftline.internal.http2;

import static dev.weftline.internal.http2.ErrorCode.COMPRESSION_ERROR;
import static dev.weftline.internal.http2.ErrorCode.ENHANCE_YOUR_CALM;
import static dev.weftline.internal.http2.ErrorCode.FLOW_CONTROL_ERROR;
import static dev.weftline.internal.http2.ErrorCode.INTERNAL_ERROR;
import static dev.weftline.internal.http2.ErrorCode.NO_ERROR;
import static dev.weftline.internal.http2.ErrorCode.PROTOCOL_ERROR;
import static dev.weftline.internal.http2.ErrorCode.REFUSED_STREAM;
import static dev.weftline.internal.http2.ErrorCode.SETTINGS_TIMEOUT;
import static dev.weftline.internal.http2.ErrorCode.STREAM_CLOSED;

import dev.weftline.internal.hpack.HpackDecoder;
import dev.weftline.internal.hpack.HpackEncoder;
import dev.weftline.internal.hpack.HpackException;
import dev.weftline.internal.http.Connection;
import dev.weftline.internal.http.ExchangeHandler;
import dev.weftline.internal.http.ExchangeHandler.Close;
import dev.weftline.internal.http.Field;
import dev.weftline.internal.http.Fields;
import dev.weftline.internal.http2.Http2Exception.ConnectionError;
import dev.weftline.internal.http2.Http2Exception.StreamError;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.EventLoop;
import io.netty.handler.ssl.SslHandler;
import io.netty.handler.ssl.SslHandshakeCompletionEvent;
import io.netty.util.concurrent.Future;
import java.io.IOException;
import java.net.SocketAddress;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;
import javax.net.ssl.SSLSession;
import org.jspecify.annotations.Nullable;

/// One HTTP/2 connection, server side: THE channel handler. Applies the frames that [FrameReader]
/// finds, carries its streams, and writes through [FrameWriter] with one flush per read batch.
/// Every [Http2Exception] is turned into bytes here and nowhere else.
///
/// Confined to its loop; only `send`, `isStarved` and the plain getters may be called from call
/// threads.
///
/// Hot: runs per frame.
public final class Http2Connection extends ChannelInboundHandlerAdapter
    implements Connection, FrameReader.Visitor {
  /// RFC 9113 §3.4.
  private static final byte[] PREFACE =
      "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".getBytes(StandardCharsets.US_ASCII);

  /// What all streams together may have unread: a stream that nobody reads must not stop the
  /// others.
  private static final int CONNECTION_WINDOW_BYTES = 1 << 20;

  /// Credit crosses to the loop in pieces of at least this size, so that a stream of small messages
  /// does not cross each time.
  private static final int CREDIT_BYTES_MIN = 16 << 10;

  /// Marks the PING between the two GOAWAY frames of a drain.
  private static final long DRAIN_PING = 0x5745_4654_4452_4149L; // "WEFTDRAI"

  /// How long a drain waits for that PING's acknowledgement: a round trip across the world, with
  /// room.
  private static final int DRAIN_PING_MILLIS = 1_000;

  /// After its last frame a connection stays open so long, unless the peer closes first, and what
  /// comes is discarded: closing with unread bytes would make the kernel reset the connection, and
  /// the peer might never read the end of the last reply, or why it was closed.
  private static final int LINGER_MILLIS = 200;

  /// A field section that is too large is still read to its end, and answered with 431, up to so
  /// many times the limit.
  private static final int FIELD_BLOCK_TOLERANCE = 4;

  private static final Fields TOO_LARGE = Fields.constant(Field.of(":status", "431"));

  private static final System.Logger LOG = System.getLogger(Http2Connection.class.getName());

  private enum Phase {
    /// The preface or the peer's first SETTINGS has not come yet.
    OPENING,
    OPEN,
    /// GOAWAY with 2^31-1 was sent: streams are still accepted (RFC 9113 §6.8).
    DRAINING,
    /// GOAWAY with the last id was sent: later streams are ignored, open ones finish.
    DRAINED,
    /// Nothing more is read or written.
    CLOSED
  }

  private final Http2Limits limits;
  private final ExchangeHandler.Factory exchanges;
  private final AbuseBudget budget;
  private final FrameReader reader;
  private final HpackDecoder hpack;
  private final StreamTable streams = new StreamTable();
  private final SendQueue sendQueue = new SendQueue();
  private final Outbox outbox = new Outbox();
  private final Runnable turn = this::turnAsTask;
  private final SendWindow sendWindow = new SendWindow(Settings.INITIAL.windowBytes());
  private final ReceiveWindow receiveWindow;
  private final BandwidthEstimate bandwidth;

  // From handlerAdded on.
  private @Nullable ChannelHandlerContext ctx;
  private @Nullable FrameWriter writer;
  private @Nullable ResponseArrays arrays;
  private @Nullable SSLSession tlsSession;
  private @Nullable Future<?> handshakeTimer; // until the peer's first SETTINGS

  private Settings peer = Settings.INITIAL;
  private Phase phase = Phase.OPENING;
  private int prefaceBytes; // of the preface, seen
  private int windowBytes; // for new streams
  private int lastAcceptedId = Integer.MAX_VALUE; // falls with the final GOAWAY
  private int unreadControlFrames;
  private boolean announced; // to the handlers' factory
  private boolean upgraded; // from HTTP/1.1, by stream 1
  private boolean reading;
  private boolean timing; // within a read or a turn
  private long turnNanos; // of that, once somebody has asked; 0 before
  private @Nullable Http2Stream receiving; // of the DATA frame under way
  private volatile boolean starved;

  public Http2Connection(Http2Limits limits, ExchangeHandler.Factory exchanges) {
    this(limits, exchanges, System::nanoTime);
  }

  Http2Connection(Http2Limits limits, ExchangeHandler.Factory exchanges, LongSupplier nanoClock) {
    this.limits = limits;
    this.exchanges = exchanges;
    this.budget = new AbuseBudget(limits.streamsMax(), nanoClock);
    this.reader = new FrameReader(FIELD_BLOCK_TOLERANCE * limits.fieldBytesMax());
    this.hpack = new HpackDecoder(limits.tableBytesMax(), limits.fieldBytesMax());
    this.windowBytes = limits.windowBytes();
    this.receiveWindow = new ReceiveWindow(Settings.INITIAL.windowBytes());
    this.bandwidth = new BandwidthEstimate(limits.windowBytes(), limits.windowBytesMax());
  }

  // ── Life ──────────────────────────────────────────────────────────────────────────────────────

  @Override
  public void handlerAdded(ChannelHandlerContext context) {
    ctx = context;
    writer = new FrameWriter(context, new HpackEncoder(limits.tableBytesMax()));
    arrays = ResponseArrays.ofThisLoop();
    if (context.channel().isActive()) open();
  }

  @Override
  public void channelActive(ChannelHandlerContext context) {
    open();
    context.fireChannelActive();
  }

  /// RFC 9113 §3.4: our SETTINGS come first, without waiting for the client's.
  private void open() {
    if (handshakeTimer != null) return;
    var tls = context().pipeline().get(SslHandler.class);
    if (tls != null) tlsSession = tls.engine().getSession();
    handshakeTimer =
        loop().schedule(this::handshakeTimedOut, limits.handshakeMillis(), TimeUnit.MILLISECONDS);
    writer()
        .settings(
            new Settings(
                limits.tableBytesMax(),
                true, // RFC 9113 §6.5.2: a server does not send ENABLE_PUSH; this stands for its
                // absence
                limits.streamsMax(),
                windowBytes,
                Settings.INITIAL.frameBytesMax(),
                limits.fieldBytesMax()));
    growConnectionWindow(Math.max(CONNECTION_WINDOW_BYTES, windowBytes));
    writer().flush();
  }

  /// Goes on after `101 Switching Protocols` (RFC 7540 §3.2, which RFC 9113 §3.1 leaves to those
  /// who still meet it): `request` is stream 1, half-closed by the client; `settings` is the
  /// payload of its HTTP2-Settings field.
  public void upgraded(Fields request, byte[] settings) {
    try {
      if (settings.length % Settings.ENTRY_BYTES != 0) {
        throw new ConnectionError(PROTOCOL_ERROR, "RFC 7540 3.2.1: HTTP2-Settings");
      }
      applySettings(Unpooled.wrappedBuffer(settings), settings.length);
      opened();
      upgraded = true;
      streams.use(1);
      accept(1, request, true);
    } catch (Http2Exception e) {
      answer(e);
    }
    writer().flush();
  }

  private void opened() {
    phase = Phase.OPEN;
    announced = true;
    exchanges.connectionOpened(this);
  }

  /// Drains: no new streams after one round trip, and the channel closes when the open ones are
  /// done. RFC 9113 §6.8: GOAWAY with 2^31-1, a PING to let what is under way arrive, then GOAWAY
  /// with the last id. Loop only.
  @Override
  public void shutdown() {
    assertOnLoop();
    switch (phase) {
      case OPENING -> {
        writer().goAway(0, NO_ERROR, "");
        closeAfterFlush();
      }
      case OPEN -> {
        phase = Phase.DRAINING;
        writer().goAway(Integer.MAX_VALUE, NO_ERROR, "");
        writer().ping(DRAIN_PING, false);
        writer().flush();
        loop().schedule(this::drained, DRAIN_PING_MILLIS, TimeUnit.MILLISECONDS);
      }
      case DRAINING, DRAINED, CLOSED -> {}
    }
  }

  private void drained() {
    if (phase != Phase.DRAINING) return;
    phase = Phase.DRAINED;
    lastAcceptedId = streams.lastId();
    writer().goAway(lastAcceptedId, NO_ERROR, "");
    writer().flush();
    closeWhenDone();
  }

  private void closeWhenDone() {
    if (phase == Phase.DRAINED && streams.size() == 0) closeAfterFlush();
  }

  private void closeAfterFlush() {
    phase = Phase.CLOSED;
    writer()
        .flushThen(
            sent -> loop().schedule(() -> context().close(), LINGER_MILLIS, TimeUnit.MILLISECONDS));
  }

  private void handshakeTimedOut() {
    if (handshakeTimer == null) return;
    fail(
        new ConnectionError(
            SETTINGS_TIMEOUT,
            "no SETTINGS from the client within " + limits.handshakeMillis() + " ms"));
  }

  /// RFC 9113 §5.4.1: GOAWAY with the reason, then the connection closes.
  private void fail(ConnectionError error) {
    if (phase == Phase.CLOSED) return;
    LOG.log(
        System.Logger.Level.DEBUG,
        "{0}: {1} {2}",
        remoteAddress(),
        error.code(),
        error.getMessage());
    phase = Phase.CLOSED;
    // INTERNAL_ERROR is our own fault, and no rule that the peer broke.
    if (error.code() != INTERNAL_ERROR) exchanges.peerBrokeRule(error.code().code(), true);
    // RFC 9113 §6.8: never a higher id than a GOAWAY before said.
    int lastId = Math.min(streams.lastId(), lastAcceptedId);
    writer().goAway(lastId, error.code(), String.valueOf(error.getMessage()));
    closeStreams(new Close.ConnectionLost(error.code() + ": " + error.getMessage()));
    if (!context().channel().isWritable()) {
      context().close(); // the peer does not read: it will not read this either
      return;
    }
    closeAfterFlush();
  }

  @Override
  public void channelInactive(ChannelHandlerContext context) {
    phase = Phase.CLOSED;
    if (handshakeTimer != null) handshakeTimer.cancel(false);
    closeStreams(new Close.ConnectionLost("the connection was closed"));
    reader.close();
    writer().close();
    if (announced) exchanges.connectionClosed(this);
    context.fireChannelInactive();
  }

  private void closeStreams(Close cause) {
    for (var stream : streams.all()) {
      close(stream, StreamTable.Closed.RESET_BY_US, cause);
    }
  }

  /// RFC 9113 §9.2.1: TLS is not renegotiated once HTTP/2 is spoken. The first handshake was over
  /// before this handler came.
  @Override
  public void userEventTriggered(ChannelHandlerContext context, Object event) {
    if (event instanceof SslHandshakeCompletionEvent) {
      fail(new ConnectionError(PROTOCOL_ERROR, "RFC 9113 9.2.1: TLS renegotiation"));
    }
    context.fireUserEventTriggered(event);
  }

  @Override
  public void exceptionCaught(ChannelHandlerContext context, Throwable cause) {
    if (cause instanceof IOException) {
      LOG.log(System.Logger.Level.DEBUG, "{0}: {1}", remoteAddress(), cause);
      context.close();
      return;
    }
    LOG.log(System.Logger.Level.WARNING, "connection from " + remoteAddress() + " broke", cause);
    fail(new ConnectionError(INTERNAL_ERROR, "internal error"));
  }

  // ── Reading ───────────────────────────────────────────────────────────────────────────────────

  @Override
  public void channelRead(ChannelHandlerContext context, Object message) {
    var in = (ByteBuf) message;
    reading = true;
    beginTiming();
    try {
      if (prefaceBytes < PREFACE.length && !readPreface(in)) return;
      while (phase != Phase.CLOSED) {
        try {
          if (!reader.next(in, this)) return;
        } catch (Http2Exception e) {
          answer(e);
        }
      }
    } catch (ConnectionError e) {
      fail(e);
    } finally {
      timing = false;
      in.release();
    }
  }

  private void beginTiming() {
    timing = true;
    turnNanos = 0;
  }

  /// When this read or turn began, as far as anybody asked; now, outside of both.
  long turnNanos() {
    if (!timing) return System.nanoTime();
    if (turnNanos == 0) turnNanos = System.nanoTime();
    return turnNanos;
  }

  @Override
  public void channelReadComplete(ChannelHandlerContext context) {
    reading = false;
    turn();
    context.fireChannelReadComplete();
  }

  /// RFC 9113 §3.4: the first octets of a client, whatever they come in. True when all of them were
  /// there.
  private boolean readPreface(ByteBuf in) throws ConnectionError {
    while (in.isReadable() && prefaceBytes < PREFACE.length) {
      if (in.readByte() != PREFACE[prefaceBytes++]) {
        throw new ConnectionError(PROTOCOL_ERROR, "RFC 9113 3.4: not an HTTP/2 preface");
      }
    }
    return prefaceBytes == PREFACE.length;
  }

  /// RFC 9113 §3.4: SETTINGS is the first frame.
  private void assertOpened() throws ConnectionError {
    if (handshakeTimer != null) {
      throw new ConnectionError(PROTOCOL_ERROR, "RFC 9113 3.4: the first frame is not SETTINGS");
    }
  }

  @Override
  public void headers(int streamId, ByteBuf block, boolean endStream) throws Http2Exception {
    assertOpened();
    var fields = new Fields(8);
    int size;
    try {
      // RFC 9113 §4.3: every block is decoded, also one whose stream is refused, because the table
      // lives on.
      size = hpack.decode(block, fields);
    } catch (HpackException e) {
      throw new ConnectionError(COMPRESSION_ERROR, String.valueOf(e.getMessage()));
    }
    var stream = streams.get(streamId);
    if (stream != null) {
      receiveTrailers(stream, fields, size, endStream);
      return;
    }
    // RFC 9113 §5.1.1: clients use odd ids, each higher than the last.
    if ((streamId & 1) == 0) {
      throw new ConnectionError(PROTOCOL_ERROR, "RFC 9113 5.1.1: HEADERS on even stream");
    }
    if (streamId <= streams.lastId()) {
      receiveLateHeaders(streamId);
      return;
    }
    streams.use(streamId);
    if (streamId > lastAcceptedId) return; // RFC 9113 §6.8: after the final GOAWAY, ignored
    if (streams.size() >= limits.streamsMax()) {
      // RFC 9113 §5.1.2; §8.7: the client may try it again elsewhere.
      throw new StreamError(
          streamId, REFUSED_STREAM, "more than " + limits.streamsMax() + " streams");
    }
    if (size > limits.fieldBytesMax()) {
      refuseFields(streamId, endStream);
      return;
    }
    var fault = fields.requestFault();
    if (fault != null) throw new StreamError(streamId, PROTOCOL_ERROR, fault);
    budget.earn();
    accept(streamId, fields, endStream);
  }

  private void accept(int streamId, Fields request, boolean endStream) throws Http2Exception {
    var stream = new Http2Stream(streamId, this, request, peer.windowBytes(), windowBytes);
    stream.state = stream.state.receiveHeaders(streamId, endStream);
    stream.contentLeft = contentLength(streamId, request);
    if (endStream) checkContentEnd(stream);
    streams.add(stream);
    stream.handler = exchanges.open(stream, endStream);
  }

  /// RFC 9110 §8.6: digits; RFC 9113 §8.1.1: a request that announces another length than it has is
  /// malformed.
  private static long contentLength(int streamId, Fields request) throws StreamError {
    var value = request.value(Field.Kind.CONTENT_LENGTH);
    if (value == null) return Http2Stream.UNKNOWN_LENGTH;
    long length = 0;
    for (int i = 0; i < value.length(); i++) {
      int digit = value.charAt(i) - '0';
      if (digit < 0 || digit > 9 || i > 17) {
        throw new StreamError(streamId, PROTOCOL_ERROR, "RFC 9110 8.6: content-length");
      }
      length = length * 10 + digit;
    }
    if (value.isEmpty()) {
      throw new StreamError(streamId, PROTOCOL_ERROR, "RFC 9110 8.6: content-length");
    }
    return length;
  }

  private void receiveTrailers(Http2Stream stream, Fields trailers, int size, boolean endStream)
      throws Http2Exception {
    stream.state = stream.state.receiveHeaders(stream.id, endStream);
    if (size > limits.fieldBytesMax()) {
      throw new StreamError(stream.id, ENHANCE_YOUR_CALM, "trailers of " + size + " octets");
    }
    var fault = trailers.trailersFault();
    if (fault != null) throw new StreamError(stream.id, PROTOCOL_ERROR, fault);
    receiveEnd(stream, trailers);
  }

  /// HEADERS on a stream that is over (RFC 9113 §5.1).
  private void receiveLateHeaders(int streamId) throws Http2Exception {
    switch (streams.howClosed(streamId)) {
      case RESET_BY_US -> budget.spendOverhead();
      case RESET_BY_PEER ->
          throw new StreamError(streamId, STREAM_CLOSED, "RFC 9113 5.1: HEADERS after RST_STREAM");
      case COMPLETED ->
          throw new ConnectionError(STREAM_CLOSED, "RFC 9113 5.1: HEADERS on a closed stream");
      case UNKNOWN ->
          throw new ConnectionError(PROTOCOL_ERROR, "RFC 9113 5.1.1: stream id went back");
    }
  }

  /// RFC 9113 §10.5.1: 431 (RFC 6585 §5), without a handler.
  private void refuseFields(int streamId, boolean endStream) throws ConnectionError {
    budget.spendReset();
    writer().headers(streamId, TOO_LARGE, true);
    if (!endStream) writer().rstStream(streamId, NO_ERROR.code());
    streams.remember(
        streamId, endStream ? StreamTable.Closed.COMPLETED : StreamTable.Closed.RESET_BY_US);
    controlFrame();
  }

  @Override
  public boolean beginData(int streamId, int length, int payload, boolean endStream)
      throws Http2Exception {
    assertOpened();
    if (payload > 0) {
      budget.earn();
    } else if (!endStream) {
      budget.spendOverhead(); // CVE-2019-9518: empty frames
    }
    if (!receiveWindow.take(length)) {
      throw new ConnectionError(FLOW_CONTROL_ERROR, "RFC 9113 6.9.1: connection window");
    }
    if (bandwidth.receive(length)) writer().ping(BandwidthEstimate.PING, false);
    var stream = streams.get(streamId);
    if (stream == null) {
      giveBackConnection(length);
      receiveLateData(streamId);
      return false;
    }
    if (!stream.state.receives() || !stream.receiveWindow.take(length)) {
      giveBackConnection(
          length); // the stream did not take it, and will not give it back when it closes
      stream.state.receiveData(streamId); // says what is wrong, if it is the state
      throw new StreamError(streamId, FLOW_CONTROL_ERROR, "RFC 9113 6.9.1: stream window");
    }
    if (stream.contentLeft != Http2Stream.UNKNOWN_LENGTH) {
      stream.contentLeft -= payload;
      if (stream.contentLeft < 0) throw contentMismatch(streamId);
    }
    if (!starved && receiveWindow.bytesAvailable() < receiveWindow.size() / 4) gatherCredit();
    // RFC 9113 §6.9.1: padding counts, and nobody above will consume it.
    if (length > payload) giveBack(stream, length - payload);
    receiving = stream;
    return true;
  }

  /// DATA on a stream that is not open (RFC 9113 §5.1).
  private void receiveLateData(int streamId) throws Http2Exception {
    if (streams.isIdle(streamId)) {
      throw new ConnectionError(PROTOCOL_ERROR, "RFC 9113 5.1: DATA on idle stream");
    }
    if (streamId > lastAcceptedId
        || streams.howClosed(streamId) == StreamTable.Closed.RESET_BY_US) {
      return;
    }
    throw new StreamError(streamId, STREAM_CLOSED, "RFC 9113 5.1: DATA on a closed stream");
  }

  @Override
  public void data(ByteBuf in, int length) {
    var stream = receiving;
    if (stream == null || stream.handler == null) return;
    stream.handler.receiveData(in, length);
  }

  @Override
  public void endData(boolean endStream) throws Http2Exception {
    var stream = receiving;
    receiving = null;
    if (!endStream || stream == null || stream.handler == null) return;
    stream.state = stream.state.receiveEndStream(stream.id);
    receiveEnd(stream, Fields.EMPTY);
  }

  private void receiveEnd(Http2Stream stream, Fields trailers) throws StreamError {
    checkContentEnd(stream);
    if (stream.handler != null) stream.handler.receiveEnd(trailers);
  }

  private static void checkContentEnd(Http2Stream stream) throws StreamError {
    if (stream.contentLeft > 0) throw contentMismatch(stream.id);
  }

  private static StreamError contentMismatch(int streamId) {
    return new StreamError(
        streamId, PROTOCOL_ERROR, "RFC 9113 8.1.1: not as long as content-length says");
  }

  @Override
  public void rstStream(int streamId, long code) throws Http2Exception {
    assertOpened();
    if (streams.isIdle(streamId)) {
      throw new ConnectionError(PROTOCOL_ERROR, "RFC 9113 6.4: RST_STREAM on idle stream");
    }
    var stream = streams.get(streamId);
    if (stream == null) {
      budget.spendOverhead();
      return;
    }
    close(stream, StreamTable.Closed.RESET_BY_PEER, new Close.ResetByPeer(code));
    budget.spendReset(); // CVE-2023-44487
  }

  @Override
  public void settings(ByteBuf payload, int length) throws Http2Exception {
    budget.spendOverhead();
    applySettings(payload, length);
    if (handshakeTimer != null) {
      handshakeTimer.cancel(false);
      handshakeTimer = null;
      if (phase == Phase.OPENING) opened();
    }
    writer().settingsAck();
    controlFrame();
  }

  private void applySettings(ByteBuf payload, int length) throws Http2Exception {
    var before = peer;
    peer = before.with(payload, length);
    writer().peerSettings(peer);
    int change = peer.windowBytes() - before.windowBytes();
    if (change == 0) return;
    // RFC 9113 §6.9.2: the change moves the window of every open stream.
    for (var stream : streams.all()) {
      if (!stream.sendWindow.give(change)) {
        throw new ConnectionError(FLOW_CONTROL_ERROR, "RFC 9113 6.9.2: INITIAL_WINDOW_SIZE");
      }
      if (change > 0 && stream.head() != null) sendQueue.add(stream);
    }
  }

  @Override
  public void settingsAck() throws Http2Exception {
    assertOpened();
    budget.spendOverhead();
    hpack.settingsAcknowledged();
  }

  @Override
  public void ping(long opaque, boolean ack) throws Http2Exception {
    assertOpened();
    budget.spendOverhead();
    if (!ack) {
      writer().ping(opaque, true);
      controlFrame();
    } else if (opaque == BandwidthEstimate.PING) {
      growWindows(bandwidth.acknowledged());
    } else if (opaque == DRAIN_PING) {
      drained();
    }
  }

  @Override
  public void goAway(int lastStreamId, long code) throws Http2Exception {
    assertOpened();
    // RFC 9113 §6.8: the client opens no more streams; those that are open go on.
    budget.spendOverhead();
  }

  @Override
  public void windowUpdate(int streamId, int increment) throws Http2Exception {
    assertOpened();
    budget.spendOverhead();
    if (streamId == 0) {
      if (increment == 0) {
        throw new ConnectionError(PROTOCOL_ERROR, "RFC 9113 6.9: WINDOW_UPDATE of 0");
      }
      if (!sendWindow.give(increment)) {
        throw new ConnectionError(FLOW_CONTROL_ERROR, "RFC 9113 6.9.1: window past 2^31-1");
      }
      sendQueue.resume();
      return;
    }
    var stream = streams.get(streamId);
    if (stream == null) {
      if (streams.isIdle(streamId)) {
        throw new ConnectionError(PROTOCOL_ERROR, "RFC 9113 5.1: WINDOW_UPDATE on idle stream");
      }
      return; // RFC 9113 §5.1: may come for a short time after the stream has closed
    }
    if (increment == 0) {
      throw new StreamError(streamId, PROTOCOL_ERROR, "RFC 9113 6.9: WINDOW_UPDATE of 0");
    }
    if (!stream.sendWindow.give(increment)) {
      throw new StreamError(
          streamId, FLOW_CONTROL_ERROR, "RFC 9113 6.9.1: stream window past 2^31-1");
    }
    if (stream.head() != null) sendQueue.add(stream);
  }

  @Override
  public void ignored(int type) throws Http2Exception {
    assertOpened();
    budget.spendOverhead();
  }

  /// What the peer did wrong ends as little as it can (RFC 9113 §5.4).
  private void answer(Http2Exception wrong) {
    try {
      switch (wrong) {
        case StreamError e -> resetStream(e);
        case ConnectionError e -> fail(e);
      }
    } catch (ConnectionError e) {
      fail(e);
    }
  }

  /// RFC 9113 §5.4.2, for what the peer did wrong on one stream.
  private void resetStream(StreamError error) throws ConnectionError {
    int streamId = error.streamId();
    // RFC 9113 §6.4: RST_STREAM is never sent on an idle stream.
    if (streams.isIdle(streamId)) {
      throw new ConnectionError(error.code(), String.valueOf(error.getMessage()));
    }
    LOG.log(
        System.Logger.Level.DEBUG,
        "{0}: stream {1}: {2} {3}",
        remoteAddress(),
        streamId,
        error.code(),
        error.getMessage());
    exchanges.peerBrokeRule(error.code().code(), false);
    writer().rstStream(streamId, error.code().code());
    var stream = streams.get(streamId);
    if (stream != null) {
      close(
          stream,
          StreamTable.Closed.RESET_BY_US,
          new Close.ResetLocally(error.code().code(), String.valueOf(error.getMessage())));
    } else {
      streams.remember(streamId, StreamTable.Closed.RESET_BY_US);
    }
    budget.spendReset(); // CVE-2025-8671: resets that the peer provokes count like its own
    controlFrame();
  }

  /// A frame that answers a frame: bounded while the peer does not read (CVE-2019-9512).
  private void controlFrame() throws ConnectionError {
    writer().endTurn();
    if (context().channel().isWritable()) {
      unreadControlFrames = 0;
    } else if (++unreadControlFrames > AbuseBudget.UNREAD_CONTROL_FRAMES_MAX) {
      throw new ConnectionError(ENHANCE_YOUR_CALM, "acknowledgements are not read");
    }
  }

  // ── Receive windows ───────────────────────────────────────────────────────────────────────────

  /// The stream's handler, or padding, used up so many octets.
  void giveBack(Http2Stream stream, int bytes) {
    if (stream.state == StreamState.CLOSED || bytes == 0) return; // credited when it closed
    int increment = stream.receiveWindow.giveBack(bytes);
    if (increment > 0 && stream.state.receives()) writer().windowUpdate(stream.id, increment);
    giveBackConnection(bytes);
  }

  /// The same, told on the loop: perhaps by a task, behind which no read batch flushes.
  void consumed(Http2Stream stream, int bytes) {
    giveBack(stream, bytes);
    if (!reading && writer().isUnflushed()) loop().execute(turn);
  }

  private void giveBackConnection(int bytes) {
    if (bytes == 0) return;
    int increment = receiveWindow.giveBack(bytes);
    if (increment == 0) return;
    writer().windowUpdate(0, increment);
    starved = false;
  }

  /// The connection's window runs low: takes what call threads hold back, and has them tell at once
  /// until it is full again. Without it many streams, each below the threshold, could hold the
  /// whole window.
  private void gatherCredit() {
    starved = true;
    for (var stream : streams.all()) giveBack(stream, stream.takeCredit());
  }

  private void growConnectionWindow(int bytes) {
    int increment = receiveWindow.grow(bytes);
    if (increment > 0) writer().windowUpdate(0, increment);
  }

  private void growWindows(int newWindowBytes) {
    if (newWindowBytes <= windowBytes) return;
    windowBytes = newWindowBytes;
    writer().settingsWindow(newWindowBytes);
    for (var stream : streams.all()) stream.receiveWindow.grow(newWindowBytes);
    if (newWindowBytes > receiveWindow.size()) growConnectionWindow(newWindowBytes);
  }

  // ── Writing ───────────────────────────────────────────────────────────────────────────────────

  /// Takes an entry for the loop. Any thread.
  void send(Outbox.Entry entry) {
    if (!outbox.push(entry)) return;
    var loop = loop();
    // Within a read batch the turn at its end takes it along.
    if (loop.inEventLoop() && reading) return;
    try {
      loop.execute(turn);
    } catch (RejectedExecutionException e) {
      // The loop has ended, and with it every connection: there is nobody to send to.
      LOG.log(System.Logger.Level.DEBUG, "sent after the server has closed: {0}", entry.stream);
    }
  }

  /// Everything that became ready since the last turn: written in one go, flushed once.
  private void turn() {
    if (phase == Phase.CLOSED) {
      outbox.drain();
      return;
    }
    beginTiming();
    for (var entry = outbox.drain(); entry != null; ) {
      var next = entry.next; // `enqueue` links it anew
      take(entry);
      entry = next;
    }
    writeReady();
    timing = false;
    if (phase != Phase.CLOSED) writer().flush();
  }

  /// In a task nobody above catches what our own bugs throw, and half a turn would leave streams
  /// waiting for ever.
  private void turnAsTask() {
    try {
      turn();
    } catch (RuntimeException | AssertionError e) {
      exceptionCaught(context(), e);
    }
  }

  private void take(Outbox.Entry entry) {
    var stream = entry.stream;
    if (entry.data != null) entry.seal();
    if (stream.state == StreamState.CLOSED) {
      stream.clear(); // sent too late, and dropped
      return;
    }
    if (entry.reset != Outbox.Entry.NO_RESET) {
      writer().rstStream(stream.id, entry.reset);
      close(
          stream,
          StreamTable.Closed.RESET_BY_US,
          new Close.ResetLocally(entry.reset, "reset by the handler"));
      return;
    }
    int credit = stream.takeCredit();
    if (credit > 0) giveBack(stream, credit);
    if (entry.headers == null && entry.data == null && entry.trailers == null) return;
    stream.enqueue(entry);
    sendQueue.add(stream);
  }

  /// While the peer reads, each stream in its turn. When it does not, everything waits, field
  /// sections as well: what the channel holds is bounded by its high-water mark.
  private void writeReady() {
    var channel = context().channel();
    while (channel.isWritable()) {
      var stream = sendQueue.poll();
      if (stream == null) return;
      writeTurn(stream);
      writer().endTurn();
    }
  }

  /// Writes of one stream: its field sections, and one DATA frame at most.
  private void writeTurn(Http2Stream stream) {
    boolean dataWritten = false;
    for (var entry = stream.head(); entry != null; entry = stream.head()) {
      if (entry.headers != null) {
        writer().headers(stream.id, entry.headers, entry.endsWithHeaders);
        entry.headers = null;
        if (entry.endsWithHeaders) {
          ended(stream);
          return;
        }
      }
      if (entry.data != null && stream.pendingBytes > 0) {
        if (dataWritten) {
          sendQueue.add(stream);
          break;
        }
        int bytes = sendable(stream);
        if (bytes == 0) break;
        boolean end = bytes == stream.pendingBytes && stream.endsWithData();
        writer().data(stream.id, bytes, end);
        stream.writeData(writer(), bytes);
        stream.sendWindow.take(bytes);
        sendWindow.take(bytes);
        budget.earn();
        dataWritten = true;
        if (end) {
          ended(stream);
          return;
        }
        continue;
      }
      entry.data = null;
      if (entry.trailers != null) {
        if (entry.trailers.size() == 0) {
          writer().data(stream.id, 0, true);
        } else {
          writer().headers(stream.id, entry.trailers, true);
        }
        ended(stream);
        return;
      }
      stream.removeHead();
    }
    if (dataWritten && stream.handler != null) stream.handler.sent(stream.unsentBytes());
  }

  /// How many octets of what waits may go into the next DATA frame. With 0 the stream waits for a
  /// WINDOW_UPDATE.
  private int sendable(Http2Stream stream) {
    int ofStream = stream.sendWindow.bytesAvailable();
    if (ofStream == 0) return 0;
    int ofConnection = sendWindow.bytesAvailable();
    if (ofConnection == 0) {
      sendQueue.setAside(stream);
      return 0;
    }
    return Math.min(
        Math.min(stream.pendingBytes, writer().payloadBytesMax()),
        Math.min(ofStream, ofConnection));
  }

  /// We sent END_STREAM.
  private void ended(Http2Stream stream) {
    stream.state = stream.state.sendEndStream();
    if (stream.state == StreamState.CLOSED) {
      close(stream, StreamTable.Closed.COMPLETED, Close.COMPLETED);
      return;
    }
    // RFC 9113 §8.1: the response is whole, the rest of the request is not needed.
    writer().rstStream(stream.id, NO_ERROR.code());
    close(stream, StreamTable.Closed.RESET_BY_US, Close.COMPLETED);
  }

  private void close(Http2Stream stream, StreamTable.Closed how, Close cause) {
    stream.state = StreamState.CLOSED;
    streams.remove(stream.id, how);
    sendQueue.remove(stream);
    stream.clear();
    if (receiving == stream) receiving = null;
    var handler = stream.handler;
    stream.handler = null;
    if (phase != Phase.CLOSED) giveBackConnection(stream.receiveWindow.bytesUncredited());
    if (handler != null) handler.closed(cause);
    closeWhenDone();
  }

  @Override
  public void channelWritabilityChanged(ChannelHandlerContext context) {
    if (context.channel().isWritable() && !reading) turn();
    context.fireChannelWritabilityChanged();
  }

  // ── What streams ask ──────────────────────────────────────────────────────────────────────────

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

  private static final SocketAddress UNKNOWN_ADDRESS =
      new io.netty.channel.local.LocalAddress("unknown");

  @Nullable SSLSession tlsSession() {
    return tlsSession;
  }

  /// Whether stream 1 is the request that upgraded from HTTP/1.1.
  boolean isUpgraded() {
    return upgraded;
  }

  /// Whether call threads must tell at once what they used up.
  boolean isStarved() {
    return starved;
  }

  int creditBytesMin() {
    return CREDIT_BYTES_MIN;
  }

  @Override
  public Channel channel() {
    return context().channel();
  }

  private ChannelHandlerContext context() {
    if (ctx == null) throw new IllegalStateException("not in a pipeline");
    return ctx;
  }

  ResponseArrays arrays() {
    if (arrays == null) throw new IllegalStateException("not in a pipeline");
    return arrays;
  }

  private FrameWriter writer() {
    if (writer == null) throw new IllegalStateException("not in a pipeline");
    return writer;
  }

  private void assertOnLoop() {
    assert loop().inEventLoop() : "off the loop: " + Thread.currentThread();
  }

  @Override
  public String toString() {
    return "HTTP/2 connection " + (ctx == null ? "" : remoteAddress()) + " " + phase;
  }
}
