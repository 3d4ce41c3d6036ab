package dev.weftline.internal.testing;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.assertj.core.api.Assertions.assertThat;

import dev.weftline.internal.http.ConnectionEnd;
import dev.weftline.internal.http.Exchange;
import dev.weftline.internal.http.ExchangeHandler;
import dev.weftline.internal.http.Field;
import dev.weftline.internal.http.Fields;
import dev.weftline.internal.http2.ErrorCode;
import io.netty.buffer.ByteBuf;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// What the engine hands its exchanges to in tests: a handler for each `:path`, each of which
/// writes down what it is told.
///
/// | path | does |
/// |---|---|
/// | `/echo` | sends back body and trailers, as they come |
/// | `/hello` | answers the whole request with `hello` and trailers |
/// | `/early` | answers before the request ends |
/// | `/thread` | as `/hello`, from a thread of its own |
/// | `/silent` | takes everything and never answers |
/// | `/unread` | never gives credit; answers when the request ends |
/// | `/late` | takes everything, gives credit from other threads, answers `hello` in the end |
/// | `/later` | as `/echo`, but only in a task behind what came |
/// | `/throws` | throws when body octets come, or when what a task replied is written |
/// | `/flood/N` | sends N octets, as fast as they are written |
/// | `/dump/N` | sends N octets at once |
/// | `/messages/N` | sends N times five octets at once |
/// | `/reset` | resets with INTERNAL_ERROR |
///
/// Anything else is a 404 without a body. Any thread may ask; the handlers run on their loops.
public final class TestExchanges implements ExchangeHandler.Factory {
  public static final Fields HEADERS =
      Fields.constant(Field.of(":status", "200"), Field.of("content-type", "text/plain"));
  public static final Fields TRAILERS = Fields.constant(Field.of("grpc-status", "0"));
  public static final Fields NOT_FOUND = Fields.constant(Field.of(":status", "404"));

  /// What `/flood/N` lets wait to be written.
  public static final int FLOOD_UNSENT_BYTES_MAX = 64 << 10;

  private final List<Served> served = new ArrayList<>();
  private final List<String> faults = new ArrayList<>();
  private final List<ConnectionEnd> endings = new ArrayList<>();
  private final Map<Object, Boolean> connections = new HashMap<>();
  private int open;
  private int total;
  private boolean forgetful;

  /// From now on exchanges that are over are not kept, so that millions may come.
  public synchronized void forgets() {
    forgetful = true;
  }

  /// The exchange that was opened last.
  public synchronized Served last() {
    return served.getLast();
  }

  public synchronized Served get(int index) {
    return served.get(index);
  }

  public synchronized int total() {
    return total;
  }

  public synchronized int open() {
    return open;
  }

  @Override
  public synchronized ExchangeHandler open(Exchange exchange, boolean endOfRequest) {
    if (!Boolean.TRUE.equals(connections.get(exchange.connection()))) {
      faults.add("an exchange on a connection that is not open");
    }
    var fault = exchange.request().requestFault();
    if (fault != null) faults.add("a malformed request was handed up: " + fault);
    var handler = new Served(exchange, endOfRequest);
    served.add(handler);
    total++;
    open++;
    handler.opened();
    return handler;
  }

  @Override
  public synchronized void connectionOpened(Object connection) {
    if (connections.put(connection, true) != null) faults.add("connectionOpened twice");
  }

  @Override
  public synchronized void connectionEnding(ConnectionEnd end) {
    endings.add(end);
  }

  /// Why the engine ended connections, in their order.
  public synchronized List<ConnectionEnd> endings() {
    return List.copyOf(endings);
  }

  @Override
  public synchronized void connectionClosed(Object connection) {
    if (!Boolean.TRUE.equals(connections.put(connection, false))) {
      faults.add("connectionClosed without connectionOpened, or twice");
    }
    notifyAll();
    for (var handler : served) {
      if (handler.exchange.connection().equals(connection) && handler.close == null) {
        faults.add("connectionClosed before closed of " + handler.path);
      }
    }
  }

  /// Waits until the engine has told that every connection is gone.
  synchronized void awaitClosed(long millisMax) {
    long end = System.nanoTime() + millisMax * 1_000_000;
    try {
      while (connections.containsValue(true)) {
        long millis = (end - System.nanoTime()) / 1_000_000;
        if (millis <= 0) return; // `checkAllOver` says what is missing
        wait(millis);
      }
    } catch (InterruptedException e) {
      throw new AssertionError(e);
    }
  }

  /// Each exchange ended with one `closed`, each connection with one `connectionClosed`, and
  /// nothing came out of turn.
  public synchronized void checkAllOver() {
    assertThat(faults).as("what handlers were told out of turn").isEmpty();
    assertThat(open).as("exchanges that were not closed").isZero();
    assertThat(connections.values()).as("connections still open").doesNotContain(true);
  }

  synchronized void checkNoFaults() {
    assertThat(faults).as("what handlers were told out of turn").isEmpty();
  }

  private synchronized void fault(String fault) {
    faults.add(fault);
  }

  private synchronized void over(Served handler) {
    open--;
    if (forgetful) served.remove(handler);
  }

  /// One exchange, and all its handler was told.
  public final class Served implements ExchangeHandler {
    private final Exchange exchange;
    private final String path;
    private final StringBuilder body = new StringBuilder();
    private long bodyBytes;
    private @Nullable Fields trailers;
    private volatile @Nullable Close close;
    private int unsentBytesSeen;
    private boolean endOfRequest;
    private int left; // octets of a flood not handed over yet

    private Served(Exchange exchange, boolean endOfRequest) {
      this.exchange = exchange;
      this.endOfRequest = endOfRequest;
      var value = exchange.request().value(Field.Kind.PATH);
      path = value == null ? "" : value;
    }

    public Exchange exchange() {
      return exchange;
    }

    public String path() {
      return path;
    }

    /// What of the body came; only its first 64 KiB are kept.
    public String body() {
      return body.toString();
    }

    public long bodyBytes() {
      return bodyBytes;
    }

    public boolean endOfRequest() {
      return endOfRequest;
    }

    /// The trailers of the request; null until it ended with `receiveEnd`.
    public @Nullable Fields trailers() {
      return trailers;
    }

    /// Why the exchange is over; null until then.
    public @Nullable Close close() {
      return close;
    }

    /// The largest `unsentBytes` that `sent` told.
    public int unsentBytesSeen() {
      return unsentBytesSeen;
    }

    private void opened() {
      switch (verb()) {
        case "/echo", "/later" -> {
          if (endOfRequest) {
            exchange.sendHeadersOnly(HEADERS);
          } else {
            exchange.sendHeaders(HEADERS);
          }
        }
        case "/early" -> exchange.respond(HEADERS, octets("early"), TRAILERS);
        case "/behind" -> {
          exchange.sendHeaders(HEADERS);
          exchange.sendData(octets("whole"));
          exchange.sendTrailers(TRAILERS);
          exchange.sendData(octets("behind"));
        }
        case "/hello", "/thread", "/unread", "/late" -> {
          if (endOfRequest) answer();
        }
        case "/flood" -> {
          exchange.sendHeaders(HEADERS);
          left = number();
          flood();
        }
        case "/dump" -> {
          exchange.sendHeaders(HEADERS);
          for (int n = number(); n > 0; n -= 16_384) {
            exchange.sendData(new byte[Math.min(n, 16_384)]);
          }
          exchange.sendTrailers(Fields.EMPTY);
        }
        case "/messages" -> {
          exchange.sendHeaders(HEADERS);
          for (int n = number(); n > 0; n--) exchange.sendData(octets("tick."));
          exchange.sendTrailers(TRAILERS);
        }
        case "/reset" -> exchange.reset(ErrorCode.INTERNAL_ERROR.code());
        case "/throws" -> {
          if (endOfRequest)
            exchange.execute(() -> exchange.respond(HEADERS, octets("x"), TRAILERS));
        }
        case "/silent" -> {}
        default -> exchange.sendHeadersOnly(NOT_FOUND);
      }
    }

    private String verb() {
      int slash = path.indexOf('/', 1);
      return slash < 0 ? path : path.substring(0, slash);
    }

    private int number() {
      return Integer.parseInt(path.substring(path.indexOf('/', 1) + 1));
    }

    private void flood() {
      while (left > 0 && exchange.unsentBytes() < FLOOD_UNSENT_BYTES_MAX) {
        int bytes = Math.min(left, 16_384);
        left -= bytes;
        exchange.sendData(new byte[bytes]);
        if (left == 0) exchange.sendTrailers(Fields.EMPTY);
      }
    }

    private void answer() {
      if (path.equals("/thread")) {
        Thread.startVirtualThread(() -> exchange.respond(HEADERS, octets("hello"), TRAILERS));
      } else {
        exchange.respond(HEADERS, octets("hello"), TRAILERS);
      }
    }

    @Override
    public void receiveData(ByteBuf data, int length) {
      told("receiveData");
      byte[] bytes = new byte[length];
      data.readBytes(bytes);
      bodyBytes += length;
      if (body.length() < 64 << 10) body.append(new String(bytes, ISO_8859_1));
      switch (path) {
        case "/unread" -> {}
        case "/late" -> Thread.startVirtualThread(() -> exchange.consumed(length));
        case "/throws" -> throw new IllegalStateException("a handler that throws, for a test");
        case "/later" ->
            exchange.execute(() -> {
              exchange.sendData(bytes);
              exchange.consumed(length);
            });
        default -> exchange.consumed(length);
      }
      if (path.equals("/echo")) exchange.sendData(bytes);
    }

    @Override
    public void receiveEnd(Fields trailers) {
      told("receiveEnd");
      endOfRequest = true;
      this.trailers = trailers;
      switch (path) {
        case "/echo" -> exchange.sendTrailers(trailers);
        case "/later" -> exchange.execute(() -> exchange.sendTrailers(trailers));
        case "/hello", "/thread", "/unread", "/late" -> answer();
        default -> {}
      }
    }

    @Override
    public void sent(int unsentBytes) {
      if (close != null) fault("sent after closed, on " + path);
      unsentBytesSeen = Math.max(unsentBytesSeen, unsentBytes);
      if (left > 0) flood();
    }

    @Override
    public void closed(Close cause) {
      if (close == null) over(this);
      if (close != null) fault("closed twice, on " + path + ": " + close + ", " + cause);
      close = cause;
      if (path.equals("/throws") && cause instanceof Close.Completed) {
        throw new IllegalStateException("a handler that throws, for a test");
      }
    }

    private void told(String what) {
      if (close != null) fault(what + " after closed, on " + path);
      if (endOfRequest) fault(what + " after the end of the request, on " + path);
      if (!exchange.onLoop()) fault(what + " off the loop");
    }
  }

  private static byte[] octets(String text) {
    return text.getBytes(ISO_8859_1);
  }
}
