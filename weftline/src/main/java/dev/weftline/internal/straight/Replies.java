package dev.weftline.internal.straight;

import dev.weftline.Sender;
import io.grpc.ServerCall;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import java.util.concurrent.locks.ReentrantLock;

/// The replies of one call. Threads that send at once take turns: interceptors expect one.
///
/// Hot: once per streamed reply.
final class Replies<RespT> implements Sender<RespT> {
  private final StraightCall<?, RespT> call;
  private final ServerCall<?, RespT> server;
  private final ReentrantLock sending = new ReentrantLock();

  // Guarded by sending: spares every reply but the first the call's own lock.
  private boolean headersSent;

  Replies(StraightCall<?, RespT> call, ServerCall<?, RespT> server) {
    this.call = call;
    this.server = server;
  }

  @Override
  public void send(RespT message) {
    var inbound = call.inbound();
    try {
      inbound.response().awaitRoom();
      sending.lockInterruptibly();
    } catch (InterruptedException e) {
      throw interrupted();
    }
    try {
      var why = inbound.cancellation();
      if (why != null) throw why.asRuntimeException();
      if (!headersSent) {
        call.sendHeaders();
        headersSent = true;
      }
      server.sendMessage(message);
    } finally {
      sending.unlock();
    }
  }

  /// A cancelled call interrupts its threads, and that is the better reason.
  private StatusRuntimeException interrupted() {
    Thread.currentThread().interrupt();
    var why = call.inbound().cancellation();
    return (why != null
            ? why
            : Status.CANCELLED.withDescription("interrupted while waiting to send a reply"))
        .asRuntimeException();
  }
}
