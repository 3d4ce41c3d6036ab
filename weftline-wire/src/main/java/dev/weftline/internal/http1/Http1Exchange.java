package dev.weftline.internal.http1;

import dev.weftline.internal.http.DateField;
import dev.weftline.internal.http.Exchange;
import dev.weftline.internal.http.Field;
import dev.weftline.internal.http.Fields;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.ChannelHandlerContext;
import io.netty.handler.codec.http.HttpResponseStatus;
import io.netty.util.concurrent.EventExecutor;
import java.net.SocketAddress;
import java.nio.charset.StandardCharsets;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import javax.net.ssl.SSLSession;
import org.jspecify.annotations.Nullable;

/// One HTTP/1.x request with its response. The sending methods of [Exchange] put what they send
/// into a queue; everything else is confined to the loop and moved by [Http1Connection].
final class Http1Exchange implements Exchange {
  /// What one sending method was given. The queue is bounded as with HTTP/2: who sends waits for
  /// `unsentBytes`.
  @SuppressWarnings("ArrayRecordComponent") // never compared
  private sealed interface Sent {
    record Head(Fields headers, boolean end) implements Sent {}

    record Data(byte[] data, int length) implements Sent {}

    record End(Fields trailers) implements Sent {}

    record Whole(Fields headers, byte[] data, int length, Fields trailers) implements Sent {}
  }

  /// How the client knows where the content ends (RFC 9112 §6.3).
  private enum Framing {
    /// By Content-Length.
    LENGTH,
    CHUNKED,
    /// HTTP/1.0: by the end of the connection.
    CLOSE,
    /// There is none: to HEAD, and with some status codes.
    NONE
  }

  private enum State {
    HEAD,
    BODY,
    OVER
  }

  private static final long NO_RESET = -1;

  /// Octets of content written in one step, so that a large response does not fill the channel
  /// beyond its high-water mark.
  private static final int PIECE_BYTES = 16 << 10;

  private static final byte[] LAST_CHUNK = "0\r\n".getBytes(StandardCharsets.US_ASCII);

  private final Http1Connection connection;
  private final RequestHead.Accepted head;

  // Any thread.
  private final Queue<Sent> sent = new ConcurrentLinkedQueue<>();
  private final AtomicBoolean turnAsked = new AtomicBoolean();
  private final AtomicInteger unsent = new AtomicInteger();
  private final AtomicInteger credit = new AtomicInteger();
  private volatile long reset = NO_RESET;
  private volatile State state = State.HEAD; // written by the loop

  private byte[] room = {}; // whoever sends

  // Loop.
  private Framing framing = Framing.NONE;
  private byte @Nullable [] data; // being written
  private int offset;
  private int length;
  private @Nullable Fields trailers; // behind it, when that is the end

  Http1Exchange(Http1Connection connection, RequestHead.Accepted head) {
    this.connection = connection;
    this.head = head;
  }

  // Any thread.

  @Override
  public Fields request() {
    return head.fields();
  }

  @Override
  public boolean isHttp1() {
    return true;
  }

  @Override
  public void sendHeaders(Fields headers) {
    send(new Sent.Head(headers, false));
  }

  @Override
  public void sendHeadersOnly(Fields headers) {
    send(new Sent.Head(headers, true));
  }

  @Override
  public void sendData(byte[] bytes) {
    unsent.addAndGet(bytes.length);
    send(new Sent.Data(bytes, bytes.length));
  }

  @Override
  public byte[] room(int bytes) {
    room = new byte[bytes];
    return room;
  }

  @Override
  public int roomStart() {
    return 0;
  }

  @Override
  public void sendRoom(int bytes) {
    unsent.addAndGet(bytes);
    send(new Sent.Data(room, bytes));
  }

  @Override
  public void sendTrailers(Fields fields) {
    send(new Sent.End(fields));
  }

  @Override
  public byte[] array(int bytes) {
    return new byte[bytes];
  }

  @Override
  public void respond(Fields headers, byte[] bytes, int count, Fields fields) {
    unsent.addAndGet(count);
    send(new Sent.Whole(headers, bytes, count, fields));
  }

  @Override
  public void reset(long code) {
    reset = code;
    askTurn();
  }

  private void send(Sent what) {
    if (state == State.OVER) return;
    sent.add(what);
    askTurn();
  }

  private void askTurn() {
    if (turnAsked.compareAndSet(false, true)) connection.askTurn();
  }

  @Override
  public int unsentBytes() {
    return state == State.OVER ? 0 : unsent.get();
  }

  @Override
  public void consumed(int bytes) {
    // The first of several tells the loop, which takes them all.
    if (credit.getAndAdd(bytes) == 0) connection.askTurn();
  }

  @Override
  public void execute(Runnable task) {
    connection.loop().execute(task);
  }

  @Override
  public boolean onLoop() {
    return connection.loop().inEventLoop();
  }

  @Override
  public EventExecutor loop() {
    return connection.loop();
  }

  @Override
  public SocketAddress remoteAddress() {
    return connection.remoteAddress();
  }

  @Override
  public SocketAddress localAddress() {
    return connection.localAddress();
  }

  @Override
  public @Nullable SSLSession tlsSession() {
    return connection.tlsSession();
  }

  @Override
  public Object connection() {
    return connection;
  }

  // Loop.

  RequestHead.Accepted head() {
    return head;
  }

  /// Whether nothing of a response has been sent yet.
  boolean isUnanswered() {
    return state == State.HEAD && sent.isEmpty() && reset == NO_RESET;
  }

  boolean hasBegun() {
    return state != State.HEAD;
  }

  boolean isOver() {
    return state == State.OVER;
  }

  /// Whether the handler asked for the end of the connection.
  boolean isReset() {
    return reset != NO_RESET;
  }

  long resetCode() {
    return reset;
  }

  /// What the handler used up since it was last asked.
  int takeCredit() {
    return credit.get() == 0 ? 0 : credit.getAndSet(0);
  }

  /// Writes what was sent, while the socket takes it. True when some of the content was.
  boolean write(ChannelHandlerContext ctx) {
    turnAsked.set(false);
    boolean wroteContent = false;
    while (state != State.OVER && ctx.channel().isWritable()) {
      if (data != null) {
        writePiece(ctx);
        wroteContent = true;
        continue;
      }
      if (trailers != null) {
        end(ctx, trailers);
        return wroteContent;
      }
      var next = sent.poll();
      if (next == null) return wroteContent;
      take(ctx, next);
    }
    return wroteContent;
  }

  private void take(ChannelHandlerContext ctx, Sent next) {
    switch (next) {
      case Sent.Head(Fields headers, boolean end) -> {
        writeHead(ctx, headers, end ? 0 : -1, end);
        if (end) trailers = Fields.EMPTY;
      }
      case Sent.Whole(Fields headers, byte[] bytes, int count, Fields fields) -> {
        boolean plain = fields.size() == 0;
        writeHead(ctx, headers, plain ? count : -1, true);
        content(bytes, count);
        trailers = fields;
      }
      case Sent.Data(byte[] bytes, int count) -> content(bytes, count);
      case Sent.End(Fields fields) -> trailers = fields;
    }
  }

  private void content(byte[] bytes, int count) {
    if (state == State.HEAD) throw new IllegalStateException("content before the header section");
    if (framing == Framing.NONE || count == 0) {
      unsent.addAndGet(-count);
      return;
    }
    data = bytes;
    offset = 0;
    length = count;
  }

  private void writePiece(ChannelHandlerContext ctx) {
    var bytes = data;
    assert bytes != null;
    int piece = Math.min(PIECE_BYTES, length - offset);
    if (framing == Framing.CHUNKED) writeText(ctx, Integer.toHexString(piece) + "\r\n");
    ctx.write(Unpooled.wrappedBuffer(bytes, offset, piece));
    if (framing == Framing.CHUNKED) writeText(ctx, "\r\n");
    unsent.addAndGet(-piece);
    offset += piece;
    if (offset == length) data = null;
  }

  private void end(ChannelHandlerContext ctx, Fields fields) {
    if (state == State.HEAD) throw new IllegalStateException("an end before the header section");
    if (framing == Framing.CHUNKED) {
      var out = ctx.alloc().buffer();
      out.writeBytes(LAST_CHUNK);
      for (int i = 0; i < fields.size(); i++) writeField(out, fields.get(i));
      crlf(out);
      ctx.write(out);
    }
    over();
  }

  /// Nothing is written any more, and who waits for room need not.
  void over() {
    state = State.OVER;
    data = null;
    sent.clear();
  }

  /// RFC 9112 §4, §6.
  ///
  /// @param contentBytes how long the content is; -1 when that shows later
  /// @param atOnce whether the end of the response was sent with it
  private void writeHead(
      ChannelHandlerContext ctx, Fields headers, int contentBytes, boolean atOnce) {
    if (state != State.HEAD) throw new IllegalStateException("a second header section");
    state = State.BODY;
    int status = status(headers);
    boolean bodiless = status == 204 || status == 304;
    boolean toHead = "HEAD".equals(head.fields().value(Field.Kind.METHOD));
    var length = headers.value(Field.Kind.CONTENT_LENGTH);
    if (toHead) {
      // RFC 9110 §8.6: as long as it would be to GET, where that is known.
      if (length == null && contentBytes > 0) length = String.valueOf(contentBytes);
    } else if (contentBytes >= 0) {
      length = String.valueOf(contentBytes);
    }
    if (bodiless) length = null;
    if (bodiless || toHead) framing = Framing.NONE;
    else if (length != null) framing = Framing.LENGTH;
    else framing = head.http10() ? Framing.CLOSE : Framing.CHUNKED;
    if (framing == Framing.CLOSE) connection.endWithResponse();

    var out = ctx.alloc().buffer(256);
    ascii(out, "HTTP/1.1 ");
    ascii(out, String.valueOf(status));
    out.writeByte(' ');
    ascii(out, HttpResponseStatus.valueOf(status).reasonPhrase());
    crlf(out);
    for (int i = 0; i < headers.size(); i++) {
      var field = headers.get(i);
      if (field.kind() == Field.Kind.REGULAR) writeField(out, field);
    }
    if (headers.value("date") == null) writeField(out, DateField.now());
    if (length != null) writeField(out, Field.of("content-length", length));
    if (framing == Framing.CHUNKED) ascii(out, "transfer-encoding: chunked\r\n");
    if (status == 426 && connection.tlsSession() == null) {
      // RFC 9110 §15.5.22: a 426 says what to upgrade to, and §7.8: Connection names Upgrade.
      ascii(out, "upgrade: h2c\r\nconnection: upgrade\r\n");
    }
    if (connection.endsWithResponse(atOnce)) ascii(out, "connection: close\r\n");
    else if (head.http10()) ascii(out, "connection: keep-alive\r\n");
    crlf(out);
    ctx.write(out);
  }

  private static int status(Fields headers) {
    var status = headers.value(Field.Kind.STATUS);
    if (status == null) throw new IllegalStateException("a response without :status");
    return Integer.parseInt(status);
  }

  /// RFC 9112 §5. A value with a line break in it cannot come here: such a field is MALFORMED.
  private static void writeField(ByteBuf out, Field field) {
    if (field.kind() == Field.Kind.MALFORMED) return;
    out.writeBytes(field.nameOctets());
    ascii(out, ": ");
    out.writeBytes(field.valueOctets());
    crlf(out);
  }

  private static void writeText(ChannelHandlerContext ctx, String text) {
    ctx.write(Unpooled.wrappedBuffer(text.getBytes(StandardCharsets.US_ASCII)));
  }

  private static void ascii(ByteBuf out, String text) {
    out.writeCharSequence(text, StandardCharsets.US_ASCII);
  }

  private static void crlf(ByteBuf out) {
    out.writeByte('\r').writeByte('\n');
  }

  @Override
  public String toString() {
    return "HTTP/1 exchange " + state;
  }
}
