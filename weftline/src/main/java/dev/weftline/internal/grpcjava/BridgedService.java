package dev.weftline.internal.grpcjava;

import dev.weftline.Placement;
import dev.weftline.Service;
import dev.weftline.internal.call.Route;
import dev.weftline.internal.thread.MethodPlacement;
import dev.weftline.internal.thread.Placements;
import io.grpc.BinaryLog;
import io.grpc.Context;
import io.grpc.InternalServerInterceptors;
import io.grpc.MethodDescriptor;
import io.grpc.ServerCallHandler;
import io.grpc.ServerInterceptor;
import io.grpc.ServerMethodDefinition;
import io.grpc.ServerServiceDefinition;
import io.grpc.ServerStreamTracer;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// grpc-java services as routes: everything that can be done before the first call is done here.
public final class BridgedService {
  private final List<ServerInterceptor> interceptors;
  private final @Nullable BinaryLog binaryLog;
  private final List<ServerStreamTracer.Factory> tracers;
  private final Context root;
  private final ConnectionAttributes attributes;
  private final Placements placements;

  /// @param interceptors the last one added is called first, as in grpc-java
  /// @param root what the Context of every call derives from
  /// @param placements where each method's place is kept
  public BridgedService(
      List<ServerInterceptor> interceptors,
      @Nullable BinaryLog binaryLog,
      List<ServerStreamTracer.Factory> tracers,
      Context root,
      ConnectionAttributes attributes,
      Placements placements) {
    this.interceptors = List.copyOf(interceptors);
    this.binaryLog = binaryLog;
    this.tracers = List.copyOf(tracers);
    this.root = root;
    this.attributes = attributes;
    this.placements = placements;
  }

  /// Whether nothing stands before the methods: no interceptor, tracer or binary log.
  public boolean isPlain() {
    return interceptors.isEmpty() && binaryLog == null && tracers.isEmpty();
  }

  /// What the Context of every call derives from.
  public Context root() {
    return root;
  }

  public ConnectionAttributes attributes() {
    return attributes;
  }

  /// Where the calls of a method run, who asks first decides.
  public MethodPlacement placement(MethodDescriptor<?, ?> method, Placement asked) {
    return placements.of(method.getFullMethodName(), asked);
  }

  /// A service as grpc-java lists it: for reflection and channelz. Nobody calls its handlers.
  public static ServerServiceDefinition definition(Service service) {
    var definition = ServerServiceDefinition.builder(service.descriptor());
    for (var method : service.descriptor().getMethods()) {
      definition.addMethod(
          method,
          (_, _) -> {
            throw new IllegalStateException("listed only: " + method.getFullMethodName());
          });
    }
    return definition.build();
  }

  public <ReqT, RespT> Route route(ServerMethodDefinition<ReqT, RespT> method) {
    return route(method, null);
  }

  /// As above, for a handler that needs these surroundings.
  public <ReqT, RespT> Route route(
      ServerMethodDefinition<ReqT, RespT> method,
      BridgedMethod.@Nullable Surroundings surroundings) {
    ServerCallHandler<ReqT, RespT> handler = method.getServerCallHandler();
    for (var interceptor : interceptors) {
      handler = InternalServerInterceptors.interceptCallHandlerCreate(interceptor, handler);
    }
    var intercepted = method.withServerCallHandler(handler);
    if (binaryLog == null) return bridged(intercepted, surroundings);
    ServerMethodDefinition<?, ?> logged = binaryLog.wrapMethodDefinition(intercepted);
    return bridged(logged, surroundings);
  }

  private <ReqT, RespT> Route bridged(
      ServerMethodDefinition<ReqT, RespT> method,
      BridgedMethod.@Nullable Surroundings surroundings) {
    var descriptor = method.getMethodDescriptor();
    var handler = method.getServerCallHandler();
    return new Route(
        descriptor,
        new BridgedMethod<>(descriptor, handler, tracers, root, attributes, surroundings),
        placement(descriptor, Placement.ADAPTIVE)); // its service has asked before, if it has one
  }
}
