package dev.weftline.client;

import dev.weftline.Receiver;
import dev.weftline.Sender;
import io.grpc.CallOptions;
import io.grpc.Channel;
import io.grpc.MethodDescriptor;
import io.grpc.Status;
import io.grpc.StatusException;
import io.grpc.StatusRuntimeException;
import io.grpc.stub.BlockingClientCall;
import io.grpc.stub.ClientCalls;
import java.time.Duration;
import java.util.Iterator;
import java.util.NoSuchElementException;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/// A call that this side made and that is still open: messages are sent with [#send], replies come
/// by iteration. The clients that `weftline-protoc` generates hand it out where a call is a stream.
///
/// ```java
/// try (var chat = client.chat()) {
///   chat.send(hello);
///   for (var message : chat) show(message);
/// }
/// ```
///
/// One thread may send while another receives. Every method throws [StatusRuntimeException] with
/// the status of a call that failed. Whoever opened it closes it; closing a call that has not ended
/// cancels it.
public final class OutboundCall<ReqT, RespT>
    implements Sender<ReqT>, Receiver<RespT>, AutoCloseable {
  /// How long the end of a cancelled call is awaited: the channel's own thread tells it, at once.
  private static final int LAST_READ_SECONDS_MAX = 1;

  private final MethodDescriptor<ReqT, RespT> method;
  private final BlockingClientCall<ReqT, RespT> call;
  private final ReentrantLock receiving = new ReentrantLock();
  private boolean ended; // guarded by receiving
  private volatile boolean halfClosed;

  private OutboundCall(MethodDescriptor<ReqT, RespT> method, BlockingClientCall<ReqT, RespT> call) {
    this.method = method;
    this.call = call;
  }

  // ---- For generated code: the four shapes.

  /// One request, one reply.
  public static <ReqT, RespT> RespT unary(
      Channel channel, MethodDescriptor<ReqT, RespT> method, CallOptions options, ReqT request) {
    try {
      return ClientCalls.blockingV2UnaryCall(channel, method, options, request);
    } catch (StatusException e) {
      throw unchecked(e);
    }
  }

  /// One request; each reply goes to `replies`, on the calling thread, and the call has ended when
  /// this returns. What `replies` throws cancels the call.
  public static <ReqT, RespT> void serverStreaming(
      Channel channel,
      MethodDescriptor<ReqT, RespT> method,
      CallOptions options,
      ReqT request,
      Sender<? super RespT> replies) {
    try (var call = open(channel, method, options, request)) {
      for (var reply : call) replies.send(reply);
    }
  }

  /// All of `requests`, from the calling thread, then one reply. A server that has its reply early
  /// ends the sending.
  public static <ReqT, RespT> RespT clientStreaming(
      Channel channel,
      MethodDescriptor<ReqT, RespT> method,
      CallOptions options,
      Receiver<? extends ReqT> requests) {
    try (var call = open(channel, method, options)) {
      for (var request : requests) {
        if (!call.sendUnlessEnded(request)) break;
      }
      return call.reply();
    }
  }

  /// Sends `requests` from a virtual thread of its own, while each reply goes to `replies` on the
  /// calling thread. The call has ended when this returns; what either throws cancels it.
  public static <ReqT, RespT> void bidirectional(
      Channel channel,
      MethodDescriptor<ReqT, RespT> method,
      CallOptions options,
      Receiver<? extends ReqT> requests,
      Sender<? super RespT> replies) {
    try (var call = open(channel, method, options)) {
      var pump = new Pump<>(call, requests);
      var thread = Thread.startVirtualThread(pump);
      try {
        for (var reply : call) replies.send(reply);
      } catch (StatusRuntimeException e) {
        throw pump.failureOr(e);
      } finally {
        thread.interrupt();
      }
    }
  }

  /// Opens a call whose requests are a stream.
  public static <ReqT, RespT> OutboundCall<ReqT, RespT> open(
      Channel channel, MethodDescriptor<ReqT, RespT> method, CallOptions options) {
    return new OutboundCall<>(
        method, ClientCalls.blockingBidiStreamingCall(channel, method, options));
  }

  /// Opens a call with its only request.
  public static <ReqT, RespT> OutboundCall<ReqT, RespT> open(
      Channel channel, MethodDescriptor<ReqT, RespT> method, CallOptions options, ReqT request) {
    var call =
        new OutboundCall<>(
            method, ClientCalls.blockingV2ServerStreamingCall(channel, method, options, request));
    call.halfClosed = true;
    return call;
  }

  /// The requests of a bidirectional call, on their way.
  private static final class Pump<ReqT> implements Runnable {
    private final OutboundCall<ReqT, ?> call;
    private final Receiver<? extends ReqT> requests;
    private volatile @Nullable Throwable failure;

    Pump(OutboundCall<ReqT, ?> call, Receiver<? extends ReqT> requests) {
      this.call = call;
      this.requests = requests;
    }

    @Override
    public void run() {
      try {
        for (var request : requests) {
          if (!call.sendUnlessEnded(request)) return;
        }
        call.halfClose();
      } catch (Throwable e) {
        failure = e;
        call.call.cancel("the source of the requests failed", e);
      }
    }

    /// What really ended a call that the receiving side saw end with `e`.
    RuntimeException failureOr(StatusRuntimeException e) {
      var first = failure;
      if (first instanceof RuntimeException unchecked) return unchecked;
      if (first instanceof Error error) throw error;
      return e;
    }
  }

  // ---- An open call.

  @Override
  public void send(ReqT message) {
    if (!sendUnlessEnded(message)) {
      throw Status.CANCELLED
          .withDescription(method.getFullMethodName() + " has ended, nobody takes the message")
          .asRuntimeException();
    }
  }

  /// False when the server has ended the call, well or not: the replies tell.
  private boolean sendUnlessEnded(ReqT message) {
    try {
      return call.write(message);
    } catch (StatusException e) {
      throw unchecked(e);
    } catch (InterruptedException e) {
      throw interrupted("send");
    }
  }

  /// Tells the server that nothing more is sent. Once is enough, twice is no error.
  public void halfClose() {
    if (halfClosed) return;
    halfClosed = true;
    call.halfClose();
  }

  /// Ends the requests and waits for the only reply.
  public RespT reply() {
    halfClose();
    var reply = receive(-1);
    if (reply == null) {
      throw Status.INTERNAL
          .withDescription(method.getFullMethodName() + " ended without a reply")
          .asRuntimeException();
    }
    // The status comes behind the reply, and may still be a failure.
    if (receive(-1) != null) {
      call.cancel("one reply was expected", null);
      throw Status.INTERNAL
          .withDescription(method.getFullMethodName() + " sent more than one reply")
          .asRuntimeException();
    }
    return reply;
  }

  @Override
  public Iterator<RespT> iterator() {
    return new Iterator<>() {
      private @Nullable RespT ahead;

      @Override
      public boolean hasNext() {
        if (ahead == null) ahead = receive(-1);
        return ahead != null;
      }

      @Override
      public RespT next() {
        var message = ahead != null ? ahead : receive(-1);
        if (message == null) throw new NoSuchElementException("the last reply was taken");
        ahead = null;
        return message;
      }
    };
  }

  @Override
  public Optional<RespT> poll(Duration timeout) {
    return Optional.ofNullable(receive(Math.max(0, timeout.toNanos())));
  }

  @Override
  public boolean isEnded() {
    receiving.lock();
    try {
      return ended;
    } finally {
      receiving.unlock();
    }
  }

  /// The next reply; null when there is none any more, or none within `nanos`. Negative: waits as
  /// long as it takes.
  private @Nullable RespT receive(long nanos) {
    try {
      receiving.lockInterruptibly();
      try {
        if (ended) return null;
        var reply = nanos < 0 ? call.read() : call.read(nanos, TimeUnit.NANOSECONDS);
        ended = reply == null;
        return reply;
      } catch (TimeoutException e) {
        return null;
      } catch (StatusException e) {
        ended = true;
        throw unchecked(e);
      } finally {
        receiving.unlock();
      }
    } catch (InterruptedException e) {
      throw interrupted("receive");
    }
  }

  /// Cancels the call, unless it has ended.
  @Override
  public void close() {
    // Harmless after the end: grpc-java ignores it then.
    call.cancel("closed by the caller", null);
    giveBackReplies();
  }

  /// Replies that have arrived lie in buffers of the channel, which only reading them gives back:
  /// grpc-java runs what a blocking call is told on the threads that wait for it.
  private void giveBackReplies() {
    // Another thread that is receiving does the same until it sees the end.
    if (!receiving.tryLock()) return;
    boolean interrupted = Thread.interrupted();
    try {
      while (!ended) ended = call.read(LAST_READ_SECONDS_MAX, TimeUnit.SECONDS) == null;
    } catch (StatusException e) {
      ended = true;
    } catch (TimeoutException e) {
      // The channel's thread is stuck; what is lost is what the call had received.
    } catch (InterruptedException e) {
      interrupted = true;
    } finally {
      receiving.unlock();
      if (interrupted) Thread.currentThread().interrupt();
    }
  }

  private StatusRuntimeException interrupted(String what) {
    Thread.currentThread().interrupt();
    call.cancel("interrupted", null);
    return Status.CANCELLED
        .withDescription(
            "interrupted while waiting to " + what + " on " + method.getFullMethodName())
        .asRuntimeException();
  }

  private static StatusRuntimeException unchecked(StatusException e) {
    return new StatusRuntimeException(e.getStatus(), e.getTrailers());
  }
}
