package dev.weftline;

import io.grpc.BindableService;
import io.grpc.ServerInterceptor;
import io.grpc.ServerInterceptors;
import io.grpc.ServerServiceDefinition;

/// A service as a server takes it: a name, its methods and their handlers. Immutable; any thread
/// may use it, for any number of servers.
public record Service(ServerServiceDefinition definition) {
  /// A generated grpc-java service, unchanged.
  public static Service of(BindableService service) {
    return new Service(service.bindService());
  }

  /// The name that the paths of its methods start with, such as `helloworld.Greeter`.
  public String name() {
    return definition.getServiceDescriptor().getName();
  }

  /// This service behind interceptors of its own; the last one is called first, as in grpc-java.
  public Service intercept(ServerInterceptor... interceptors) {
    return new Service(ServerInterceptors.intercept(definition, interceptors));
  }
}
