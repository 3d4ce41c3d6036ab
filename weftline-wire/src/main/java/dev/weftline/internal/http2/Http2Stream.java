package dev.weftline.internal.http2;

import dev.weftline.internal.http.Exchange;
import dev.weftline.internal.http.ExchangeHandler;
import dev.weftline.internal.http.Fields;
import io.netty.util.concurrent.EventExecutor;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.net.SocketAddress;
import java.util.Arrays;
import javax.net.ssl.SSLSession;
import org.jspecify.annotations.Nullable;

/// One stream as an exchange: its state, its two windows, and what waits to be written on it. The
/// sending methods of [Exchange] go through the [Outbox]; everything else is confined to the loop
/// and moved by [Http2Connection].
///
/// Hot: one is made per request.
final class Http2Stream implements Exchange {
  private static final VarHandle SENT_BYTES;
  private static final VarHandle CREDIT;

  static {
    try {
      var lookup = MethodHandles.lookup();
      SENT_BYTES = lookup.findVarHandle(Http2Stream.class, "sentBytes", int.class);
      CREDIT = lookup.findVarHandle(Http2Stream.class, "credit", int.class);
    } catch (ReflectiveOperationException e) {
      throw new ExceptionInInitializerError(e);
    }
  }

  final int id;
  final Http2Connection connection;
  final Fields request;

  // Loop.
  StreamState state;
  final SendWindow sendWindow;
  final ReceiveWindow receiveWindow;
  @Nullable ExchangeHandler handler; // from its open until it was told of the end
  long contentLeft; // RFC 9113 §8.1.1: what content-length still announces, or UNKNOWN_LENGTH
  boolean queued; // stands in the SendQueue
  private boolean ending; // the end of the response was enqueued: nothing goes behind it
  int pendingBytes; // DATA octets in the entries below
  private int headOffset; // octets of the head entry's data that are written
  private Outbox.@Nullable Entry head;
  private Outbox.@Nullable Entry tail;

  // Whoever sends.
  private Outbox.@Nullable Entry open; // the last one sent, while more may be put into it
  private byte[] openData = NO_DATA; // its array; the loop drops its own reference
  private int openLength;
  private boolean openSent;

  // Any thread.
  private volatile int sentBytes; // written by whoever sends; both may wrap around
  private volatile int writtenBytes; // written by the loop
  private volatile int credit;

  static final long UNKNOWN_LENGTH = -1;

  private static final byte[] NO_DATA = {};

  /// What small messages share an array of: a DATA frame's worth at most (RFC 9113 §4.2), so that a
  /// stream whose reader is slow keeps little room that it does not use.
  private static final int ROOM_BYTES_MIN = 512;

  private static final int ROOM_BYTES_MAX = 16 << 10;

  Http2Stream(
      int id, Http2Connection connection, Fields request, int sendWindow, int receiveWindow) {
    this.id = id;
    this.connection = connection;
    this.request = request;
    this.state = StreamState.IDLE;
    this.sendWindow = new SendWindow(sendWindow);
    this.receiveWindow = new ReceiveWindow(receiveWindow);
  }

  // Any thread.

  @Override
  public Fields request() {
    return request;
  }

  @Override
  public boolean isUpgrade() {
    return id == 1 && connection.isUpgraded();
  }

  @Override
  public void sendHeaders(Fields headers) {
    open = null;
    connection.send(new Outbox.Entry(this, headers, null, null));
  }

  @Override
  public void sendHeadersOnly(Fields headers) {
    var entry = new Outbox.Entry(this, headers, null, null);
    entry.endsWithHeaders = true;
    connection.send(entry);
  }

  @Override
  public void sendData(byte[] data) {
    open = null;
    countSent(data.length);
    connection.send(new Outbox.Entry(this, null, data, null));
  }

  @Override
  public byte[] room(int length) {
    var last = open;
    int bytes = length;
    if (last != null && !last.isSealed()) {
      if (openData.length - openLength >= length) return openData;
      // The loop is behind: several pieces may share the next array.
      bytes = Math.max(length, Math.clamp(2L * openData.length, ROOM_BYTES_MIN, ROOM_BYTES_MAX));
    }
    var data = new byte[bytes];
    open = Outbox.Entry.open(this, data, 0);
    openData = data;
    openLength = 0;
    openSent = false;
    return data;
  }

  @Override
  public int roomStart() {
    return openLength;
  }

  @Override
  public void sendRoom(int length) {
    var entry = open;
    if (entry == null) throw new IllegalStateException("no room was asked for");
    countSent(length);
    if (entry.grow(openLength, length)) {
      openLength += length;
      if (openSent) return;
      openSent = true;
      connection.send(entry);
      return;
    }
    // The loop took the entry while its room was written to.
    var data = Arrays.copyOfRange(openData, openLength, openLength + length);
    var next = Outbox.Entry.open(this, data, length);
    open = next;
    openData = data;
    openLength = length;
    connection.send(next);
  }

  @Override
  public void sendTrailers(Fields trailers) {
    connection.send(new Outbox.Entry(this, null, null, trailers));
  }

  @Override
  public byte[] array(int length) {
    return connection.arrays().take(length);
  }

  @Override
  public void respond(Fields headers, byte[] data, int length, Fields trailers) {
    countSent(length);
    var entry = new Outbox.Entry(this, headers, data, length, trailers);
    entry.recycled = true;
    connection.send(entry);
  }

  /// One thread sends at a time, so this needs no atomic addition.
  private void countSent(int bytes) {
    SENT_BYTES.setRelease(this, (int) SENT_BYTES.get(this) + bytes);
  }

  @Override
  public void reset(long code) {
    var entry = new Outbox.Entry(this, null, null, null);
    entry.reset = code;
    connection.send(entry);
  }

  @Override
  public int unsentBytes() {
    int written = writtenBytes; // first: it never passes what was sent
    return sentBytes - written;
  }

  @Override
  public void consumed(int bytes) {
    if (onLoop()) {
      connection.consumed(this, bytes);
      return;
    }
    int total = (int) CREDIT.getAndAdd(this, bytes) + bytes;
    // Order matters: the connection raises `starved` and then gathers; we add and then look. One of
    // the two sees the other.
    if (total >= connection.creditBytesMin() || connection.isStarved()) {
      connection.send(new Outbox.Entry(this, null, null, null));
    }
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
  public long turnNanos() {
    return connection.turnNanos();
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

  /// What call threads used up since it was last asked.
  int takeCredit() {
    return credit == 0 ? 0 : (int) CREDIT.getAndSet(this, 0);
  }

  /// Puts an entry from the outbox behind what waits already.
  void enqueue(Outbox.Entry entry) {
    // A sender may not have seen yet that the response was ended beside it.
    if (ending) return;
    ending = entry.trailers != null || entry.endsWithHeaders;
    entry.next = null;
    if (tail == null) {
      head = entry;
    } else {
      tail.next = entry;
    }
    tail = entry;
    if (entry.data != null) pendingBytes += entry.length();
  }

  Outbox.@Nullable Entry head() {
    return head;
  }

  /// Whether the last octets of what waits are the last of the response, with no trailers behind
  /// them.
  boolean endsWithData() {
    return tail != null && tail.trailers != null && tail.trailers.size() == 0;
  }

  void removeHead() {
    assert head != null;
    head = head.next;
    headOffset = 0;
    if (head == null) tail = null;
  }

  /// Copies the next `bytes` octets that wait to the writer, over as many entries as they span.
  void writeData(FrameWriter writer, int bytes) {
    pendingBytes -= bytes;
    // Volatile: who waits for room tells us so before it looks at this.
    int written = writtenBytes;
    writtenBytes = written + bytes;
    for (int left = bytes; left > 0; ) {
      var entry = head;
      assert entry != null : "pendingBytes does not add up";
      byte[] data = entry.data;
      if (data == null) {
        removeHead();
        continue;
      }
      int length = entry.length();
      int part = Math.min(left, length - headOffset);
      writer.dataBytes(data, headOffset, part);
      left -= part;
      headOffset += part;
      if (headOffset < length) return;
      if (entry.recycled) connection.arrays().give(data);
      entry.data = null;
      headOffset = 0;
      if (entry.trailers == null) removeHead();
    }
  }

  /// The stream is over: nothing waits any more.
  void clear() {
    head = null;
    tail = null;
    pendingBytes = 0;
    writtenBytes = sentBytes;
  }

  @Override
  public String toString() {
    return "stream " + id + " " + state;
  }
}
