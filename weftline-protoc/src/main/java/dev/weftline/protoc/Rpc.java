package dev.weftline.protoc;

import com.google.protobuf.Descriptors.Descriptor;
import com.google.protobuf.Descriptors.MethodDescriptor;
import com.google.protobuf.GeneratorNames;

/// A method of a service, as Java spells it. Types are written in full, so that no name can collide
/// with another.
record Rpc(MethodDescriptor method, String name, String comment) {
  enum Shape {
    UNARY("unary"),
    SERVER_STREAMING("serverStreaming"),
    CLIENT_STREAMING("clientStreaming"),
    BIDIRECTIONAL("bidirectional");

    /// What `Service.Builder` and `OutboundCall` call their methods for it.
    final String method;

    Shape(String method) {
      this.method = method;
    }
  }

  Rpc(MethodDescriptor method, Source source) {
    this(method, JavaNames.ofMethod(method.getName()), Comments.javadoc(source.comment(method)));
  }

  String request() {
    return GeneratorNames.getQualifiedClassName(method.getInputType());
  }

  String reply() {
    return GeneratorNames.getQualifiedClassName(method.getOutputType());
  }

  /// Its path in HTTP/2, without the slash before it.
  String path() {
    return method.getService().getFullName() + "/" + method.getName();
  }

  String constant() {
    return JavaNames.ofConstant(name);
  }

  Shape shape() {
    if (method.isClientStreaming()) {
      return method.isServerStreaming() ? Shape.BIDIRECTIONAL : Shape.CLIENT_STREAMING;
    }
    return method.isServerStreaming() ? Shape.SERVER_STREAMING : Shape.UNARY;
  }

  String returns() {
    return method.isServerStreaming() ? "void" : reply();
  }

  String parameters() {
    var in =
        method.isClientStreaming()
            ? "dev.weftline.Receiver<" + request() + "> requests"
            : request() + " request";
    return method.isServerStreaming()
        ? in + ",\n    dev.weftline.Sender<" + reply() + "> replies"
        : in;
  }

  /// As Javadoc refers to them: without type arguments.
  String parameterTypes() {
    var in = method.isClientStreaming() ? "dev.weftline.Receiver" : request();
    return method.isServerStreaming() ? in + ", dev.weftline.Sender" : in;
  }

  String arguments() {
    var in = method.isClientStreaming() ? "requests" : "request";
    return method.isServerStreaming() ? in + ", replies" : in;
  }

  boolean isDeprecated() {
    return method.getOptions().getDeprecated();
  }

  boolean hasDeprecatedTypes() {
    return isDeprecated(method.getInputType()) || isDeprecated(method.getOutputType());
  }

  private static boolean isDeprecated(Descriptor type) {
    var around = type.getContainingType();
    return type.getOptions().getDeprecated() || (around != null && isDeprecated(around));
  }
}
