package dev.weftline.server;

import dev.weftline.CallObserver;
import dev.weftline.Guard;
import dev.weftline.LiveCall;
import dev.weftline.Placement;
import dev.weftline.Service;
import dev.weftline.http.HttpHandler;
import dev.weftline.internal.call.CallCounters;
import dev.weftline.internal.call.CallSettings;
import dev.weftline.internal.call.HttpHandlers;
import dev.weftline.internal.call.Route;
import dev.weftline.internal.call.Router;
import dev.weftline.internal.call.Sight;
import dev.weftline.internal.grpcjava.BridgedService;
import dev.weftline.internal.grpcjava.ConnectionAttributes;
import dev.weftline.internal.http2.Http2Connection;
import dev.weftline.internal.net.Handshake;
import dev.weftline.internal.net.Listener;
import dev.weftline.internal.net.Loops;
import dev.weftline.internal.net.Tls;
import dev.weftline.internal.net.Transport;
import dev.weftline.internal.protocol.Compression;
import dev.weftline.internal.straight.ServiceRoutes;
import dev.weftline.internal.thread.Placements;
import dev.weftline.internal.thread.StallWatch;
import dev.weftline.internal.thread.VirtualThreads;
import dev.weftline.server.Measure.Kind;
import io.grpc.BinaryLog;
import io.grpc.BindableService;
import io.grpc.CompressorRegistry;
import io.grpc.Context;
import io.grpc.DecompressorRegistry;
import io.grpc.HandlerRegistry;
import io.grpc.InsecureServerCredentials;
import io.grpc.InternalServer;
import io.grpc.ServerCredentials;
import io.grpc.ServerInterceptor;
import io.grpc.ServerServiceDefinition;
import io.grpc.ServerStreamTracer;
import io.grpc.ServerTransportFilter;
import io.grpc.Status;
import io.grpc.TlsServerCredentials;
import io.grpc.protobuf.services.ChannelzService;
import java.io.IOException;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/// A gRPC server: services behind listening sockets.
///
/// ```java
/// try (var server = Server.builder().port(50051).addService(new Greeter()).start()) {
///   server.awaitTermination();
/// }
/// ```
///
/// Any thread may call any method, except that none that waits may be called from a service's own
/// event loop. Whoever starts a server closes it.
public final class Server implements AutoCloseable {
  private static final Logger log = System.getLogger(Server.class.getName());

  private enum State {
    NEW,
    RUNNING,
    DRAINING,
    TERMINATED
  }

  /// After calls were ended with UNAVAILABLE: time for those trailers to be written.
  private static final Duration FAREWELL = Duration.ofMillis(500);

  /// Nobody reads more, and a loop that lists so many stands still for about a millisecond.
  private static final int CALLS_SHOWN_MAX = 1_000;

  /// A loop that is asked for its calls and has not answered by then is stuck.
  private static final Duration LOOP_PATIENCE = Duration.ofSeconds(1);

  /// Entries of one answer of channelz, grpc-java's own.
  private static final int CHANNELZ_PAGE_MAX = 100;

  private final Limits limits;
  private final List<SocketAddress> addresses;
  private final ServerCredentials credentials;
  private final Duration grace;
  private final int loopCount;
  private final Listener.Options listening;
  private final List<Service> services;
  private final @Nullable HandlerRegistry fallback;
  private final CallCounters counters = new CallCounters();
  private final Measures measures = new Measures();
  private final @Nullable AccessWriter accessLog;
  private final @Nullable AdminPages admin;
  private final GrpcJavaServer grpcJava;
  private final Placements placements;
  private final StallWatch watch;
  private final Connections connections;
  private final Router router;
  private final CountDownLatch terminated = new CountDownLatch(1);

  // Guarded by this.
  private State state = State.NEW;
  private @Nullable Loops loops; // from start on
  private @Nullable Tls tls;
  private @Nullable Listener listener;

  private Server(Builder builder) {
    this.limits = builder.limits;
    this.addresses =
        builder.addresses.isEmpty()
            ? List.of(new InetSocketAddress(0))
            : List.copyOf(builder.addresses);
    this.credentials = builder.credentials;
    this.grace = builder.grace;
    this.loopCount = builder.loops;
    this.listening = Listener.Options.DEFAULT.withReusePort(builder.reusePort);
    this.services = new ArrayList<>(builder.services);
    if (builder.channelz) services.add(Service.of(ChannelzService.newInstance(CHANNELZ_PAGE_MAX)));
    this.fallback = builder.fallback;
    this.placements = new Placements(builder.placement, builder.stallBudget);
    this.watch = new StallWatch(builder.stallBudget);
    this.grpcJava = new GrpcJavaServer(this);
    var attributes = new ConnectionAttributes(builder.transportFilters);
    var bridge =
        new BridgedService(
            builder.interceptors,
            builder.binaryLog,
            builder.tracers,
            Context.ROOT.withValue(InternalServer.SERVER_CONTEXT_KEY, grpcJava),
            attributes,
            placements);
    var routes = new ArrayList<Route>();
    var names = new HashSet<String>();
    for (var service : services) {
      if (!names.add(service.name())) {
        throw new IllegalArgumentException("two services are named " + service.name());
      }
      routes.addAll(ServiceRoutes.of(service, bridge));
    }
    this.accessLog = builder.accessLog == null ? null : new AccessWriter(builder.accessLog);
    var settings =
        new CallSettings(
                limits.maxInboundMessageBytes(),
                limits.sendBufferBytes(),
                new Compression(builder.decompressors, builder.compressors),
                counters,
                watch)
            .withGuards(builder.guards)
            .withObservers(builder.observers)
            .withSight(new Sight(accessLog, builder.ledgerTrailer));
    this.router =
        new Router(
            routes, fallback == null ? null : late(bridge, fallback), settings, builder.http);
    this.connections = new Connections(router, attributes, grpcJava, counters);
    this.admin = builder.admin == null ? null : new AdminPages(this, builder.admin);
    measure();
  }

  /// What the parts of the server tell about themselves.
  private void measure() {
    measures.gauge(
        "weftline.server.calls.in_flight",
        "{call}",
        "Calls that have started and are not over",
        () -> Math.max(0, counters.started() - counters.succeeded() - counters.failed()));
    measures.labelled(
        "weftline.server.requests.refused",
        Kind.COUNTER,
        "{request}",
        "Requests refused, by the reason",
        "reason",
        counters::refusedByReason);
    measures.gauge(
        "weftline.server.connections.open",
        "{connection}",
        "Connections open now",
        () -> stats().connections());
    measures.labelled(
        "weftline.server.rules_broken",
        Kind.COUNTER,
        "{event}",
        "Rules of HTTP/2 that clients broke, by the error code of the answer",
        "code",
        counters::rulesBroken);
    measures.labelled(
        "weftline.server.loop.cpu_time",
        Kind.COUNTER,
        "s",
        "CPU time of each event loop, with the calls that it carried",
        "loop",
        counters::loopCpuSeconds);
    measures.labelled(
        "weftline.server.stalls",
        Kind.COUNTER,
        "{stall}",
        "Calls that held their event loop for longer than the budget",
        "method",
        placements::stalls);
    var lines = accessLog;
    if (lines == null) return;
    measures.counter(
        "weftline.server.access_log.dropped",
        "{line}",
        "Lines of the access log that were not written",
        lines::dropped);
  }

  /// Services that come and go while the server runs, as grpc-java's registries have them.
  private static Router.Fallback late(BridgedService bridge, HandlerRegistry registry) {
    return (path, authority) -> {
      var name = path.startsWith("/") ? path.substring(1) : path;
      var method = registry.lookupMethod(name, authority);
      return method == null ? null : bridge.route(method);
    };
  }

  public static Builder builder() {
    return new Builder();
  }

  /// Listens on every address, or on none.
  ///
  /// @throws IOException with one sentence for the operator, when an address is taken
  /// @throws IllegalArgumentException with a sentence, when a certificate is bad
  /// @throws IllegalStateException with a sentence, when a method is fixed on event loops that
  ///   cannot carry its calls
  public synchronized Server start() throws IOException {
    if (state != State.NEW) throw new IllegalStateException("Already started");
    placements.requireCarriers();
    var transport = Transport.preferred();
    var secure = Credentials.tls(credentials).orElse(null);
    var http2 = limits.http2();
    VirtualThreads.prepare();
    grpcJava.show(); // connections may come before bind returns
    var open = Loops.open(transport, loopCount);
    try {
      if (accessLog != null) accessLog.start();
      if (admin != null) admin.start();
      listener =
          Listener.bind(
              open,
              addresses,
              listening,
              () ->
                  new Handshake(
                      http2, secure, connections, () -> new Http2Connection(http2, connections)));
    } catch (IOException | RuntimeException e) {
      open.close();
      if (secure != null) secure.close();
      if (accessLog != null) accessLog.close();
      if (admin != null) admin.close();
      grpcJava.hide();
      throw e;
    }
    loops = open;
    tls = secure;
    state = State.RUNNING;
    grpcJava.listening(listener.addresses());
    log.log(Level.INFO, "listening on {0}", listener);
    return this;
  }

  /// The port of the first address that has one.
  ///
  /// @throws IllegalStateException before the start, or when only Unix domain sockets are listened
  ///   on
  public int port() {
    for (var address : addresses()) {
      if (address instanceof InetSocketAddress inet) return inet.getPort();
    }
    throw new IllegalStateException("no address has a port");
  }

  /// The addresses listened on, with the ports that the kernel chose.
  public synchronized List<SocketAddress> addresses() {
    if (listener == null) throw new IllegalStateException("Not started");
    return listener.addresses();
  }

  /// The addresses that the admin pages are served at; empty without.
  public List<SocketAddress> adminAddresses() {
    return admin == null ? List.of() : admin.addresses();
  }

  /// Stops accepting, tells every client to go elsewhere (GOAWAY), and lets open calls finish. Does
  /// not wait.
  public void drain() {
    Listener draining;
    synchronized (this) {
      switch (state) {
        case NEW -> {
          end();
          return;
        }
        case DRAINING, TERMINATED -> {
          return;
        }
        case RUNNING -> state = State.DRAINING;
      }
      draining = listener;
    }
    if (draining == null) throw new IllegalStateException("running without a listener");
    log.log(Level.INFO, "draining {0} connections", draining.openConnections());
    // The last connection ends on its loop, and a loop cannot await itself.
    draining.drain().whenCompleteAsync((_, _) -> end(), Thread::startVirtualThread);
  }

  /// Drains, waits `grace` at most, then ends what is left with UNAVAILABLE. Returns when
  /// everything is closed.
  public void shutdown(Duration grace) throws InterruptedException {
    drain();
    if (awaitTermination(grace)) return;
    cancelCalls();
    if (awaitTermination(FAREWELL)) return;
    closeConnections();
    awaitTermination();
  }

  /// Like [#shutdown(Duration)], but at once and without waiting.
  public void shutdownNow() {
    drain();
    cancelCalls();
    Thread.startVirtualThread(() -> {
      try {
        if (!awaitTermination(FAREWELL)) closeConnections();
      } catch (InterruptedException e) {
        closeConnections();
      }
    });
  }

  /// Shuts down with the grace time of the builder; an interrupt ends the grace.
  @Override
  public void close() {
    try {
      shutdown(grace);
    } catch (InterruptedException e) {
      shutdownNow();
      Thread.currentThread().interrupt();
    }
  }

  private void cancelCalls() {
    router.failAll(Status.UNAVAILABLE.withDescription("the server is shutting down"));
  }

  private synchronized void closeConnections() {
    if (listener != null) listener.close();
  }

  private void end() {
    Loops ended;
    synchronized (this) {
      if (state == State.TERMINATED) return;
      state = State.TERMINATED;
      ended = loops;
      if (tls != null) tls.close();
    }
    if (ended != null) ended.close();
    watch.close();
    if (accessLog != null) accessLog.close();
    if (admin != null) admin.close();
    grpcJava.hide();
    log.log(Level.INFO, "closed");
    terminated.countDown();
  }

  /// Waits until the server has been shut down and everything is closed.
  public void awaitTermination() throws InterruptedException {
    terminated.await();
  }

  /// As above, for some time; false when that has passed.
  public boolean awaitTermination(Duration timeout) throws InterruptedException {
    return awaitTermination(timeout.toMillis(), TimeUnit.MILLISECONDS);
  }

  boolean awaitTermination(long timeout, TimeUnit unit) throws InterruptedException {
    return terminated.await(timeout, unit);
  }

  /// What the server has done so far.
  public Stats stats() {
    Listener listening;
    synchronized (this) {
      listening = listener;
    }
    return new Stats(
        listening == null ? 0 : listening.openConnections(),
        counters.started(),
        counters.succeeded(),
        counters.failed(),
        counters.refused(),
        counters.rulesBroken());
  }

  /// Everything that the server counts. Cheap enough for every few seconds: it adds up, and asks
  /// the JVM for the CPU time of the loops.
  public ServerMetrics metrics() {
    return new ServerMetrics(MethodMetrics.of(counters), measures.read());
  }

  /// The calls that are served just now, the oldest first: 1,000 of them at most. Waits for the
  /// loops, for a second at most; the calls of a loop that does not answer in time are left out.
  /// Not to be called on an event loop.
  ///
  /// @throws InterruptedException when interrupted while it waits
  public List<LiveCall> calls() throws InterruptedException {
    return router.live(CALLS_SHOWN_MAX, LOOP_PATIENCE);
  }

  /// Where the calls of each method run now, and have run so far.
  public List<PlacedMethod> placements() {
    return placements.all().stream().map(PlacedMethod::of).toList();
  }

  synchronized boolean isShutdown() {
    return state == State.DRAINING || state == State.TERMINATED;
  }

  /// Whether it takes calls.
  synchronized boolean isServing() {
    return state == State.RUNNING;
  }

  boolean isTerminated() {
    return terminated.getCount() == 0;
  }

  List<ServerServiceDefinition> definitions() {
    return services.stream().map(BridgedService::definition).toList();
  }

  List<ServerServiceDefinition> fallbackDefinitions() {
    return fallback == null ? List.of() : List.copyOf(fallback.getServices());
  }

  CallCounters counters() {
    return counters;
  }

  /// This server as grpc-java knows servers.
  io.grpc.Server grpcJava() {
    return grpcJava;
  }

  /// Gathers what a server is made of. Not for several threads at once.
  public static final class Builder {
    private final List<SocketAddress> addresses = new ArrayList<>();
    private final List<Service> services = new ArrayList<>();
    private final List<ServerInterceptor> interceptors = new ArrayList<>();
    private final List<ServerTransportFilter> transportFilters = new ArrayList<>();
    private final List<ServerStreamTracer.Factory> tracers = new ArrayList<>();
    private final List<Guard> guards = new ArrayList<>();
    private final List<CallObserver> observers = new ArrayList<>();
    private ServerCredentials credentials = InsecureServerCredentials.create();
    private Limits limits = Limits.DEFAULT;
    private Duration grace = Duration.ofSeconds(10);
    private int loops = Runtime.getRuntime().availableProcessors();
    private boolean reusePort;
    private @Nullable AccessLog accessLog;
    private boolean ledgerTrailer;
    private @Nullable SocketAddress admin;
    private boolean channelz;
    private Placement placement = Placement.ADAPTIVE;
    private Duration stallBudget = StallWatch.BUDGET;
    private @Nullable HandlerRegistry fallback;
    private @Nullable BinaryLog binaryLog;
    private final HttpHandlers http = new HttpHandlers();
    private DecompressorRegistry decompressors = DecompressorRegistry.getDefaultInstance();
    private CompressorRegistry compressors = CompressorRegistry.getDefaultInstance();

    private Builder() {}

    /// Listens on every interface, at this port; 0 lets the kernel choose one, as without any
    /// address.
    public Builder port(int port) {
      return address(new InetSocketAddress(port));
    }

    /// Listens here as well; a [java.net.UnixDomainSocketAddress] is fine.
    public Builder address(SocketAddress address) {
      addresses.add(address);
      return this;
    }

    /// TLS with the certificate chain and private key of these PEM files.
    public Builder tls(Path chain, Path key) throws IOException {
      return credentials(TlsServerCredentials.create(chain.toFile(), key.toFile()));
    }

    /// What the server shows and demands; plain text without.
    public Builder credentials(ServerCredentials credentials) {
      this.credentials = credentials;
      return this;
    }

    public Builder addService(BindableService service) {
      return addService(Service.of(service));
    }

    public Builder addService(ServerServiceDefinition service) {
      return addService(Service.of(service));
    }

    public Builder addService(Service service) {
      services.add(service);
      return this;
    }

    /// Runs around every call of every service; the last one added is called first, as in
    /// grpc-java.
    public Builder intercept(ServerInterceptor interceptor) {
      interceptors.add(interceptor);
      return this;
    }

    public Builder limits(Limits limits) {
      this.limits = limits;
      return this;
    }

    /// How long [Server#close] lets open calls finish; 10 s without.
    public Builder grace(Duration grace) {
      this.grace = grace;
      return this;
    }

    /// How many event loops; one per core without.
    public Builder loops(int count) {
      if (count < 1) throw new IllegalArgumentException("loops: " + count);
      this.loops = count;
      return this;
    }

    /// Where the calls of methods run that say nothing themselves, which is [Placement#ADAPTIVE].
    public Builder placement(Placement placement) {
      this.placement = placement;
      return this;
    }

    /// How long a call may hold its event loop before that is a stall: the method is then reported
    /// and, unless it is fixed there, moves to the JDK's scheduler. From 1 ms to 1 min; 2 ms
    /// without.
    public Builder stallBudget(Duration budget) {
      this.stallBudget = StallWatch.require(budget);
      return this;
    }

    /// Lets other processes of the same user listen on the same port (SO_REUSEPORT, Linux), so that
    /// a new release can start before the old one stops. Off by default, because with it a port
    /// that is taken by mistake is not noticed.
    public Builder reusePort(boolean reusePort) {
      this.reusePort = reusePort;
      return this;
    }

    /// Asked for methods that none of the services has, on a virtual thread.
    public Builder fallback(@Nullable HandlerRegistry registry) {
      this.fallback = registry;
      return this;
    }

    public Builder decompressors(DecompressorRegistry registry) {
      this.decompressors = registry;
      return this;
    }

    public Builder compressors(CompressorRegistry registry) {
      this.compressors = registry;
      return this;
    }

    /// grpc-java's filters: told of every connection, on a virtual thread.
    public Builder transportFilter(ServerTransportFilter filter) {
      transportFilters.add(filter);
      return this;
    }

    /// grpc-java's tracers: one of each for every call, on its call thread.
    public Builder streamTracer(ServerStreamTracer.Factory factory) {
      tracers.add(factory);
      return this;
    }

    public Builder binaryLog(@Nullable BinaryLog log) {
      this.binaryLog = log;
      return this;
    }

    // ---- Connections.

    // ---- Security.

    /// Asks `guard` before every call; those that were added first are asked first.
    public Builder guard(Guard guard) {
      guards.add(guard);
      return this;
    }

    // ---- Life.

    // ---- Overload.

    // ---- HTTP.

    /// Answers plain HTTP requests of this path, over HTTP/1.1 and HTTP/2, on the same port as the
    /// calls. A path that ends in `/*` takes everything below it, and the path before `/*` itself;
    /// the longest one that fits wins. The query does not count.
    ///
    /// @throws IllegalArgumentException when the path does not begin with `/`, has a `*` or `?`
    ///   elsewhere, or has a handler already
    public Builder http(String path, HttpHandler handler) {
      http.add(path, handler);
      return this;
    }

    /// How long the content of a plain HTTP request may be; 1 MiB without, and 413 beyond.
    public Builder httpContentBytesMax(int bytes) {
      http.limitContent(bytes);
      return this;
    }

    /// How long a plain HTTP request may take, from its fields to the last octet of its response;
    /// 30 s without. Then its handler is interrupted and the client is told 503, or 408 when the
    /// request itself was not there yet.
    public Builder httpTimeout(Duration timeout) {
      http.limitTime(timeout);
      return this;
    }

    // ---- Sight.

    /// Tells `observer` of every call.
    public Builder observe(CallObserver observer) {
      observers.add(observer);
      return this;
    }

    /// Writes a line about each call that is over; none without.
    public Builder accessLog(@Nullable AccessLog options) {
      this.accessLog = options;
      return this;
    }

    /// Serves pages for whoever runs the server at this port of the loopback interface; see
    /// [#admin(SocketAddress)].
    public Builder admin(int port) {
      return admin(new InetSocketAddress(InetAddress.getLoopbackAddress(), port));
    }

    /// Serves pages for whoever runs the server at this address, over plain HTTP: `/calls`,
    /// `/stats`, `/placements`, `/livez`, `/healthz`; none without. They ask nobody who he is and
    /// tell who calls what, so the address must not be reachable from outside; a
    /// [java.net.UnixDomainSocketAddress] is fine.
    public Builder admin(@Nullable SocketAddress address) {
      this.admin = address;
      return this;
    }

    /// Serves grpc-java's channelz (`grpc.channelz.v1.Channelz`) beside the other services: every
    /// server, connection and channel of this process, for whoever may call it.
    public Builder channelz(boolean served) {
      this.channelz = served;
      return this;
    }

    /// Lets clients ask where the time of their calls went: a call with the metadata
    /// `weftline-debug: ledger` is answered with a trailer `weftline-ledger`, such as
    /// `request;dur=0.000, queue;dur=0.021, handler;dur=3.100, …`, in milliseconds and up to the
    /// status. Off by default: it tells times only, but more exactly than the network would, and
    /// that is what somebody needs who guesses secrets by the time that comparing them takes.
    public Builder ledgerTrailer(boolean allowed) {
      this.ledgerTrailer = allowed;
      return this;
    }

    // ---- Assembly.

    /// A server that does not listen yet.
    ///
    /// @throws IllegalArgumentException when two services have one name
    public Server build() {
      return new Server(this);
    }

    /// Builds and starts.
    ///
    /// @throws IOException with one sentence for the operator, when an address is taken
    public Server start() throws IOException {
      return build().start();
    }
  }
}
