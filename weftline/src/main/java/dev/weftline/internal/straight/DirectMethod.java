package dev.weftline.internal.straight;

import dev.weftline.Call;
import dev.weftline.internal.call.InboundCall;
import dev.weftline.internal.call.InboundHandler;
import dev.weftline.internal.grpcjava.BridgedMethod;
import dev.weftline.internal.grpcjava.BridgedServerCall;
import dev.weftline.internal.grpcjava.BridgedService;
import dev.weftline.internal.grpcjava.ConnectionAttributes;
import io.grpc.Context;
import io.grpc.Metadata;
import io.grpc.Status;
import java.util.concurrent.CompletionException;

/// A straight-line method that nothing stands before: its call thread runs it at once.
///
/// Hot: `handle` is the whole of a unary call, between its request and its reply.
final class DirectMethod<ReqT, RespT> implements InboundHandler {
  private final StraightMethod<ReqT, RespT> method;
  private final Context root;
  private final ConnectionAttributes attributes;

  DirectMethod(StraightMethod<ReqT, RespT> method, BridgedService bridge) {
    this.method = method;
    this.root = bridge.root();
    this.attributes = bridge.attributes();
  }

  @Override
  public boolean pulls() {
    return true;
  }

  @Override
  public void handle(InboundCall inbound) {
    try {
      attributes.await(inbound.exchange());
    } catch (CompletionException e) {
      var refused = Status.UNAVAILABLE.withDescription("connection refused");
      inbound.response().close(refused, new Metadata());
      return;
    }
    var context = BridgedMethod.contextOf(inbound, root);
    if (!inbound.enter(context)) return;
    var server = new BridgedServerCall<>(inbound, method.descriptor(), attributes);
    var call = new StraightCall<ReqT, RespT>(server, context);
    call.serveOn(server);
    var previous = context.attach();
    try {
      ScopedValue.where(Call.CURRENT, call).run(() -> serve(call, server));
    } finally {
      inbound.leave();
      context.detach(previous);
      context.cancel(null);
    }
  }

  private void serve(StraightCall<ReqT, RespT> call, BridgedServerCall<ReqT, RespT> server) {
    try {
      if (!method.oneRequest()) {
        server.listener(call.requests());
        method.serve(call, null);
        return;
      }
      // The thread was started with the request; null when it cannot be read, which ends the call.
      var only = server.takeMessage();
      if (only != null) method.serve(call, only);
    } catch (Throwable e) {
      call.fail(e);
    }
  }
}
