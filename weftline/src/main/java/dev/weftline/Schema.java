package dev.weftline;

import com.google.protobuf.DescriptorProtos.MethodOptions.IdempotencyLevel;
import com.google.protobuf.Descriptors;
import com.google.protobuf.Message;
import io.grpc.MethodDescriptor;
import io.grpc.MethodDescriptor.MethodType;
import io.grpc.ServiceDescriptor;
import io.grpc.protobuf.ProtoFileDescriptorSupplier;
import io.grpc.protobuf.ProtoMethodDescriptorSupplier;
import io.grpc.protobuf.ProtoServiceDescriptorSupplier;
import io.grpc.protobuf.ProtoUtils;

/// A service as its .proto has it, from which gRPC's descriptors are made. They lead back to it, so
/// that reflection can show the .proto. Generated code uses it; others rarely need to.
public final class Schema {
  private final Descriptors.ServiceDescriptor service;

  private Schema(Descriptors.ServiceDescriptor service) {
    this.service = service;
  }

  public static Schema of(Descriptors.ServiceDescriptor service) {
    return new Schema(service);
  }

  /// One of its methods.
  ///
  /// @param name its bare name, such as `SayHello`
  /// @param request any message of the type it takes
  /// @param reply any message of the type it gives
  /// @throws IllegalArgumentException when there is no such method, or it has other types
  public <ReqT extends Message, RespT extends Message> MethodDescriptor<ReqT, RespT> method(
      String name, ReqT request, RespT reply) {
    var method = service.findMethodByName(name);
    if (method == null) {
      throw new IllegalArgumentException(service.getFullName() + " has no method " + name);
    }
    requireType(method, "takes", method.getInputType(), request);
    requireType(method, "gives", method.getOutputType(), reply);
    var idempotency = method.getOptions().getIdempotencyLevel();
    return MethodDescriptor.<ReqT, RespT>newBuilder()
        .setType(typeOf(method))
        .setFullMethodName(
            MethodDescriptor.generateFullMethodName(service.getFullName(), method.getName()))
        .setRequestMarshaller(ProtoUtils.marshaller(request))
        .setResponseMarshaller(ProtoUtils.marshaller(reply))
        .setSafe(idempotency == IdempotencyLevel.NO_SIDE_EFFECTS)
        .setIdempotent(idempotency != IdempotencyLevel.IDEMPOTENCY_UNKNOWN)
        .setSampledToLocalTracing(true)
        .setSchemaDescriptor(new OfMethod(method))
        .build();
  }

  private static void requireType(
      Descriptors.MethodDescriptor method,
      String verb,
      Descriptors.Descriptor type,
      Message message) {
    var given = message.getDescriptorForType().getFullName();
    if (given.equals(type.getFullName())) return;
    throw new IllegalArgumentException(
        method.getFullName() + " " + verb + " " + type.getFullName() + ", not " + given);
  }

  private static MethodType typeOf(Descriptors.MethodDescriptor method) {
    if (method.isClientStreaming()) {
      return method.isServerStreaming() ? MethodType.BIDI_STREAMING : MethodType.CLIENT_STREAMING;
    }
    return method.isServerStreaming() ? MethodType.SERVER_STREAMING : MethodType.UNARY;
  }

  /// The service with these of its methods.
  public ServiceDescriptor descriptor(MethodDescriptor<?, ?>... methods) {
    var descriptor = ServiceDescriptor.newBuilder(service.getFullName());
    descriptor.setSchemaDescriptor(new OfService(service));
    for (var method : methods) descriptor.addMethod(method);
    return descriptor.build();
  }

  private record OfService(Descriptors.ServiceDescriptor service)
      implements ProtoServiceDescriptorSupplier {
    @Override
    public Descriptors.ServiceDescriptor getServiceDescriptor() {
      return service;
    }

    @Override
    public Descriptors.FileDescriptor getFileDescriptor() {
      return service.getFile();
    }
  }

  private record OfMethod(Descriptors.MethodDescriptor method)
      implements ProtoMethodDescriptorSupplier, ProtoFileDescriptorSupplier {
    @Override
    public Descriptors.MethodDescriptor getMethodDescriptor() {
      return method;
    }

    @Override
    public Descriptors.ServiceDescriptor getServiceDescriptor() {
      return method.getService();
    }

    @Override
    public Descriptors.FileDescriptor getFileDescriptor() {
      return method.getFile();
    }
  }
}
