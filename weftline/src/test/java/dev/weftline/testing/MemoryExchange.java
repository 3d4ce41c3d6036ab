package dev.weftline.testing;

import static org.assertj.core.api.Assertions.assertThat;

import dev.weftline.internal.http.Exchange;
import dev.weftline.internal.http.ExchangeHandler;
import dev.weftline.internal.http.ExchangeHandler.Close;
import dev.weftline.internal.http.Fields;
import dev.weftline.internal.protocol.Envelope;
import io.netty.buffer.Unpooled;
import io.netty.channel.DefaultEventLoop;
import io.netty.channel.EventLoop;
import java.io.ByteArrayOutputStream;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import javax.net.ssl.SSLSession;
import org.jspecify.annotations.Nullable;

/// An exchange without a connection, for tests of what stands on it: a real loop, a window that the
/// test opens and closes, and a record of everything sent.
public final class MemoryExchange implements Exchange {
  private sealed interface Sent {
    record Head(Fields fields, boolean end) implements Sent {}

    @SuppressWarnings("ArrayRecordComponent") // never compared
    record Data(byte[] bytes) implements Sent {}

    record Trailers(Fields fields) implements Sent {}
  }

  private static final EventLoop LOOP = new DefaultEventLoop();

  private final Fields request;
  private final AtomicInteger unsent = new AtomicInteger();
  private final AtomicInteger consumed = new AtomicInteger();
  private final CompletableFuture<Close> closed = new CompletableFuture<>();

  private byte[] room = {}; // whoever sends

  // Loop only.
  private final ArrayDeque<Sent> waiting = new ArrayDeque<>();
  private final ByteArrayOutputStream body = new ByteArrayOutputStream();
  private final List<String> order = new ArrayList<>();
  private long window = Long.MAX_VALUE;
  private @Nullable ExchangeHandler handler;
  private @Nullable Fields headers;
  private @Nullable Fields trailers;

  private MemoryExchange(Fields request) {
    this.request = request;
  }

  /// Opens an exchange on `factory`, as the loop does.
  public static MemoryExchange open(
      ExchangeHandler.Factory factory, Fields request, boolean endOfRequest) {
    var exchange = new MemoryExchange(request);
    onLoopDo(() -> exchange.handler = factory.open(exchange, endOfRequest));
    return exchange;
  }

  /// The header section of an ordinary gRPC request.
  public static Fields request(String path) {
    return new Fields(8)
        .add(":method", "POST")
        .add(":scheme", "http")
        .add(":path", path)
        .add(":authority", "test.example")
        .add("te", "trailers")
        .add("content-type", "application/grpc");
  }

  /// A message with its prefix.
  public static byte[] framed(byte[] message) {
    var framed = new byte[Envelope.PREFIX_BYTES + message.length];
    System.arraycopy(message, 0, framed, Envelope.PREFIX_BYTES, message.length);
    return Envelope.prefix(framed, false);
  }

  // What the peer does.

  public MemoryExchange data(byte[] bytes) {
    onLoopDo(() -> deliver(bytes));
    return this;
  }

  /// The whole request body in one step of the loop.
  public MemoryExchange dataAndEnd(byte[] bytes) {
    onLoopDo(() -> {
      deliver(bytes);
      if (handler != null) handler.receiveEnd(Fields.EMPTY);
    });
    return this;
  }

  private void deliver(byte[] bytes) {
    if (handler == null) return;
    var buffer = Unpooled.wrappedBuffer(bytes);
    handler.receiveData(buffer, bytes.length);
    assertThat(buffer.readableBytes()).as("unread by receiveData").isZero();
  }

  public MemoryExchange end() {
    onLoopDo(() -> {
      if (handler != null) handler.receiveEnd(Fields.EMPTY);
    });
    return this;
  }

  public void peerResets(long code) {
    onLoopDo(() -> close(new Close.ResetByPeer(code)));
  }

  /// Lets this much more of the response out.
  public void window(long bytes) {
    onLoopDo(() -> {
      window = bytes;
      flush();
    });
  }

  // What the peer sees.

  /// Waits for the end of the exchange.
  public MemoryExchange await() {
    await(Close.Completed.class);
    return this;
  }

  public Close await(Class<? extends Close> kind) {
    try {
      var cause = closed.get(10, TimeUnit.SECONDS);
      assertThat(cause).isInstanceOf(kind);
      return cause;
    } catch (Exception e) {
      throw new AssertionError("exchange did not end; sent so far: " + order(), e);
    }
  }

  public Fields headers() {
    return onLoopGet(() -> headers == null ? Fields.EMPTY : headers);
  }

  public Fields trailers() {
    return onLoopGet(() -> trailers == null ? Fields.EMPTY : trailers);
  }

  public @Nullable String status() {
    return trailers().value("grpc-status");
  }

  public @Nullable String message() {
    return trailers().value("grpc-message");
  }

  public byte[] body() {
    return onLoopGet(body::toByteArray);
  }

  /// The messages received so far, without their prefixes.
  public List<byte[]> messages() {
    var in = Unpooled.wrappedBuffer(body());
    var messages = new ArrayList<byte[]>();
    while (in.isReadable()) {
      in.skipBytes(1);
      var message = new byte[in.readInt()];
      in.readBytes(message);
      messages.add(message);
    }
    return messages;
  }

  public List<String> order() {
    return onLoopGet(() -> List.copyOf(order));
  }

  public int consumedBytes() {
    return consumed.get();
  }

  // The exchange.

  @Override
  public Fields request() {
    return request;
  }

  @Override
  public void sendHeaders(Fields fields) {
    send(new Sent.Head(fields, false));
  }

  @Override
  public void sendHeadersOnly(Fields fields) {
    send(new Sent.Head(fields, true));
  }

  @Override
  public void sendData(byte[] data) {
    unsent.addAndGet(data.length);
    send(new Sent.Data(data));
  }

  @Override
  public byte[] room(int length) {
    room = new byte[length];
    return room;
  }

  @Override
  public int roomStart() {
    return 0;
  }

  @Override
  public void sendRoom(int length) {
    assertThat(room).hasSize(length);
    sendData(room);
  }

  @Override
  public void sendTrailers(Fields fields) {
    send(new Sent.Trailers(fields));
  }

  @Override
  public byte[] array(int length) {
    return new byte[length];
  }

  @Override
  public void respond(Fields head, byte[] data, int length, Fields end) {
    assertThat(data).hasSize(length);
    unsent.addAndGet(length);
    LOOP.execute(() -> {
      waiting.add(new Sent.Head(head, false));
      waiting.add(new Sent.Data(data));
      waiting.add(new Sent.Trailers(end));
      flush();
    });
  }

  private void send(Sent sent) {
    LOOP.execute(() -> {
      waiting.add(sent);
      flush();
    });
  }

  private void flush() {
    boolean wrote = false;
    while (!closed.isDone()) {
      var next = waiting.peek();
      if (next == null) break;
      switch (next) {
        case Sent.Head(Fields fields, boolean end) -> {
          headers = fields;
          order.add("headers");
          if (end) {
            trailers = fields;
            close(Close.COMPLETED);
          }
        }
        case Sent.Data(byte[] bytes) -> {
          if (window < bytes.length) {
            if (wrote && handler != null) handler.sent(unsent.get());
            return;
          }
          window -= bytes.length;
          unsent.addAndGet(-bytes.length);
          body.writeBytes(bytes);
          order.add("data " + bytes.length);
          wrote = true;
        }
        case Sent.Trailers(Fields fields) -> {
          trailers = fields;
          order.add("trailers");
          close(Close.COMPLETED);
        }
      }
      waiting.poll();
    }
    if (wrote && handler != null && !closed.isDone()) handler.sent(unsent.get());
  }

  @Override
  public void reset(long code) {
    LOOP.execute(() -> close(new Close.ResetLocally(code, "reset by the handler")));
  }

  private void close(Close cause) {
    if (closed.isDone()) return;
    var told = handler;
    handler = null;
    if (told != null) told.closed(cause);
    closed.complete(cause);
  }

  @Override
  public int unsentBytes() {
    return unsent.get();
  }

  @Override
  public void consumed(int bytes) {
    assertThat(bytes).isNotNegative();
    consumed.addAndGet(bytes);
  }

  @Override
  public void execute(Runnable task) {
    LOOP.execute(task);
  }

  @Override
  public boolean onLoop() {
    return LOOP.inEventLoop();
  }

  @Override
  public EventLoop loop() {
    return LOOP;
  }

  @Override
  public SocketAddress remoteAddress() {
    return InetSocketAddress.createUnresolved("peer.example", 1234);
  }

  @Override
  public SocketAddress localAddress() {
    return InetSocketAddress.createUnresolved("server.example", 443);
  }

  @Override
  public @Nullable SSLSession tlsSession() {
    return null;
  }

  @Override
  public Object connection() {
    return this;
  }

  // The loop.

  /// Runs `task` on the loop and waits for it.
  public static void onLoopDo(Runnable task) {
    LOOP.submit(task).syncUninterruptibly();
  }

  private static <T> T onLoopGet(java.util.concurrent.Callable<T> task) {
    return LOOP.submit(task).syncUninterruptibly().getNow();
  }
}
