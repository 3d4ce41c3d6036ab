package dev.weftline.internal.straight;

import dev.weftline.Call;
import dev.weftline.internal.call.CallThreads;
import dev.weftline.internal.call.InboundCall;
import dev.weftline.internal.grpcjava.BridgedMethod;
import dev.weftline.internal.grpcjava.BridgedServerCall;
import io.grpc.Attributes;
import io.grpc.Context;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import io.grpc.ServerCall;
import io.grpc.Status;
import java.net.SocketAddress;
import java.security.Principal;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.Callable;
import javax.net.ssl.SSLSession;
import org.jspecify.annotations.Nullable;

/// The call that a straight-line method sees, on the `ServerCall` that its interceptors, if there
/// are any, have left it.
///
/// Hot: one per call. What few methods need is made when it is asked for.
final class StraightCall<ReqT, RespT> implements Call {
  private final BridgedServerCall<?, ?> transport;
  private final InboundCall inbound;
  private final Context.CancellableContext context;

  // From startCall on; before that only interceptors run.
  private @Nullable ServerCall<ReqT, RespT> server;
  private @Nullable Requests<ReqT> requests; // of a method that takes a stream

  // Guarded by this.
  private @Nullable Metadata headers;
  private @Nullable Metadata trailers;
  private boolean headersSent;
  private @Nullable Forks forks;

  StraightCall(BridgedServerCall<?, ?> transport, Context.CancellableContext context) {
    this.transport = transport;
    this.inbound = transport.inbound();
    this.context = context;
  }

  // ---- The server's side.

  /// Serves on `server`, which may be wrapped.
  void serveOn(ServerCall<ReqT, RespT> server) {
    this.server = server;
  }

  InboundCall inbound() {
    return inbound;
  }

  /// The requests, as the innermost listener of the call. Call thread.
  Requests<ReqT> requests() {
    var known = requests;
    if (known == null) {
      known = new Requests<>(transport, server());
      requests = known;
    }
    return known;
  }

  Replies<RespT> replies() {
    return new Replies<>(this, server());
  }

  private ServerCall<ReqT, RespT> server() {
    var known = server;
    if (known == null) throw notStarted();
    return known;
  }

  private static IllegalStateException notStarted() {
    return new IllegalStateException("the interceptors have not let the call through yet");
  }

  /// The method has returned: waits for what it forked.
  void joinForks() throws Exception {
    Forks known;
    synchronized (this) {
      known = forks;
    }
    if (known != null) known.join();
  }

  /// Ends the call well, with the reply of a method that has one.
  void complete(@Nullable RespT reply) {
    if (inbound.isCancelled()) return;
    sendHeaders();
    if (reply != null) server().sendMessage(reply);
    server().close(Status.OK, takeTrailers());
  }

  /// Ends the call with what was thrown: a status, or something that is nobody's business but ours.
  void fail(Throwable thrown) {
    var status = StraightMethod.statusOf(thrown);
    if (status == null) {
      BridgedMethod.report(inbound, thrown);
      status = Status.UNKNOWN.withDescription("Application error processing RPC").withCause(thrown);
    }
    var all = takeTrailers();
    var own = StraightMethod.trailersOf(thrown);
    if (own != null) all.merge(own);
    transport.failed(status, all);
    endForks();
  }

  /// Forks that outlive a method that failed have nothing to work for.
  private void endForks() {
    Forks known;
    synchronized (this) {
      known = forks;
    }
    if (known == null) return;
    known.interrupt();
    known.awaitEnd();
  }

  private synchronized Metadata takeTrailers() {
    var all = trailers != null ? trailers : new Metadata();
    trailers = null;
    return all;
  }

  // ---- The method's side.

  @Override
  public MethodDescriptor<?, ?> method() {
    return inbound.method();
  }

  @Override
  public Metadata headers() {
    return inbound.headers();
  }

  @Override
  public Optional<String> header(String name) {
    return inbound.header(name);
  }

  @Override
  public synchronized <T> void header(Metadata.Key<T> key, T value) {
    if (headersSent) {
      throw new IllegalStateException("the headers have been sent, too late for " + key.name());
    }
    if (headers == null) headers = new Metadata();
    headers.put(key, value);
  }

  @Override
  public synchronized void sendHeaders() {
    if (headersSent) return;
    headersSent = true;
    server().sendHeaders(headers != null ? headers : new Metadata());
  }

  @Override
  public synchronized <T> void trailer(Metadata.Key<T> key, T value) {
    if (trailers == null) trailers = new Metadata();
    trailers.put(key, value);
  }

  @Override
  public void compress(String codec) {
    server().setCompression(codec);
  }

  @Override
  public Optional<Duration> deadlineLeft() {
    return inbound.deadlineLeft();
  }

  @Override
  public SocketAddress peer() {
    return inbound.peer();
  }

  @Override
  public Optional<String> authority() {
    return inbound.authority();
  }

  @Override
  public Optional<SSLSession> tlsSession() {
    return inbound.tlsSession();
  }

  @Override
  public Optional<Principal> principal() {
    return inbound.principal();
  }

  @Override
  public Attributes attributes() {
    return transport.getAttributes();
  }

  @Override
  public boolean isCancelled() {
    return inbound.isCancelled();
  }

  @Override
  public Optional<Status> cancellation() {
    return Optional.ofNullable(inbound.cancellation());
  }

  @Override
  public void onCancel(Runnable hook) {
    context.addListener(
        _ -> hook.run(),
        // A call that ends in order cancels its Context, too.
        task -> {
          if (inbound.isCancelled()) CallThreads.start(task);
        });
  }

  @Override
  public boolean draining() {
    return inbound.draining();
  }

  @Override
  public boolean awaitDrain(Duration timeout) throws InterruptedException {
    return inbound.settings().drain().await(timeout);
  }

  @Override
  public void onDrain(Runnable hook) {
    inbound.settings().drain().onBegin(hook, context);
  }

  @Override
  public <T> Fork<T> fork(Callable<T> work) {
    Forks known;
    boolean first;
    synchronized (this) {
      first = forks == null;
      if (forks == null) forks = new Forks();
      known = forks;
    }
    if (first) onCancel(known::interrupt);
    return known.fork(this, work);
  }

  @Override
  public String toString() {
    return method().getFullMethodName() + " from " + peer();
  }
}
