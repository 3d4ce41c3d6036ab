package dev.weftline.internal.straight;

import dev.weftline.Call;
import dev.weftline.internal.grpcjava.BridgedMethod;
import dev.weftline.internal.grpcjava.BridgedServerCall;
import io.grpc.Context;
import io.grpc.Metadata;
import io.grpc.ServerCall;
import io.grpc.ServerCallHandler;
import org.jspecify.annotations.Nullable;

/// A straight-line method behind grpc-java's interceptors, as the innermost handler of their chain.
///
/// It runs inside a callback: `onHalfClose` when it takes one request, the first `onReady` when it
/// takes a stream. When it waits for a request there, the call's events pass through the
/// interceptors' listeners on the very same thread, so interceptors see what they are used to: one
/// callback after the other, nested in the one in which the method runs. What the method throws
/// comes out of that callback, for interceptors that turn exceptions into statuses.
final class InterceptedMethod<ReqT, RespT>
    implements ServerCallHandler<ReqT, RespT>, BridgedMethod.Surroundings {
  private final StraightMethod<ReqT, RespT> method;

  InterceptedMethod(StraightMethod<ReqT, RespT> method) {
    this.method = method;
  }

  @Override
  public void serve(
      BridgedServerCall<?, ?> call, Context.CancellableContext context, Runnable serve) {
    ScopedValue.where(Call.CURRENT, new StraightCall<ReqT, RespT>(call, context)).run(serve);
  }

  @Override
  public void failed(BridgedServerCall<?, ?> transport, Throwable thrown) {
    current().fail(thrown);
  }

  @Override
  public ServerCall.Listener<ReqT> startCall(ServerCall<ReqT, RespT> server, Metadata headers) {
    var call = current();
    call.serveOn(server);
    if (method.oneRequest())
      server.request(2); // as grpc-java does: the second one would be an error
    return new Innermost(call);
  }

  @SuppressWarnings("unchecked") // bound in `serve`, by this very object
  private StraightCall<ReqT, RespT> current() {
    return (StraightCall<ReqT, RespT>) Call.current();
  }

  private final class Innermost extends ServerCall.Listener<ReqT> {
    private final StraightCall<ReqT, RespT> call;
    private final @Nullable Requests<ReqT> requests; // null when there is only one
    private @Nullable ReqT only;
    private boolean started;

    Innermost(StraightCall<ReqT, RespT> call) {
      this.call = call;
      this.requests = method.oneRequest() ? null : call.requests();
    }

    @Override
    public void onMessage(ReqT message) {
      if (requests == null) only = message;
      else requests.onMessage(message);
    }

    @Override
    public void onHalfClose() {
      if (requests != null) requests.onHalfClose();
      start();
    }

    @Override
    public void onReady() {
      if (requests != null) start();
    }

    private void start() {
      if (started) return;
      started = true;
      try {
        method.serve(call, only);
      } catch (Throwable e) {
        throw InterceptedMethod.<RuntimeException>asIs(e);
      }
    }
  }

  /// Callbacks declare no checked exceptions; a method may throw any.
  @SuppressWarnings({"unchecked", "TypeParameterUnusedInFormals"})
  private static <E extends Throwable> E asIs(Throwable thrown) throws E {
    throw (E) thrown;
  }
}
