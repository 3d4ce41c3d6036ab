package dev.weftline.internal.straight;

import dev.weftline.Handler;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import io.grpc.Status;
import io.grpc.StatusException;
import io.grpc.StatusRuntimeException;
import org.jspecify.annotations.Nullable;

/// A user's method in one of the four shapes, and what its return and its exceptions mean.
///
/// @param oneRequest whether it is called with its only request
record StraightMethod<ReqT, RespT>(
    MethodDescriptor<ReqT, RespT> descriptor, Handler<ReqT, RespT> handler, boolean oneRequest) {

  StraightMethod(MethodDescriptor<ReqT, RespT> descriptor, Handler<ReqT, RespT> handler) {
    this(descriptor, handler, descriptor.getType().clientSendsOneMessage());
  }

  /// Runs the method and everything that it forked, and ends the call well.
  ///
  /// @param only the request of a method that takes one
  /// @throws Throwable what the method or a fork threw; the call is not ended then
  void serve(StraightCall<ReqT, RespT> call, @Nullable ReqT only) throws Throwable {
    RespT reply = null;
    switch (handler) {
      case Handler.Unary<ReqT, RespT> unary -> reply = replied(unary.call(request(only)));
      case Handler.ServerStreaming<ReqT, RespT> streaming ->
          streaming.call(request(only), call.replies());
      case Handler.ClientStreaming<ReqT, RespT> streaming ->
          reply = replied(streaming.call(call.requests()));
      case Handler.Bidirectional<ReqT, RespT> streaming ->
          streaming.call(call.requests(), call.replies());
      case Handler.GrpcJava<ReqT, RespT> bridged ->
          throw new IllegalStateException("called back, not called: " + bridged);
    }
    call.joinForks();
    call.complete(reply);
  }

  private ReqT request(@Nullable ReqT only) {
    if (only == null) throw new IllegalStateException("called before its request was there");
    return only;
  }

  private RespT replied(@Nullable RespT reply) {
    if (reply == null) throw new NullPointerException("the method returned null");
    return reply;
  }

  /// The status that a method chose by throwing it; null when it threw anything else.
  static @Nullable Status statusOf(Throwable thrown) {
    var status =
        switch (thrown) {
          case StatusException e -> e.getStatus();
          case StatusRuntimeException e -> e.getStatus();
          default -> Status.OK;
        };
    return status.isOk() ? null : status;
  }

  static @Nullable Metadata trailersOf(Throwable thrown) {
    return switch (thrown) {
      case StatusException e -> e.getTrailers();
      case StatusRuntimeException e -> e.getTrailers();
      default -> null;
    };
  }
}
