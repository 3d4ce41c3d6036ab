package dev.weftline.internal.straight;

import dev.weftline.Handler;
import dev.weftline.Service;
import dev.weftline.internal.call.Prompt;
import dev.weftline.internal.call.Route;
import dev.weftline.internal.grpcjava.BridgedService;
import io.grpc.InternalServerInterceptors;
import io.grpc.ServerCallHandler;
import io.grpc.ServerMethodDefinition;
import java.util.ArrayList;
import java.util.List;

/// A service as routes: everything that can be decided before its first call is decided here.
///
/// A straight-line method that nothing stands before is served directly; one with interceptors is
/// served the way a grpc-java service is, as the innermost handler of the chain.
public final class ServiceRoutes {
  private ServiceRoutes() {}

  public static List<Route> of(Service service, BridgedService bridge) {
    var routes = new ArrayList<Route>();
    for (var method : service.methods()) routes.add(route(service, method, bridge));
    return routes;
  }

  private static <ReqT, RespT> Route route(
      Service service, Service.Method<ReqT, RespT> method, BridgedService bridge) {
    var descriptor = method.descriptor();
    var placement = bridge.placement(descriptor, method.placement());
    if (method.handler() instanceof Handler.GrpcJava<ReqT, RespT>(var handler)) {
      return bridge.route(ServerMethodDefinition.create(descriptor, behind(service, handler)));
    }
    var straight = new StraightMethod<>(descriptor, method.handler());
    if (bridge.isPlain() && service.interceptors().isEmpty()) {
      return new Route(
          descriptor,
          new DirectMethod<>(straight, bridge),
          placement,
          method.handler() instanceof Prompt);
    }
    var intercepted = new InterceptedMethod<>(straight);
    return bridge.route(
        ServerMethodDefinition.create(descriptor, behind(service, intercepted)), intercepted);
  }

  private static <ReqT, RespT> ServerCallHandler<ReqT, RespT> behind(
      Service service, ServerCallHandler<ReqT, RespT> handler) {
    var outermost = handler;
    for (var interceptor : service.interceptors()) {
      outermost = InternalServerInterceptors.interceptCallHandlerCreate(interceptor, outermost);
    }
    return outermost;
  }
}
