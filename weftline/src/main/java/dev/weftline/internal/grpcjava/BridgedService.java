package dev.weftline.internal.grpcjava;

import dev.weftline.Handler;
import dev.weftline.Placement;
import dev.weftline.Service;
import dev.weftline.internal.call.Route;
import dev.weftline.internal.thread.Placements;
import io.grpc.BinaryLog;
import io.grpc.Context;
import io.grpc.InternalServerInterceptors;
import io.grpc.ServerCallHandler;
import io.grpc.ServerInterceptor;
import io.grpc.ServerMethodDefinition;
import io.grpc.ServerServiceDefinition;
import io.grpc.ServerStreamTracer;
import java.util.ArrayList;
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

  public List<Route> routes(Service service) {
    var routes = new ArrayList<Route>();
    for (var method : service.methods()) routes.add(route(service, method));
    return routes;
  }

  private <ReqT, RespT> Route route(Service service, Service.Method<ReqT, RespT> method) {
    var handler = handlerOf(method);
    for (var interceptor : service.interceptors()) {
      handler = InternalServerInterceptors.interceptCallHandlerCreate(interceptor, handler);
    }
    return route(ServerMethodDefinition.create(method.descriptor(), handler), method.placement());
  }

  private static <ReqT, RespT> ServerCallHandler<ReqT, RespT> handlerOf(
      Service.Method<ReqT, RespT> method) {
    return switch (method.handler()) {
      case Handler.GrpcJava<ReqT, RespT>(var handler) -> handler;
      default -> throw new UnsupportedOperationException(method.toString());
    };
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

  /// A method that comes while the server runs.
  public Route route(ServerMethodDefinition<?, ?> method) {
    return route(method, Placement.ADAPTIVE);
  }

  private <ReqT, RespT> Route route(
      ServerMethodDefinition<ReqT, RespT> method, Placement placement) {
    ServerCallHandler<ReqT, RespT> handler = method.getServerCallHandler();
    for (var interceptor : interceptors) {
      handler = InternalServerInterceptors.interceptCallHandlerCreate(interceptor, handler);
    }
    var intercepted = method.withServerCallHandler(handler);
    if (binaryLog == null) return bridged(intercepted, placement);
    ServerMethodDefinition<?, ?> logged = binaryLog.wrapMethodDefinition(intercepted);
    return bridged(logged, placement);
  }

  private <ReqT, RespT> Route bridged(
      ServerMethodDefinition<ReqT, RespT> method, Placement placement) {
    var descriptor = method.getMethodDescriptor();
    return new Route(
        descriptor,
        new BridgedMethod<>(descriptor, method.getServerCallHandler(), tracers, root, attributes),
        placements.of(descriptor.getFullMethodName(), placement));
  }
}
