package dev.weftline.internal.grpcjava;

import io.grpc.Attributes;
import io.grpc.Context;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import io.grpc.ServerCall;
import io.grpc.ServerStreamTracer;
import io.grpc.Status;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// The stream tracers of one call. A server without tracer factories shares [#NONE], which does
/// nothing.
final class CallTracing {
  static final CallTracing NONE = new CallTracing(new ServerStreamTracer[0]);

  private final ServerStreamTracer[] tracers;
  private int received;
  private int sent;
  private boolean closed;

  private CallTracing(ServerStreamTracer[] tracers) {
    this.tracers = tracers;
  }

  static CallTracing start(
      List<ServerStreamTracer.Factory> factories, MethodDescriptor<?, ?> method, Metadata headers) {
    var tracers = new ServerStreamTracer[factories.size()];
    for (int i = 0; i < tracers.length; i++) {
      tracers[i] = factories.get(i).newServerStreamTracer(method.getFullMethodName(), headers);
    }
    return new CallTracing(tracers);
  }

  Context filter(Context root) {
    var context = root;
    for (var tracer : tracers) context = tracer.filterContext(context);
    return context;
  }

  <ReqT, RespT> void started(ServerCall<ReqT, RespT> call) {
    if (tracers.length == 0) return;
    var info = new CallInfo<>(call);
    for (var tracer : tracers) tracer.serverCallStarted(info);
  }

  /// Sizes are not told: a message parsed on the loop has left its size there.
  void received() {
    for (var tracer : tracers) {
      tracer.inboundMessage(received);
      tracer.inboundMessageRead(received, -1, -1);
    }
    received++;
  }

  void sent(int bytes) {
    for (var tracer : tracers) {
      tracer.outboundMessage(sent);
      tracer.outboundMessageSent(sent, bytes, -1);
      tracer.outboundWireSize(bytes);
    }
    sent++;
  }

  void closed(Status status) {
    if (closed) return;
    closed = this != NONE;
    for (var tracer : tracers) tracer.streamClosed(status);
  }

  private static final class CallInfo<ReqT, RespT>
      extends ServerStreamTracer.ServerCallInfo<ReqT, RespT> {
    private final ServerCall<ReqT, RespT> call;

    CallInfo(ServerCall<ReqT, RespT> call) {
      this.call = call;
    }

    @Override
    public MethodDescriptor<ReqT, RespT> getMethodDescriptor() {
      return call.getMethodDescriptor();
    }

    @Override
    public Attributes getAttributes() {
      return call.getAttributes();
    }

    @Override
    public @Nullable String getAuthority() {
      return call.getAuthority();
    }
  }
}
