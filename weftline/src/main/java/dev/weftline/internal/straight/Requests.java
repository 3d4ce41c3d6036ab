package dev.weftline.internal.straight;

import dev.weftline.Receiver;
import dev.weftline.internal.call.InboundCall.Event;
import dev.weftline.internal.grpcjava.BridgedServerCall;
import io.grpc.ServerCall;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import java.time.Duration;
import java.util.Iterator;
import java.util.NoSuchElementException;
import java.util.Optional;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/// The requests of one call: whoever wants one waits for the call's next event, on its own thread,
/// and lets it pass through the interceptors' listeners, the innermost of which this is.
///
/// Hot: once per streamed request.
final class Requests<ReqT> extends ServerCall.Listener<ReqT> implements Receiver<ReqT> {
  private final BridgedServerCall<?, ?> transport;
  private final ServerCall<ReqT, ?> server;
  private final boolean pulled;
  private final ReentrantLock receiving = new ReentrantLock();

  // Guarded by receiving, once the method runs.
  private @Nullable ReqT arrived;
  private boolean asked;
  private boolean ended;

  Requests(BridgedServerCall<?, ?> transport, ServerCall<ReqT, ?> server) {
    this.transport = transport;
    this.server = server;
    this.pulled = transport.inbound().route().handler().pulls();
  }

  @Override
  public void onMessage(ReqT message) {
    arrived = message;
  }

  @Override
  public void onHalfClose() {
    ended = true;
  }

  /// The next request; null when there is none any more, or none within `nanos`. Negative: waits as
  /// long as it takes.
  @Nullable ReqT receive(long nanos) {
    return receive(nanos, false);
  }

  /// As above; null also when the server drains, if that is wanted.
  private @Nullable ReqT receive(long nanos, boolean untilDrain) {
    try {
      receiving.lockInterruptibly();
    } catch (InterruptedException e) {
      throw interrupted();
    }
    try {
      return await(nanos, untilDrain);
    } catch (InterruptedException e) {
      throw interrupted();
    } finally {
      receiving.unlock();
    }
  }

  private @Nullable ReqT await(long nanos, boolean untilDrain) throws InterruptedException {
    long end = nanos < 0 ? 0 : System.nanoTime() + nanos;
    for (; ; ) {
      if (untilDrain && transport.inbound().draining()) return null;
      var message = arrived;
      if (message != null) {
        arrived = null;
        asked = false;
        return message;
      }
      if (ended) return null;
      if (!pulled && !asked) {
        asked = true;
        server.request(1);
      }
      var event =
          transport
              .inbound()
              .next(nanos < 0 ? -1 : Math.max(0, end - System.nanoTime()), untilDrain);
      if (event == null) return null;
      if (event == Event.CANCELLED || event == Event.COMPLETED) throw over();
      transport.deliver(event);
    }
  }

  private StatusRuntimeException over() {
    var why = transport.inbound().cancellation();
    return (why != null ? why : Status.CANCELLED.withDescription("the call has ended"))
        .asRuntimeException();
  }

  /// A cancelled call interrupts its threads, and that is the better reason.
  private StatusRuntimeException interrupted() {
    Thread.currentThread().interrupt();
    return transport.inbound().isCancelled()
        ? over()
        : Status.CANCELLED
            .withDescription("interrupted while waiting for a request")
            .asRuntimeException();
  }

  @Override
  public Iterator<ReqT> iterator() {
    return iterator(false);
  }

  @Override
  public Iterable<ReqT> untilDrain() {
    return () -> iterator(true);
  }

  private Iterator<ReqT> iterator(boolean untilDrain) {
    return new Iterator<>() {
      private @Nullable ReqT ahead;

      @Override
      public boolean hasNext() {
        if (ahead == null) ahead = receive(-1, untilDrain);
        return ahead != null;
      }

      @Override
      public ReqT next() {
        var message = ahead != null ? ahead : receive(-1, untilDrain);
        if (message == null) throw new NoSuchElementException("the last request was taken");
        ahead = null;
        return message;
      }
    };
  }

  @Override
  public Optional<ReqT> poll(Duration timeout) {
    return Optional.ofNullable(receive(Math.max(0, timeout.toNanos())));
  }

  @Override
  public boolean isEnded() {
    receiving.lock();
    try {
      return ended && arrived == null;
    } finally {
      receiving.unlock();
    }
  }
}
