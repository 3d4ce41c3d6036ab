package dev.weftline.benchmarks.peer;

import com.google.protobuf.MessageOrBuilder;
import dev.weftline.benchmarks.hello.Repeat;
import dev.weftline.benchmarks.hello.Text;
import io.vertx.core.Vertx;
import io.vertx.core.VertxOptions;
import io.vertx.core.http.HttpServerOptions;
import io.vertx.grpc.common.GrpcMessageDecoder;
import io.vertx.grpc.common.GrpcMessageEncoder;
import io.vertx.grpc.common.ServiceMethod;
import io.vertx.grpc.common.ServiceName;
import io.vertx.grpc.server.GrpcServer;
import io.vertx.grpcio.server.GrpcIoServer;
import io.vertx.grpcio.server.GrpcIoServiceBridge;

/// Vert.x gRPC, with its own API and with a grpc-java service.
final class VertxPeer {
  private static final ServiceName HELLO = ServiceName.create("weftline.benchmarks.Hello");

  private VertxPeer() {}

  static int start() {
    var vertx = vertx();
    var server = GrpcServer.server(vertx);
    server.callHandler(
        method("Say", Text.getDefaultInstance()),
        request ->
            request.handler(
                text -> request.response().end(Text.newBuilder().setText(text.getText()).build())));
    server.callHandler(
        method("Count", Repeat.getDefaultInstance()),
        request ->
            request.handler(repeat -> {
              for (int i = 0; i < repeat.getMessages(); i++) {
                request.response().write(Text.newBuilder().setText(repeat.getText()).build());
              }
              request.response().end();
            }));
    server.callHandler(
        method("Chat", Text.getDefaultInstance()),
        request -> {
          request.handler(
              text -> request.response().write(Text.newBuilder().setText(text.getText()).build()));
          request.endHandler(end -> request.response().end());
        });
    return listen(vertx, server);
  }

  static int startGrpcJavaServices() {
    var vertx = vertx();
    var server = GrpcIoServer.server(vertx);
    GrpcIoServiceBridge.bridge(new HelloService()).bind(server);
    return listen(vertx, server);
  }

  private static <Q extends MessageOrBuilder> ServiceMethod<Q, Text> method(
      String name, Q request) {
    return ServiceMethod.server(
        HELLO, name, GrpcMessageEncoder.encoder(), GrpcMessageDecoder.<Q>decoder(request));
  }

  private static Vertx vertx() {
    return Vertx.vertx(new VertxOptions().setPreferNativeTransport(true));
  }

  private static int listen(Vertx vertx, GrpcServer server) {
    return vertx
        .createHttpServer(new HttpServerOptions().setPort(0))
        .requestHandler(server)
        .listen()
        .await()
        .actualPort();
  }
}
