package dev.weftline;

import com.google.protobuf.Descriptors;
import com.google.protobuf.DynamicMessage;
import io.grpc.BindableService;
import io.grpc.MethodDescriptor;
import io.grpc.MethodDescriptor.MethodType;
import io.grpc.ServerInterceptor;
import io.grpc.ServerMethodDefinition;
import io.grpc.ServerServiceDefinition;
import io.grpc.ServiceDescriptor;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/// A service as a server takes it: a name, its methods and their handlers. Immutable; any thread
/// may use it, for any number of servers.
///
/// Generated code makes one of an implementation (`Greeter.service(new GreeterService())`), [#of]
/// takes a grpc-java service, and [#builder] assembles one from lambdas.
public final class Service {
  /// One method: what it is called and takes, who serves it, and where its calls run.
  public record Method<ReqT, RespT>(
      MethodDescriptor<ReqT, RespT> descriptor, Handler<ReqT, RespT> handler, Placement placement) {

    private Method<ReqT, RespT> placed(Placement where) {
      return new Method<>(descriptor, handler, where);
    }
  }

  private final ServiceDescriptor descriptor;
  private final Map<String, Method<?, ?>> methods; // by bare name
  private final List<ServerInterceptor> interceptors;

  private Service(
      ServiceDescriptor descriptor,
      Map<String, Method<?, ?>> methods,
      List<ServerInterceptor> interceptors) {
    this.descriptor = descriptor;
    this.methods = methods;
    this.interceptors = interceptors;
  }

  /// A generated grpc-java service, unchanged.
  public static Service of(BindableService service) {
    return of(service.bindService());
  }

  /// A grpc-java service, unchanged.
  public static Service of(ServerServiceDefinition definition) {
    var methods = new LinkedHashMap<String, Method<?, ?>>();
    for (var method : definition.getMethods()) {
      methods.put(bareName(method.getMethodDescriptor()), bridged(method));
    }
    return new Service(definition.getServiceDescriptor(), methods, List.of());
  }

  private static <ReqT, RespT> Method<ReqT, RespT> bridged(
      ServerMethodDefinition<ReqT, RespT> method) {
    return new Method<>(
        method.getMethodDescriptor(),
        new Handler.GrpcJava<>(method.getServerCallHandler()),
        Placement.ADAPTIVE);
  }

  /// Assembles the service that `descriptor` describes.
  public static Builder builder(ServiceDescriptor descriptor) {
    return new Builder(descriptor);
  }

  /// Assembles a service without any generated code: its messages are [DynamicMessage]s.
  public static Builder builder(Descriptors.ServiceDescriptor descriptor) {
    var schema = Schema.of(descriptor);
    var methods = new ArrayList<MethodDescriptor<?, ?>>();
    for (var method : descriptor.getMethods()) {
      methods.add(
          schema.method(
              method.getName(),
              DynamicMessage.getDefaultInstance(method.getInputType()),
              DynamicMessage.getDefaultInstance(method.getOutputType())));
    }
    return new Builder(schema.descriptor(methods.toArray(MethodDescriptor<?, ?>[]::new)));
  }

  /// The name that the paths of its methods start with, such as `helloworld.Greeter`.
  public String name() {
    return descriptor.getName();
  }

  public ServiceDescriptor descriptor() {
    return descriptor;
  }

  /// The methods that have a handler; the others of the descriptor answer UNIMPLEMENTED.
  public List<Method<?, ?>> methods() {
    return List.copyOf(methods.values());
  }

  /// The interceptors of this service, the last one outermost.
  public List<ServerInterceptor> interceptors() {
    return interceptors;
  }

  /// This service behind interceptors of its own; the last one is called first, as in grpc-java.
  public Service intercept(ServerInterceptor... interceptors) {
    var all = new ArrayList<>(this.interceptors);
    all.addAll(List.of(interceptors));
    return new Service(descriptor, methods, List.copyOf(all));
  }

  /// This service with the calls of one method placed.
  ///
  /// @param method its bare name, such as `SayHello`
  /// @throws IllegalArgumentException when no handler has that name
  public Service place(String method, Placement placement) {
    var known = methods.get(method);
    if (known == null) {
      throw new IllegalArgumentException(
          name() + " serves no method " + method + "; it serves " + methods.keySet());
    }
    var placed = new LinkedHashMap<>(methods);
    placed.put(method, known.placed(placement));
    return new Service(descriptor, placed, interceptors);
  }

  @Override
  public String toString() {
    return name() + " " + methods.keySet();
  }

  private static String bareName(MethodDescriptor<?, ?> method) {
    var name = method.getBareMethodName();
    if (name == null) throw new IllegalArgumentException("no name: " + method.getFullMethodName());
    return name;
  }

  /// Gathers the handlers of one service. A method that is given none answers UNIMPLEMENTED. Not
  /// for several threads at once.
  ///
  /// Every method that takes a handler throws [IllegalArgumentException] when the descriptor has no
  /// such method, has it in another shape, or when it has a handler already.
  public static final class Builder {
    private final ServiceDescriptor descriptor;
    private final Map<String, MethodDescriptor<?, ?>> described = new LinkedHashMap<>();
    private final Map<String, Method<?, ?>> methods = new LinkedHashMap<>();

    private Builder(ServiceDescriptor descriptor) {
      this.descriptor = descriptor;
      for (var method : descriptor.getMethods()) described.put(bareName(method), method);
    }

    /// One request, one reply.
    ///
    /// @param method the bare name, such as `SayHello`; the handler's types must be those of the
    ///   descriptor, which the compiler cannot check
    public <ReqT, RespT> Builder unary(String method, Handler.Unary<ReqT, RespT> handler) {
      return add(method, MethodType.UNARY, handler);
    }

    public <ReqT, RespT> Builder unary(
        MethodDescriptor<ReqT, RespT> method, Handler.Unary<ReqT, RespT> handler) {
      return unary(nameOf(method), handler);
    }

    /// One request, a stream of replies.
    public <ReqT, RespT> Builder serverStreaming(
        String method, Handler.ServerStreaming<ReqT, RespT> handler) {
      return add(method, MethodType.SERVER_STREAMING, handler);
    }

    public <ReqT, RespT> Builder serverStreaming(
        MethodDescriptor<ReqT, RespT> method, Handler.ServerStreaming<ReqT, RespT> handler) {
      return serverStreaming(nameOf(method), handler);
    }

    /// A stream of requests, one reply.
    public <ReqT, RespT> Builder clientStreaming(
        String method, Handler.ClientStreaming<ReqT, RespT> handler) {
      return add(method, MethodType.CLIENT_STREAMING, handler);
    }

    public <ReqT, RespT> Builder clientStreaming(
        MethodDescriptor<ReqT, RespT> method, Handler.ClientStreaming<ReqT, RespT> handler) {
      return clientStreaming(nameOf(method), handler);
    }

    /// A stream of requests, a stream of replies.
    public <ReqT, RespT> Builder bidirectional(
        String method, Handler.Bidirectional<ReqT, RespT> handler) {
      return add(method, MethodType.BIDI_STREAMING, handler);
    }

    public <ReqT, RespT> Builder bidirectional(
        MethodDescriptor<ReqT, RespT> method, Handler.Bidirectional<ReqT, RespT> handler) {
      return bidirectional(nameOf(method), handler);
    }

    private String nameOf(MethodDescriptor<?, ?> method) {
      if (!descriptor.getName().equals(method.getServiceName())) {
        throw new IllegalArgumentException(
            method.getFullMethodName() + " is no method of " + descriptor.getName());
      }
      return bareName(method);
    }

    private <ReqT, RespT> Builder add(String name, MethodType shape, Handler<ReqT, RespT> handler) {
      var method = described.get(name);
      if (method == null) {
        throw new IllegalArgumentException(
            descriptor.getName() + " has no method " + name + "; it has " + described.keySet());
      }
      if (method.getType() != shape) {
        throw new IllegalArgumentException(
            method.getFullMethodName() + " is " + method.getType() + ", its handler " + shape);
      }
      @SuppressWarnings("unchecked") // the caller's word: see the parameter's comment
      var typed = (MethodDescriptor<ReqT, RespT>) method;
      if (methods.putIfAbsent(name, new Method<>(typed, handler, Placement.ADAPTIVE)) != null) {
        throw new IllegalArgumentException(method.getFullMethodName() + " has two handlers");
      }
      return this;
    }

    /// Reads [Placed] from the class that implements the handlers so far, and from its methods of
    /// the same names; `SayHello` is served by `sayHello`.
    public Builder placedAs(Class<?> implementation) {
      var ofClass = implementation.getAnnotation(Placed.class);
      if (ofClass != null) methods.replaceAll((_, method) -> method.placed(ofClass.value()));
      for (var method : implementation.getMethods()) {
        var placed = method.getAnnotation(Placed.class);
        if (placed == null) continue;
        var name = plain(method.getName());
        methods.replaceAll(
            (bare, served) -> plain(bare).equals(name) ? served.placed(placed.value()) : served);
      }
      return this;
    }

    /// Java names differ from those of the .proto in case and underscores only.
    private static String plain(String name) {
      return name.replace("_", "").toLowerCase(Locale.ROOT);
    }

    public Service build() {
      return new Service(descriptor, new LinkedHashMap<>(methods), List.of());
    }
  }
}
