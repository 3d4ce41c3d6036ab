package dev.weftline.internal.net;

import static org.assertj.core.api.Assertions.assertThat;

import dev.weftline.internal.http.Connection;
import dev.weftline.internal.http.Exchange;
import dev.weftline.internal.http.ExchangeHandler;
import dev.weftline.internal.http.Field;
import dev.weftline.internal.http.Fields;
import dev.weftline.internal.http2.Http2Connection;
import dev.weftline.internal.http2.Http2Limits;
import io.netty.buffer.ByteBuf;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import org.jspecify.annotations.Nullable;

/// A whole server on real sockets that answers each request with its own method and path.
final class EchoServer implements AutoCloseable, ExchangeHandler.Factory {
  static final int HANDSHAKE_MILLIS = 400;

  static final Http2Limits LIMITS =
      new Http2Limits(100, 1_024, 65_535, 4 << 20, HANDSHAKE_MILLIS, 4_096);

  private static final Fields OK = Fields.constant(Field.of(":status", "200"));

  final Listener listener;

  /// The handlers of each connection's pipeline, at the time its first exchange could begin.
  final List<List<String>> pipelines = new CopyOnWriteArrayList<>();

  private final Loops loops;

  EchoServer(@Nullable Tls tls, SocketAddress... addresses) throws IOException {
    this(Transport.preferred(), tls, addresses);
  }

  EchoServer(Transport transport, @Nullable Tls tls, SocketAddress... addresses)
      throws IOException {
    loops = Loops.open(transport, 2);
    listener =
        Listener.bind(
            loops,
            List.of(addresses),
            Listener.Options.DEFAULT,
            () -> new Handshake(LIMITS, tls, this, () -> new Http2Connection(LIMITS, this)));
  }

  static EchoServer onLoopback() throws IOException {
    return new EchoServer(null, loopback());
  }

  static InetSocketAddress loopback() {
    return new InetSocketAddress(InetAddress.ofLiteral("127.0.0.1"), 0);
  }

  int port() {
    return ((InetSocketAddress) listener.addresses().getFirst()).getPort();
  }

  void awaitConnections(int count) throws InterruptedException {
    awaitConnections(listener, count);
  }

  static void awaitConnections(Listener listener, int count) throws InterruptedException {
    for (int i = 0; i < 1_000 && listener.openConnections() != count; i++) Thread.sleep(10);
    assertThat(listener.openConnections()).isEqualTo(count);
  }

  @Override
  public ExchangeHandler open(Exchange exchange, boolean endOfRequest) {
    var handler = new Echo(exchange);
    if (endOfRequest) handler.answer();
    return handler;
  }

  @Override
  public void connectionOpened(Object connection) {
    // The handler that chose the protocol leaves within this turn of the loop.
    var channel = ((Connection) connection).channel();
    channel.eventLoop().execute(() -> pipelines.add(channel.pipeline().names()));
  }

  @Override
  public void close() {
    listener.close();
    loops.close();
  }

  private record Echo(Exchange exchange) implements ExchangeHandler {
    void answer() {
      var request = exchange.request();
      var text = request.value(Field.Kind.METHOD) + " " + request.value(Field.Kind.PATH);
      exchange.respond(OK, text.getBytes(StandardCharsets.US_ASCII), Fields.EMPTY);
    }

    @Override
    public void receiveData(ByteBuf data, int length) {
      data.skipBytes(length);
      exchange.consumed(length);
    }

    @Override
    public void receiveEnd(Fields trailers) {
      answer();
    }

    @Override
    public void sent(int unsentBytes) {}

    @Override
    public void closed(Close cause) {}
  }
}
