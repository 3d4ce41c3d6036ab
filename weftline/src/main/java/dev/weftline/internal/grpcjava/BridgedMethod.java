package dev.weftline.internal.grpcjava;

import dev.weftline.CallInfo;
import dev.weftline.internal.call.InboundCall;
import dev.weftline.internal.call.InboundHandler;
import dev.weftline.internal.protocol.MetadataFields;
import io.grpc.Context;
import io.grpc.Deadline;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import io.grpc.ServerCall;
import io.grpc.ServerCallHandler;
import io.grpc.ServerStreamTracer;
import io.grpc.Status;
import io.grpc.StatusException;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.util.List;
import java.util.concurrent.CompletionException;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/// One method of a grpc-java service: turns the events of a call into callbacks of its listener,
/// one after the other, all on the call thread, within the Context of the call.
///
/// What becomes of exceptions is grpc-java's way: out of `startCall` they are taken for a status,
/// out of a callback they end the call with UNKNOWN.
public final class BridgedMethod<ReqT, RespT> implements InboundHandler {
  /// What is different for handlers that are not grpc-java's kind, but stand behind its
  /// interceptors.
  public interface Surroundings {
    /// Runs `serve`, which starts the call and tells its listener everything.
    void serve(BridgedServerCall<?, ?> call, Context.CancellableContext context, Runnable serve);

    /// Ends the call for what was thrown out of `startCall` or a callback.
    void failed(BridgedServerCall<?, ?> call, Throwable thrown);
  }

  private static final Logger log = System.getLogger(BridgedMethod.class.getName());

  private final MethodDescriptor<ReqT, RespT> method;
  private final ServerCallHandler<ReqT, RespT> handler;
  private final List<ServerStreamTracer.Factory> tracers;
  private final Context root;
  private final ConnectionAttributes attributes;
  private final @Nullable Surroundings surroundings; // null for grpc-java's own kind

  BridgedMethod(
      MethodDescriptor<ReqT, RespT> method,
      ServerCallHandler<ReqT, RespT> handler,
      List<ServerStreamTracer.Factory> tracers,
      Context root,
      ConnectionAttributes attributes,
      @Nullable Surroundings surroundings) {
    this.method = method;
    this.handler = handler;
    this.tracers = tracers;
    this.root = root;
    this.attributes = attributes;
    this.surroundings = surroundings;
  }

  @Override
  public void handle(InboundCall call) {
    Metadata metadata;
    try {
      metadata = MetadataFields.metadata(call.exchange().request());
      attributes.await(call.exchange());
    } catch (StatusException e) {
      call.response().close(e.getStatus(), new Metadata());
      return;
    } catch (CompletionException e) {
      call.response()
          .close(Status.UNAVAILABLE.withDescription("connection refused"), new Metadata());
      return;
    }
    var tracing =
        tracers.isEmpty() ? CallTracing.NONE : CallTracing.start(tracers, method, metadata);
    var context = contextOf(call, tracing.filter(root));
    if (!call.enter(context)) {
      tracing.closed(Status.CANCELLED);
      return;
    }
    var previous = context.attach();
    try {
      var bridged = new BridgedServerCall<>(call, method, attributes, tracing);
      if (surroundings == null) {
        serve(bridged, metadata);
      } else {
        surroundings.serve(bridged, context, () -> serve(bridged, metadata));
      }
    } finally {
      context.detach(previous);
      context.cancel(null);
    }
  }

  /// The Context of a call: with who calls, if a guard has told, and with its deadline, which the
  /// loop watches over.
  public static Context.CancellableContext contextOf(InboundCall call, Context root) {
    var caller = call.caller();
    var parent = caller == null ? root : root.withValue(CallInfo.PRINCIPAL, caller);
    return call.hasDeadline()
        ? parent.withDeadline(
            Deadline.after(call.nanosLeft(), TimeUnit.NANOSECONDS), UntimedScheduler.INSTANCE)
        : parent.withCancellation();
  }

  private void serve(BridgedServerCall<ReqT, RespT> call, Metadata metadata) {
    call.tracing().started(call);
    ServerCall.Listener<ReqT> listener;
    try {
      listener = handler.startCall(call, metadata);
      if (listener == null) {
        throw new NullPointerException(
            "startCall() returned a null listener for method " + method.getFullMethodName());
      }
    } catch (Throwable e) {
      if (surroundings != null) {
        surroundings.failed(call, e);
      } else {
        call.failed(Status.fromThrowable(e), new Metadata());
        report(call, e);
      }
      drain(call);
      return;
    }
    listen(call, listener);
  }

  private void listen(BridgedServerCall<ReqT, RespT> call, ServerCall.Listener<ReqT> listener) {
    var inbound = call.inbound();
    call.listener(listener);
    try {
      listener.onReady();
      for (; ; ) {
        var event = inbound.next();
        switch (event) {
          case MESSAGE, HALF_CLOSED, READY -> call.deliver(event);
          case COMPLETED -> {
            last(call, listener::onComplete);
            return;
          }
          case CANCELLED -> {
            last(call, listener::onCancel);
            return;
          }
        }
      }
    } catch (Throwable e) {
      if (surroundings != null) {
        surroundings.failed(call, e);
      } else {
        call.failed(
            Status.UNKNOWN.withDescription("Application error processing RPC").withCause(e),
            new Metadata());
        report(call, e);
      }
    }
    switch (drain(call)) {
      case CANCELLED -> last(call, listener::onCancel);
      default -> last(call, listener::onComplete);
    }
  }

  /// After a handler has failed: nothing is delivered any more, but the end.
  private InboundCall.Event drain(BridgedServerCall<ReqT, RespT> call) {
    for (; ; ) {
      var event = call.inbound().next();
      switch (event) {
        case COMPLETED, CANCELLED -> {
          return event;
        }
        case MESSAGE, HALF_CLOSED, READY -> {}
      }
    }
  }

  private void last(BridgedServerCall<ReqT, RespT> call, Runnable callback) {
    try {
      callback.run();
    } catch (Throwable e) {
      report(call, e);
    } finally {
      call.tracingEnded();
    }
  }

  /// Once per call, with what tells the call from others. A handler of a cancelled call that is
  /// torn out of its work by an exception is no news.
  private static void report(BridgedServerCall<?, ?> call, Throwable e) {
    report(call.inbound(), e);
  }

  /// As above, for the handlers of other packages.
  public static void report(InboundCall call, Throwable e) {
    var level = call.isCancelled() ? Level.DEBUG : Level.WARNING;
    if (!log.isLoggable(level)) return;
    log.log(
        level,
        "exception in "
            + call.route().method().getFullMethodName()
            + ", called from "
            + call.exchange().remoteAddress(),
        e);
  }
}
