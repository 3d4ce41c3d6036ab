package dev.weftline.server;

import com.google.rpc.ErrorInfo;
import com.google.rpc.RetryInfo;
import dev.weftline.CallException;
import dev.weftline.CallObserver;
import dev.weftline.Drain;
import dev.weftline.Guard;
import dev.weftline.LiveCall;
import dev.weftline.Placement;
import dev.weftline.Service;
import dev.weftline.http.HttpHandler;
import dev.weftline.internal.admission.Admission;
import dev.weftline.internal.call.CallCounters;
import dev.weftline.internal.call.CallSettings;
import dev.weftline.internal.call.HttpHandlers;
import dev.weftline.internal.call.Route;
import dev.weftline.internal.call.Router;
import dev.weftline.internal.call.ServerDrain;
import dev.weftline.internal.call.Sight;
import dev.weftline.internal.grpcjava.BridgedService;
import dev.weftline.internal.grpcjava.ConnectionAttributes;
import dev.weftline.internal.http.Forwarding;
import dev.weftline.internal.http.TrustedPeers;
import dev.weftline.internal.http1.Http1Connection;
import dev.weftline.internal.http2.Http2Connection;
import dev.weftline.internal.net.Handshake;
import dev.weftline.internal.net.Listener;
import dev.weftline.internal.net.Loops;
import dev.weftline.internal.net.PeerTable;
import dev.weftline.internal.net.Tls;
import dev.weftline.internal.net.Transport;
import dev.weftline.internal.protocol.Compression;
import dev.weftline.internal.straight.ServiceRoutes;
import dev.weftline.internal.thread.Placements;
import dev.weftline.internal.thread.StallWatch;
import dev.weftline.internal.thread.VirtualThreads;
import io.grpc.BinaryLog;
import io.grpc.BindableService;
import io.grpc.CompressorRegistry;
import io.grpc.Context;
import io.grpc.DecompressorRegistry;
import io.grpc.HandlerRegistry;
import io.grpc.InsecureServerCredentials;
import io.grpc.InternalServer;
import io.grpc.Metadata;
import io.grpc.ServerCredentials;
import io.grpc.ServerInterceptor;
import io.grpc.ServerServiceDefinition;
import io.grpc.ServerStreamTracer;
import io.grpc.ServerTransportFilter;
import io.grpc.Status;
import io.grpc.protobuf.services.ChannelzService;
import java.io.IOException;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
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

  /// A client that knows no other server than this one finds its successor by then.
  private static final int RETRY_SECONDS = 1;

  private static final Status SHUTTING_DOWN =
      Status.UNAVAILABLE.withDescription("the server is shutting down");
  private static final Metadata SHUTTING_DOWN_DETAILS = shuttingDownDetails();

  /// Nobody reads more, and a loop that lists so many stands still for about a millisecond.
  private static final int CALLS_SHOWN_MAX = 1_000;

  /// A loop that is asked for its calls and has not answered by then is stuck.
  private static final Duration LOOP_PATIENCE = Duration.ofSeconds(1);

  /// Entries of one answer of channelz, grpc-java's own.
  private static final int CHANNELZ_PAGE_MAX = 100;

  private final Limits limits;
  private final List<SocketAddress> addresses;
  private final ServerCredentials credentials;
  private final @Nullable TlsFiles tlsFiles; // instead of the credentials
  private final Duration lameDuck;
  private final Duration grace;
  private final boolean signals;
  private final int loopCount;
  private final Listener.Options listening;
  private final ConnectionLimits connectionLimits;
  private final PeerTable peers;
  private final @Nullable TrustedPeers proxies; // who begin with a PROXY header
  private final @Nullable Forwarding forwarding;
  private final List<Service> services;
  private final @Nullable HandlerRegistry fallback;
  private final CallCounters counters = new CallCounters();
  private final Measures measures;
  private final @Nullable AccessWriter accessLog;
  private final @Nullable AdminPages admin;
  private final GrpcJavaServer grpcJava;
  private final Placements placements;
  private final StallWatch watch;
  private final Admission admission;
  private final Connections connections;
  private final Router router;
  private final Health health;
  private final ServerDrain drain = new ServerDrain();
  private final Lifecycle lifecycle;

  // Written by the turns of the lifecycle; from start on.
  private volatile @Nullable Loops loops;
  private volatile @Nullable Tls tls;
  private volatile @Nullable CertificateWatch certificates; // with TLS from files
  private volatile @Nullable Listener listener;

  private Server(Builder builder) {
    this.limits = builder.limits;
    this.addresses =
        builder.addresses.isEmpty()
            ? List.of(new InetSocketAddress(0))
            : List.copyOf(builder.addresses);
    this.credentials = builder.credentials;
    this.tlsFiles = builder.tlsFiles;
    this.lameDuck = builder.lameDuck;
    this.grace = builder.grace;
    this.signals = builder.signals;
    this.lifecycle = new Lifecycle(grace, new Turns());
    this.loopCount = builder.loops;
    this.listening = Listener.Options.DEFAULT.withReusePort(builder.reusePort);
    this.connectionLimits = builder.connectionLimits;
    this.peers = new PeerTable(connectionLimits.connectionsMax(), connectionLimits.perPeerMax());
    this.proxies = builder.proxies;
    this.forwarding = builder.forwarding;
    this.health = new Health(builder.services.stream().map(Service::name).toList());
    this.services = builder.allServices(health);
    this.fallback = builder.fallback;
    this.placements = new Placements(builder.placement, builder.stallBudget);
    this.watch = new StallWatch(builder.stallBudget);
    this.admission = new Admission(builder.overload.rules(), builder.overload.budget());
    this.grpcJava = new GrpcJavaServer(this);
    var attributes = new ConnectionAttributes(builder.transportFilters);
    var bridge =
        new BridgedService(
            builder.interceptors,
            builder.binaryLog,
            builder.tracers,
            Context.ROOT.withValues(InternalServer.SERVER_CONTEXT_KEY, grpcJava, Drain.KEY, drain),
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
    if (fallback == null) requireGuarded(builder.guards, routes);
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
            .withDrain(drain)
            .withAdmission(admission)
            .withSight(new Sight(accessLog, builder.ledgerTrailer));
    this.router =
        new Router(
            routes,
            fallback == null ? null : late(bridge, fallback),
            settings,
            builder.allHandlers(health));
    this.connections = new Connections(router, attributes, grpcJava, counters, admission.budget());
    this.admin = builder.admin == null ? null : new AdminPages(this, builder.admin);
    this.measures =
        ServerMeasures.of(this, counters, placements, peers, connections, lifecycle, accessLog);
  }

  /// A fallback registry may have any method; without one, what a guard names must be there.
  private static void requireGuarded(List<Guard> guards, List<Route> routes) {
    var served =
        new MethodNames(routes.stream().map(route -> route.method().getFullMethodName()).toList());
    for (var guard : guards) guard.methods().forEach(served::requireServed);
  }

  /// Services that come and go while the server runs, as grpc-java's registries have them.
  private static Router.Fallback late(BridgedService bridge, HandlerRegistry registry) {
    return (path, authority) -> {
      var name = path.startsWith("/") ? path.substring(1) : path;
      var method = registry.lookupMethod(name, authority);
      return method == null ? null : bridge.route(method);
    };
  }

  private static Metadata shuttingDownDetails() {
    var exception =
        new CallException(
            Status.Code.UNAVAILABLE,
            "the server is shutting down",
            ErrorInfo.newBuilder()
                .setReason("SERVER_SHUTTING_DOWN")
                .setDomain("weftline.dev")
                .putMetadata("setting", "grace")
                .build(),
            RetryInfo.newBuilder()
                .setRetryDelay(com.google.protobuf.Duration.newBuilder().setSeconds(RETRY_SECONDS))
                .build());
    return Objects.requireNonNull(exception.getTrailers());
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
  public Server start() throws IOException {
    placements.requireCarriers();
    lifecycle.start();
    if (signals) StopSignals.ofProcess().add(this);
    return this;
  }

  private void serve() throws IOException {
    var transport = Transport.preferred();
    var files = tlsFiles == null ? null : new CertificateWatch(tlsFiles, Clock.systemUTC());
    var secure = files == null ? Credentials.tls(credentials).orElse(null) : files.tls();
    var http2 = limits.http2();
    var lifetime = connectionLimits.lifetime();
    Supplier<Http2Connection> speakHttp2 =
        () -> new Http2Connection(http2, lifetime, forwarding, connections);
    Supplier<Http1Connection> speakHttp1 =
        () -> new Http1Connection(http2, secure != null, forwarding, connections, speakHttp2);
    VirtualThreads.prepare();
    grpcJava.show(); // connections may come before bind returns
    var open = Loops.open(transport, loopCount);
    Listener bound;
    try {
      if (accessLog != null) accessLog.start();
      if (admin != null) admin.start();
      bound =
          Listener.bind(
              open,
              addresses,
              listening,
              peers,
              proxies,
              () -> new Handshake(http2, secure, speakHttp1, speakHttp2));
    } catch (IOException | RuntimeException e) {
      open.close();
      if (secure != null) secure.close();
      if (accessLog != null) accessLog.close();
      if (admin != null) admin.close();
      grpcJava.hide();
      throw e;
    }
    if (files != null) files.start();
    loops = open;
    tls = secure;
    listener = bound;
    certificates = files;
    grpcJava.listening(bound.addresses());
    log.log(Level.INFO, "listening on {0}", bound);
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
  public List<SocketAddress> addresses() {
    var listening = listener;
    if (listening == null) throw new IllegalStateException("Not started");
    return listening.addresses();
  }

  /// The addresses that the admin pages are served at; empty without.
  public List<SocketAddress> adminAddresses() {
    return admin == null ? List.of() : admin.addresses();
  }

  /// What the server says to those who ask for its health. There before the start, too.
  public Health health() {
    return health;
  }

  /// Ends the server the way its clients notice least, and does not wait: health says NOT_SERVING,
  /// calls learn of it ([Drain]), and both calls and connections are still taken for the lame-duck
  /// time, or not at all when nobody has ever asked for health. Then the server takes nothing new,
  /// tells every client to go elsewhere (GOAWAY) and lets calls finish for the grace time; those
  /// that are left are ended with UNAVAILABLE.
  public void drain() {
    lifecycle.drain();
  }

  /// Takes nothing new, also when a lame duck would have time left, waits `grace` at most, then
  /// ends what is left with UNAVAILABLE. Returns when everything is closed.
  public void shutdown(Duration grace) throws InterruptedException {
    lifecycle.shutdown(grace);
  }

  /// Like [#shutdown(Duration)], but at once and without waiting.
  public void shutdownNow() {
    lifecycle.shutdownNow();
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

  /// As grpc-java has it: takes nothing new, and gives calls all the time they want.
  void stop() {
    lifecycle.close();
  }

  /// Calls that were ended because the server closed and their time was over.
  public long callsCut() {
    return counters.cutShort();
  }

  /// Waits until the server has been shut down and everything is closed. When that is for a signal,
  /// the process exits two seconds later, or as soon as the threads that waited here have ended.
  public void awaitTermination() throws InterruptedException {
    if (signals) StopSignals.ofProcess().awaits();
    lifecycle.await();
  }

  /// As above, for some time; false when that has passed.
  public boolean awaitTermination(Duration timeout) throws InterruptedException {
    return awaitTermination(TimeUnit.NANOSECONDS.convert(timeout), TimeUnit.NANOSECONDS);
  }

  boolean awaitTermination(long timeout, TimeUnit unit) throws InterruptedException {
    if (signals) StopSignals.ofProcess().awaits();
    return lifecycle.await(timeout, unit);
  }

  /// What the server has done so far.
  public Stats stats() {
    var listening = listener;
    return new Stats(
        listening == null ? 0 : listening.openConnections(),
        counters.started(),
        counters.succeeded(),
        counters.failed(),
        counters.refused(),
        counters.rulesBroken(),
        peers.refused(),
        connections.ended());
  }

  /// The certificate that new handshakes show; empty before the start, over plain text, and with
  /// [Builder#credentials], which keep it to themselves.
  public Optional<CertificateInfo> certificate() {
    return Optional.ofNullable(certificates).map(CertificateWatch::info);
  }

  /// Looks at the files of [Builder#tls] now, rather than at the next look of its own: for whoever
  /// has just written them. True when they hold something new, which new handshakes use from here
  /// on.
  ///
  /// @throws IllegalArgumentException with a sentence, when the files are no good; what was in use
  ///   stays
  /// @throws IllegalStateException when the server has not started, is closed, or has no such files
  public boolean reloadCertificates() {
    var files = certificates;
    if (files == null) throw new IllegalStateException("no TLS files: not started, or without");
    return files.reload();
  }

  boolean hasTlsFiles() {
    return tlsFiles != null;
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

  /// How many calls of each method are under way, and may be; health, reflection and channelz,
  /// which nothing limits, are left out.
  public List<MethodLoad> load() {
    return admission.all().stream().map(MethodLoad::of).toList();
  }

  /// What the server holds for its clients at the moment, and how much it may.
  public HeldMemory heldMemory() {
    return HeldMemory.of(admission.budget());
  }

  boolean isShutdown() {
    return switch (lifecycle.state()) {
      case STARTING, SERVING, DRAINING -> false;
      case CLOSING, CLOSED -> true;
    };
  }

  /// Whether calls should be sent here.
  boolean isServing() {
    return lifecycle.state() == Lifecycle.State.SERVING;
  }

  boolean isTerminated() {
    return lifecycle.state() == Lifecycle.State.CLOSED;
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

  /// What happens at the turns of the lifecycle.
  private final class Turns implements Lifecycle.Turns {
    private long drainedNanos;
    private long endedBefore;

    @Override
    public void serve() throws IOException {
      Server.this.serve();
    }

    @Override
    public Duration drain() {
      drainedNanos = System.nanoTime();
      endedBefore = counters.succeeded() + counters.failed();
      health.drain();
      drain.begin();
      router.wakeAll();
      return health.wasAsked() ? lameDuck : Duration.ZERO;
    }

    @Override
    public CompletableFuture<Void> close() {
      health.close();
      var listening = listener;
      if (listening == null) throw new IllegalStateException("serving without a listener");
      return listening.drain();
    }

    @Override
    public void cut() {
      router.cutAll(SHUTTING_DOWN, SHUTTING_DOWN_DETAILS);
    }

    @Override
    public void disconnect() {
      var listening = listener;
      if (listening != null) listening.close();
    }

    @Override
    public void end() {
      health.drain(); // also of a server that never served
      var open = loops;
      var files = certificates;
      if (files != null) files.close();
      var secure = tls;
      if (secure != null) secure.close();
      if (open != null) open.close();
      watch.close();
      if (accessLog != null) accessLog.close();
      if (admin != null) admin.close();
      grpcJava.hide();
      if (open != null) report();
      StopSignals.ofProcess().remove(Server.this);
    }

    private void report() {
      long cut = counters.cutShort();
      long finished = counters.succeeded() + counters.failed() - endedBefore - cut;
      log.log(
          cut == 0 ? Level.INFO : Level.WARNING,
          "closed: {0} calls finished, {1} cut, in {2} s",
          finished,
          cut,
          Duration.ofNanos(System.nanoTime() - drainedNanos).toMillis() / 1e3);
    }
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
    private @Nullable TlsFiles tlsFiles;
    private Limits limits = Limits.DEFAULT;
    private Duration lameDuck = Duration.ofSeconds(5);
    private Duration grace = Duration.ofSeconds(20);
    private boolean signals = true;
    private boolean servesHealth = true;
    private boolean reflects = true;
    private int loops = Runtime.getRuntime().availableProcessors();
    private boolean reusePort;
    private ConnectionLimits connectionLimits = ConnectionLimits.DEFAULT;
    private @Nullable TrustedPeers proxies;
    private @Nullable Forwarding forwarding;
    private Overload overload = Overload.DEFAULT;
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

    /// What the server shows and demands; plain text without. Takes the place of [#tls].
    public Builder credentials(ServerCredentials credentials) {
      this.credentials = credentials;
      this.tlsFiles = null;
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

    Limits limits() {
      return limits;
    }

    public Builder limits(Limits limits) {
      this.limits = limits;
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

    ConnectionLimits connections() {
      return connectionLimits;
    }

    /// How many connections there may be, how long they live, and keepalive.
    public Builder connections(ConnectionLimits limits) {
      this.connectionLimits = limits;
      return this;
    }

    /// Connections from these peers begin with a header of HAProxy's PROXY protocol, version 1 or
    /// 2, which tells the client's address, before TLS. One that does not is refused, and so is a
    /// header from any other peer.
    ///
    /// @param trusted addresses and networks (`10.0.0.0/8`, `2001:db8::/32`), or `unix` for whoever
    ///   connects to a Unix domain socket
    /// @throws IllegalArgumentException with a sentence, when one is no address or network
    public Builder proxyProtocol(String... trusted) {
      this.proxies = TrustedPeers.of(trusted);
      return this;
    }

    /// Believes X-Forwarded-For and X-Forwarded-Proto in requests from these peers: their client is
    /// the last address in it that is not trusted itself. Excludes [#forwarded].
    ///
    /// @param trusted as for [#proxyProtocol]
    /// @throws IllegalArgumentException with a sentence, when one is no address or network
    public Builder xForwarded(String... trusted) {
      this.forwarding = new Forwarding(TrustedPeers.of(trusted), Forwarding.Spelling.X_FORWARDED);
      return this;
    }

    /// The same for the field Forwarded (RFC 7239). Excludes [#xForwarded], because a proxy that
    /// writes one of them lets a client's own of the other kind pass.
    public Builder forwarded(String... trusted) {
      this.forwarding = new Forwarding(TrustedPeers.of(trusted), Forwarding.Spelling.FORWARDED);
      return this;
    }

    // ---- Security.

    /// Asks `guard` before every call; those that were added first are asked first.
    public Builder guard(Guard guard) {
      guards.add(guard);
      return this;
    }

    /// TLS with the certificate chain and private key of these PEM files, which are looked at again
    /// every 10 seconds.
    public Builder tls(Path chain, Path key) {
      return tls(TlsFiles.pem(chain, key));
    }

    /// TLS from files, also with client certificates. Takes the place of [#credentials].
    public Builder tls(TlsFiles files) {
      this.tlsFiles = files;
      return this;
    }

    // ---- Life.

    /// How long a server that is told to drain still takes connections and calls, while health says
    /// NOT_SERVING: as long as load balancers need to see it. 5 s without; none at all when nobody
    /// has ever asked for health.
    public Builder lameDuck(Duration lameDuck) {
      if (lameDuck.isNegative()) throw new IllegalArgumentException("lameDuck: " + lameDuck);
      this.lameDuck = lameDuck;
      return this;
    }

    /// How long open calls may take to finish once the server takes nothing new; 20 s without,
    /// which fits with the lame-duck time into the 30 s that Kubernetes gives.
    public Builder grace(Duration grace) {
      if (grace.isNegative()) throw new IllegalArgumentException("grace: " + grace);
      this.grace = grace;
      return this;
    }

    /// Whether SIGTERM and SIGINT drain the server, together with the others in this process that
    /// want it, and then end the process: with 0 when every call finished, with 3 when some were
    /// cut. A second signal closes at once. On without; an application that handles signals itself,
    /// or chooses its exit code, turns it off and calls [Server#drain].
    public Builder signals(boolean signals) {
      this.signals = signals;
      return this;
    }

    /// Whether [Server#health] is served: as `grpc.health.v1.Health`, unless a service of that name
    /// was added, and to probes over HTTP as `/healthz`, whether calls should be sent here, and
    /// `/livez`, whether the process lives, unless those paths have handlers. On without.
    public Builder health(boolean served) {
      this.servesHealth = served;
      return this;
    }

    /// Whether clients can ask which services there are and what their messages look like:
    /// reflection v1 and v1alpha, unless such a service was added. On without.
    public Builder reflection(boolean served) {
      this.reflects = served;
      return this;
    }

    // ---- Overload.

    Overload overload() {
      return overload;
    }

    /// What is refused when more is asked than the server can do; [Overload#DEFAULT] without.
    public Builder overload(Overload overload) {
      this.overload = overload;
      return this;
    }

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

    /// What operators say, in place of what was told so far.
    ///
    /// @throws IllegalArgumentException with a sentence for the operator, when an option is
    ///   impossible
    public Builder configure(Configuration configuration) {
      configuration.tell(this);
      return this;
    }

    /// What was added, and what every server has unless it was told otherwise.
    private List<Service> allServices(Health health) {
      var all = new ArrayList<>(services);
      if (channelz) all.add(Service.of(ChannelzService.newInstance(CHANNELZ_PAGE_MAX)));
      if (servesHealth)
        addUnlessThere(all, new HealthService(health, HealthService.WATCHES_MAX).service());
      if (reflects) {
        for (var reflection : Reflection.services()) addUnlessThere(all, reflection);
      }
      return List.copyOf(all);
    }

    private HttpHandlers allHandlers(Health health) {
      return servesHealth ? http.with(HealthService.probes(health)) : http;
    }

    private static void addUnlessThere(List<Service> all, Service service) {
      if (all.stream().noneMatch(added -> added.name().equals(service.name()))) all.add(service);
    }

    /// A server that does not listen yet.
    ///
    /// @throws IllegalArgumentException when two services have one name, or a guard names a method
    ///   that none of them has
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
