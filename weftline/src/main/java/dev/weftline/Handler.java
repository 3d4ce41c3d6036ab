package dev.weftline;

import io.grpc.ServerCallHandler;

/// What serves the calls of one method: a plain blocking method in one of gRPC's four shapes, or a
/// grpc-java handler.
///
/// A handler runs once per call, on that call's own virtual thread; one handler serves many calls
/// at once. It may block, and it may throw: an [io.grpc.StatusException] or
/// [io.grpc.StatusRuntimeException], such as [CallException], ends the call with its status and
/// trailers; anything else ends it with UNKNOWN, and is logged here and not told to the client.
public sealed interface Handler<ReqT, RespT> {
  /// One request, one reply.
  @FunctionalInterface
  non-sealed interface Unary<ReqT, RespT> extends Handler<ReqT, RespT> {
    RespT call(ReqT request) throws Exception;
  }

  /// One request, a stream of replies that ends when the method returns.
  @FunctionalInterface
  non-sealed interface ServerStreaming<ReqT, RespT> extends Handler<ReqT, RespT> {
    void call(ReqT request, Sender<RespT> replies) throws Exception;
  }

  /// A stream of requests, one reply. A method may reply before it has received them all.
  @FunctionalInterface
  non-sealed interface ClientStreaming<ReqT, RespT> extends Handler<ReqT, RespT> {
    RespT call(Receiver<ReqT> requests) throws Exception;
  }

  /// Two streams, each at its own pace; the call ends when the method returns.
  @FunctionalInterface
  non-sealed interface Bidirectional<ReqT, RespT> extends Handler<ReqT, RespT> {
    void call(Receiver<ReqT> requests, Sender<RespT> replies) throws Exception;
  }

  /// A method of a grpc-java service, which is called back.
  record GrpcJava<ReqT, RespT>(ServerCallHandler<ReqT, RespT> handler)
      implements Handler<ReqT, RespT> {}
}
