package dev.weftline.interop;

import io.grpc.Context;
import io.grpc.Contexts;
import io.grpc.Grpc;
import io.grpc.Metadata;
import io.grpc.ServerCall;
import io.grpc.ServerCallHandler;
import io.grpc.ServerInterceptor;
import java.net.SocketAddress;

/// Where a call comes from, for methods, which see no `ServerCall`.
final class PeerAddress implements ServerInterceptor {
  private static final Context.Key<SocketAddress> KEY = Context.key("peer-address");

  /// The address of the current call's client; empty when its transport has none.
  static String current() {
    var address = KEY.get();
    return address == null ? "" : address.toString();
  }

  @Override
  public <Q, A> ServerCall.Listener<Q> interceptCall(
      ServerCall<Q, A> call, Metadata request, ServerCallHandler<Q, A> next) {
    var address = call.getAttributes().get(Grpc.TRANSPORT_ATTR_REMOTE_ADDR);
    if (address == null) return next.startCall(call, request);
    return Contexts.interceptCall(Context.current().withValue(KEY, address), call, request, next);
  }
}
