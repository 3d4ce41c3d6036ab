package dev.weftline.internal.call;

import dev.weftline.http.HttpHandler;
import dev.weftline.http.Request;
import dev.weftline.http.Response;
import dev.weftline.internal.http.DateField;
import dev.weftline.internal.http.Exchange;
import dev.weftline.internal.http.ExchangeHandler;
import dev.weftline.internal.http.Field;
import dev.weftline.internal.http.Fields;
import dev.weftline.internal.http2.ErrorCode;
import io.netty.buffer.ByteBuf;
import io.netty.util.concurrent.Future;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jspecify.annotations.Nullable;

/// One plain HTTP request under way: its content is gathered on the loop, its handler runs on a
/// virtual thread of its own.
///
/// Confined to the loop, but for `run` and what it answers with.
final class PlainRequest implements ExchangeHandler, Runnable {
  private static final Logger log = System.getLogger(PlainRequest.class.getName());

  /// What handlers are asked for; HEAD is asked as GET, OPTIONS is answered for them (RFC 9110
  /// §9.3.7).
  private static final Set<String> METHODS =
      Set.of("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE");

  private static final String ALLOWED = "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS";

  private final Exchange exchange;
  private final HttpHandler handler;
  private final HttpHandlers bounds;
  private final String method;
  private final AtomicBoolean answered = new AtomicBoolean(); // whoever answers first

  // Loop.
  private final ByteArrayOutputStream content = new ByteArrayOutputStream(0);
  private boolean started;
  private @Nullable Future<?> timer;

  private volatile @Nullable Thread thread; // of the handler, while it runs
  private volatile boolean givenUp; // nobody waits for the handler any more

  private PlainRequest(Exchange exchange, HttpHandler handler, HttpHandlers bounds, String method) {
    this.exchange = exchange;
    this.handler = handler;
    this.bounds = bounds;
    this.method = method;
  }

  static ExchangeHandler open(
      Exchange exchange, boolean endOfRequest, HttpHandler handler, HttpHandlers bounds) {
    var method = exchange.request().value(Field.Kind.METHOD);
    var call = new PlainRequest(exchange, handler, bounds, method == null ? "" : method);
    call.opened(endOfRequest);
    return call;
  }

  private void opened(boolean endOfRequest) {
    if (method.equals("OPTIONS")) {
      answer(new Response(204, List.of(Map.entry("allow", ALLOWED)), new byte[0]));
      return;
    }
    if (!METHODS.contains(method)) {
      answer(Response.text(405, "Not a method of this page.\n").with("allow", ALLOWED));
      return;
    }
    var length = exchange.request().value(Field.Kind.CONTENT_LENGTH);
    if (length != null && Long.parseLong(length) > bounds.contentBytesMax()) {
      tooLarge();
      return;
    }
    timer =
        exchange
            .loop()
            .schedule(this::timedOut, bounds.timeout().toMillis(), TimeUnit.MILLISECONDS);
    if (endOfRequest) start();
  }

  @Override
  public void receiveData(ByteBuf data, int length) {
    exchange.consumed(length);
    if (answered.get()) {
      data.skipBytes(length);
      return;
    }
    boolean fits = (long) content.size() + length <= bounds.contentBytesMax();
    if (!fits || !bounds.reserve(length)) {
      data.skipBytes(length);
      if (fits) answer(Response.text(503, "Too much content is waiting for its handlers.\n"));
      else tooLarge();
      return;
    }
    try {
      data.readBytes(content, length);
    } catch (IOException e) {
      throw new UncheckedIOException(e); // an array does not fail
    }
  }

  @Override
  public void receiveEnd(Fields trailers) {
    if (!answered.get()) start();
  }

  @Override
  public void sent(int unsentBytes) {}

  @Override
  public void closed(Close cause) {
    if (timer != null) timer.cancel(false);
    bounds.release(content.size());
    giveUp();
  }

  private void tooLarge() {
    answer(
        Response.text(
            413, "The content of a request is " + bounds.contentBytesMax() + " bytes at most.\n"));
  }

  private void timedOut() {
    // Answered before the handler is interrupted: it may well answer to that itself.
    if (answered.get()) {
      // A response is there, and its client does not read it.
      exchange.reset(ErrorCode.CANCEL.code());
    } else if (started) {
      answer(Response.text(503, "The answer took too long.\n"));
    } else {
      answer(Response.text(408, "The request took too long to come.\n"));
    }
    giveUp();
  }

  private void giveUp() {
    givenUp = true;
    var running = thread;
    if (running != null) running.interrupt();
  }

  private void start() {
    started = true;
    if (handler instanceof Prompt) run();
    else CallThreads.start(this);
  }

  /// The handler's thread, or the loop's for one that is prompt.
  @Override
  public void run() {
    thread = Thread.currentThread();
    if (givenUp) return;
    var request = request();
    Response response;
    try {
      response = handler.handle(request);
      if (response == null) throw new NullPointerException("the handler returned null");
    } catch (Throwable e) {
      // A handler that was interrupted because nobody waits has nothing to report.
      if (!givenUp) log.log(Level.WARNING, "the handler of " + request.path() + " failed", e);
      response = Response.text(500, "Internal server error.\n");
    }
    thread = null;
    answer(response);
  }

  private Request request() {
    var fields = exchange.request();
    var all = new ArrayList<Map.Entry<String, String>>(fields.size());
    String target = "/";
    String authority = null;
    for (int i = 0; i < fields.size(); i++) {
      var field = fields.get(i);
      switch (field.kind()) {
        case METHOD, SCHEME -> {}
        case PATH -> target = field.value();
        case AUTHORITY -> {
          authority = field.value();
          all.add(Map.entry("host", authority));
        }
        // RFC 9113 §8.3.1: :authority is the one that counts.
        case HOST -> {
          if (authority == null) all.add(Map.entry("host", field.value()));
        }
        default -> all.add(Map.entry(field.name(), field.value()));
      }
    }
    int query = target.indexOf('?');
    return new Request(
        method.equals("HEAD") ? "GET" : method,
        query < 0 ? target : target.substring(0, query),
        query < 0 ? "" : target.substring(query + 1),
        all,
        content.toByteArray(),
        exchange.remoteAddress());
  }

  private void answer(Response response) {
    if (!answered.compareAndSet(false, true)) return;
    var headers = new Fields(response.fields().size() + 3);
    headers.add(":status", String.valueOf(response.status()));
    for (var field : response.fields()) headers.add(field.getKey(), field.getValue());
    if (headers.value("date") == null) headers.add(DateField.now());
    var body = response.body();
    // RFC 9110 §8.6: neither of these has a length.
    if (response.status() != 204 && response.status() != 304) {
      headers.add("content-length", String.valueOf(body.length));
    }
    if (method.equals("HEAD") || body.length == 0) exchange.sendHeadersOnly(headers);
    else exchange.respond(headers, body, Fields.EMPTY);
  }
}
