package dev.weftline.internal.call;

import dev.weftline.CallLedger;
import dev.weftline.CallReport;
import dev.weftline.LiveCall;
import dev.weftline.internal.admission.MethodAdmission;
import dev.weftline.internal.admission.Refusal;
import dev.weftline.internal.http.Exchange;
import dev.weftline.internal.http.ExchangeHandler;
import dev.weftline.internal.http.Field;
import dev.weftline.internal.http.Fields;
import dev.weftline.internal.protocol.GrpcProtocol;
import dev.weftline.internal.protocol.StatusTrailers;
import io.grpc.Codec;
import io.grpc.Decompressor;
import io.grpc.Metadata;
import io.grpc.Status;
import io.netty.util.concurrent.FastThreadLocal;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Queue;
import java.util.Set;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/// `:path` → Route, or the handler of plain HTTP, or the answer that the specification has for a
/// request that leads nowhere. The last are given straight from the loop: bad input starts no
/// thread.
///
/// Hot: confined to the loops, one look-up per call.
public final class Router implements ExchangeHandler.Factory {
  /// Finds routes that are not known when the server starts.
  @FunctionalInterface
  public interface Fallback {
    /// The route for `path`; on a thread of its own.
    @Nullable Route find(String path, @Nullable String authority);
  }

  private static final Logger log = System.getLogger(Router.class.getName());
  private static final Field TEXT = Field.of("content-type", "text/plain; charset=utf-8");
  private static final Fields UNSUPPORTED_MEDIA_TYPE =
      Fields.constant(Field.of(":status", "415"), TEXT);
  private static final Fields NOT_FOUND = Fields.constant(Field.of(":status", "404"), TEXT);
  private static final Fields UPGRADE_REQUIRED = Fields.constant(Field.of(":status", "426"), TEXT);
  private static final Fields VERSION_NOT_SUPPORTED =
      Fields.constant(Field.of(":status", "505"), TEXT);
  private static final Fields METHOD_NOT_ALLOWED =
      Fields.constant(Field.of(":status", "405"), Field.of("allow", "POST"), TEXT);

  /// A look at all open calls costs a loop some microseconds for a thousand of them.
  private static final long SHED_NANOS = TimeUnit.MILLISECONDS.toNanos(100);

  private final Map<String, Route> routes = new HashMap<>();
  private final Set<String> services = new HashSet<>();
  private final @Nullable Fallback fallback;
  private final HttpHandlers http;
  private final CallSettings settings;
  private final AtomicLong shedNanos = new AtomicLong(System.nanoTime() - SHED_NANOS);
  private final Queue<LoopCalls> loops = new ConcurrentLinkedQueue<>();
  private final FastThreadLocal<LoopCalls> ofThisLoop = new FastThreadLocal<>();

  /// A router that serves calls alone.
  ///
  /// @throws IllegalArgumentException when two routes have one path
  public Router(List<Route> routes, @Nullable Fallback fallback, CallSettings settings) {
    this(routes, fallback, settings, new HttpHandlers());
  }

  /// A router that asks `http` about what is no call.
  ///
  /// @throws IllegalArgumentException when two routes have one path
  public Router(
      List<Route> routes, @Nullable Fallback fallback, CallSettings settings, HttpHandlers http) {
    for (var route : routes) {
      if (this.routes.put(route.path(), settings.admitted(route)) != null) {
        throw new IllegalArgumentException("method twice: " + route.path());
      }
      services.add(serviceOf(route.path()));
    }
    this.fallback = fallback;
    this.http = http;
    this.settings = settings;
  }

  @Override
  public ExchangeHandler open(Exchange exchange, boolean endOfRequest) {
    String method = null;
    String path = "";
    String contentType = null;
    String timeout = null;
    String encoding = null;
    boolean tellsLedger = false;
    var request = exchange.request();
    for (int i = 0; i < request.size(); i++) {
      var field = request.get(i);
      switch (field.kind()) {
        case METHOD -> method = field.value();
        case PATH -> path = field.value();
        case REGULAR -> {
          switch (field.name()) {
            case "content-type" -> contentType = field.value();
            case "grpc-timeout" -> timeout = field.value();
            case "grpc-encoding" -> encoding = field.value();
            case "weftline-debug" ->
                tellsLedger = settings.sight().ledgerTrailer() && field.value().equals("ledger");
            // te is not asked for: proxies drop it, and nobody was helped by refusing the call.
            default -> {}
          }
        }
        default -> {}
      }
    }
    if (!"POST".equals(method) || !GrpcProtocol.isGrpc(contentType)) {
      return openHttp(exchange, endOfRequest, method, path);
    }
    if (exchange.isHttp1()) return refuseHttp1(exchange);
    Decompressor decompressor = Codec.Identity.NONE;
    if (encoding != null && !encoding.equals("identity")) {
      var known = settings.compression().decompressor(encoding);
      if (known == null) {
        return refuse(
            exchange,
            path,
            Status.UNIMPLEMENTED.withDescription("unknown grpc-encoding: " + encoding),
            List.of(settings.compression().advertised()),
            RequestFault.UNKNOWN_ENCODING);
      }
      decompressor = known;
    }
    long timeoutNanos = -1;
    if (timeout != null) {
      timeoutNanos = GrpcProtocol.parseTimeout(timeout);
      if (timeoutNanos < 0) {
        return refuse(
            exchange,
            path,
            Status.INTERNAL.withDescription("malformed grpc-timeout: " + timeout),
            List.of(),
            RequestFault.MALFORMED_TIMEOUT);
      }
    }
    var route = routes.get(path);
    if (route == null && fallback != null) {
      return askFallback(
          fallback, exchange, endOfRequest, path, decompressor, tellsLedger, timeoutNanos);
    }
    if (route == null) return refuseUnknown(exchange, path);
    var admission = route.admission();
    if (admission != null) {
      if (settings.budget().isFull()) {
        makeRoom();
        return turnAway(exchange, route, admission, Refusal.BYTE_BUDGET);
      }
      // A server that gets ten times the calls that it can do is to spend its time on those.
      var why = admission.refusal(exchange.turnNanos(), timeoutNanos);
      if (why != null) return turnAway(exchange, route, admission, why);
    }
    return InboundCall.open(
        exchange,
        endOfRequest,
        route,
        settings,
        callsOf(exchange),
        decompressor,
        tellsLedger,
        timeoutNanos);
  }

  /// What is no call: plain HTTP where a handler has its path.
  private ExchangeHandler openHttp(
      Exchange exchange, boolean endOfRequest, @Nullable String method, String path) {
    int query = path.indexOf('?');
    var handler = http.find(query < 0 ? path : path.substring(0, query));
    if (handler != null) return PlainRequest.open(exchange, endOfRequest, handler, http);
    boolean head = "HEAD".equals(method);
    if (exchange.isHttp1()) {
      return head
          ? refuse(exchange, NOT_FOUND, RequestFault.NOT_FOUND)
          : refuse(
              exchange,
              NOT_FOUND,
              "Nothing is here. This server answers gRPC calls (HTTP/2).\n",
              RequestFault.NOT_FOUND);
    }
    if (!"POST".equals(method)) {
      // RFC 9110 §9.3.2: no content for HEAD. Nor for the GET that carried an upgrade, where
      // grpc-java's client fails on content.
      return head || exchange.isUpgrade()
          ? refuse(exchange, METHOD_NOT_ALLOWED, RequestFault.NOT_POST)
          : refuse(
              exchange,
              METHOD_NOT_ALLOWED,
              "gRPC calls are POST requests.\n",
              RequestFault.NOT_POST);
    }
    return refuse(
        exchange,
        UNSUPPORTED_MEDIA_TYPE,
        "This server speaks application/grpc.\n",
        RequestFault.NOT_GRPC);
  }

  /// gRPC needs trailers, which nobody can rely on in HTTP/1.x. RFC 9110 §15.5.22: plain text can
  /// be upgraded; TLS chooses by ALPN.
  private ExchangeHandler refuseHttp1(Exchange exchange) {
    return exchange.tlsSession() == null
        ? refuse(
            exchange,
            UPGRADE_REQUIRED,
            "This port speaks HTTP/2 (gRPC), for example curl --http2-prior-knowledge.\n",
            RequestFault.NOT_HTTP2)
        : refuse(
            exchange,
            VERSION_NOT_SUPPORTED,
            "This port speaks HTTP/2 (gRPC): offer h2 by ALPN.\n",
            RequestFault.NOT_HTTP2);
  }

  private ExchangeHandler askFallback(
      Fallback registry,
      Exchange exchange,
      boolean endOfRequest,
      String path,
      Decompressor decompressor,
      boolean tellsLedger,
      long timeoutNanos) {
    return LateExchange.of(
        exchange,
        endOfRequest,
        () -> {
          try {
            return registry.find(path, exchange.request().value(Field.Kind.AUTHORITY));
          } catch (Throwable e) {
            log.log(Level.WARNING, "the fallback registry failed for " + path, e);
            return null;
          }
        },
        route ->
            route == null
                ? refuseUnknown(exchange, path)
                : InboundCall.open(
                    exchange,
                    false,
                    settings.admitted(route),
                    settings,
                    callsOf(exchange),
                    decompressor,
                    tellsLedger,
                    timeoutNanos));
  }

  /// The budget is full, and perhaps of what never comes whole: whoever is refused for it has every
  /// loop end such calls, now and then.
  private void makeRoom() {
    long now = System.nanoTime();
    long last = shedNanos.get();
    if (now - last < SHED_NANOS || !shedNanos.compareAndSet(last, now)) return;
    onLoops(calls -> calls.shed(settings.budget()));
  }

  private LoopCalls callsOf(Exchange exchange) {
    var calls = ofThisLoop.get();
    if (calls == null || !calls.loop.equals(exchange.loop())) {
      calls = new LoopCalls(exchange.loop(), settings.counters().addLoop(), settings.watch());
      ofThisLoop.set(calls);
      loops.add(calls);
    }
    return calls;
  }

  /// The open calls, the oldest first: `max` at most. Any thread that is no loop; waits for each
  /// loop, and leaves out those that have not answered in time.
  public List<LiveCall> live(int max, Duration patience) throws InterruptedException {
    long end = System.nanoTime() + patience.toNanos();
    var asked = new ArrayList<Future<List<LiveCall>>>();
    for (var calls : loops) {
      try {
        asked.add(calls.loop.submit(() -> calls.oldest(max)));
      } catch (RejectedExecutionException e) {
        log.log(Level.DEBUG, "a loop has ended, and its calls with it", e);
      }
    }
    var all = new ArrayList<LiveCall>();
    for (var answer : asked) {
      try {
        all.addAll(answer.get(Math.max(0, end - System.nanoTime()), TimeUnit.NANOSECONDS));
      } catch (TimeoutException e) {
        log.log(Level.WARNING, "a loop does not tell of its calls: something holds it");
      } catch (ExecutionException e) {
        throw new IllegalStateException(e.getCause());
      }
    }
    all.sort(Comparator.comparing(LiveCall::age).reversed());
    return List.copyOf(all.subList(0, Math.min(max, all.size())));
  }

  /// Any thread: ends every call that is still open, because the server closes.
  ///
  /// @param trailers what the status is sent with; not changed afterwards
  public void cutAll(Status status, Metadata trailers) {
    onLoops(calls -> calls.cutAll(status, trailers));
  }

  /// Any thread: calls that wait for something look whether the server drains.
  public void wakeAll() {
    onLoops(LoopCalls::wakeAll);
  }

  private void onLoops(Consumer<LoopCalls> action) {
    for (var calls : loops) {
      try {
        calls.loop.execute(() -> action.accept(calls));
      } catch (RejectedExecutionException e) {
        log.log(Level.DEBUG, "a loop has ended, and its calls with it", e);
      }
    }
  }

  private ExchangeHandler refuseUnknown(Exchange exchange, String path) {
    var unknown = services.contains(serviceOf(path)) ? "method" : "service";
    return refuse(
        exchange,
        path,
        Status.UNIMPLEMENTED.withDescription(
            "Method not found: " + nameOf(path) + " (unknown " + unknown + ")"),
        List.of(),
        RequestFault.UNKNOWN_METHOD);
  }

  /// The full name of the method that a path asks for.
  private static String nameOf(String path) {
    return path.startsWith("/") ? path.substring(1) : path;
  }

  private static String serviceOf(String path) {
    int end = path.lastIndexOf('/');
    return end <= 0 ? "" : path.substring(1, end);
  }

  /// A request without content that gRPC has no answer for.
  private ExchangeHandler refuse(Exchange exchange, Fields headersOnly, String reason) {
    settings.counters().refuse(reason);
    exchange.sendHeadersOnly(headersOnly);
    return new RefusedExchange(exchange);
  }

  /// A call for which the server has no room: answered before anything is made for it.
  private ExchangeHandler turnAway(
      Exchange exchange, Route route, MethodAdmission admission, Refusal why) {
    refused(exchange, route, route.path(), why.status(), why.name());
    exchange.sendHeadersOnly(admission.answer(why));
    return new RefusedExchange(exchange);
  }

  /// A call that leads nowhere.
  ///
  /// @param also said in the response: what would have been understood (gRPC compression)
  /// @param reason one of a few constants, for counting
  private ExchangeHandler refuse(
      Exchange exchange, String path, Status status, List<Field> also, String reason) {
    var trailers = StatusTrailers.trailersOnly(status, new Metadata());
    for (var field : also) trailers.add(field);
    refused(exchange, routes.get(path), path, status, reason);
    exchange.sendHeadersOnly(trailers);
    return new RefusedExchange(exchange);
  }

  /// Counts a call that has no more than its answer, and tells of it.
  ///
  /// @param route of the path, if it leads anywhere
  private void refused(
      Exchange exchange, @Nullable Route route, String path, Status status, String reason) {
    settings.counters().refuse(reason);
    var tallies = callsOf(exchange).tallies;
    var tally = route == null ? tallies.unknown : tallies.of(route.placement());
    tally.start();
    tally.end(status.getCode(), 0, 0, 0);
    tellRefused(exchange, nameOf(path), route != null, status, reason);
  }

  /// Such a call has no time of its own: it is over within the read that brought it.
  private void tellRefused(
      Exchange exchange, String method, boolean known, Status status, String reason) {
    var accessLog = settings.sight().accessLog();
    if (accessLog == null && settings.observers().isEmpty()) return;
    var report =
        new CallReport(
            method,
            known,
            status,
            Optional.of(reason),
            CallLedger.NONE,
            0,
            0,
            0,
            0,
            exchange.remoteAddress());
    if (accessLog != null) accessLog.ended(report, exchange.request(), null);
    Observations.refused(settings.observers(), report);
  }

  private ExchangeHandler refuse(Exchange exchange, Fields headers, String text, String reason) {
    settings.counters().refuse(reason);
    exchange.respond(headers, text.getBytes(StandardCharsets.US_ASCII), Fields.EMPTY);
    return new RefusedExchange(exchange);
  }
}
