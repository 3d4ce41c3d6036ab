package dev.weftline.internal.call;

import com.google.protobuf.MessageLite;
import dev.weftline.internal.http.ByteBudget;
import dev.weftline.internal.http.Exchange;
import dev.weftline.internal.http.Fields;
import dev.weftline.internal.protocol.Envelope;
import dev.weftline.internal.protocol.StatusTrailers;
import io.grpc.Metadata;
import io.grpc.Status;
import io.netty.util.concurrent.FastThreadLocalThread;
import java.io.IOException;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/// The response side of one call: what was sent, what is held back so that it goes out in one
/// piece, and how much the peer has not taken yet.
///
/// Handlers send from any thread; the loop ends the response when a deadline passes or the input is
/// bad. One sends at a time: `SENDING` is held for the few instructions of a hand-over, and the one
/// who finds it held leaves its end to the holder. The senders of a straight-line method keep each
/// other out already and send its messages without it: the exchange drops what comes behind an end.
///
/// ```
///   OPEN ⇄ SENDING ─▶ ENDING ─▶ CLOSED       ENDING: the loop wants the response to end
///     └───────────────────────▶ CLOSED
/// ```
public final class Response {
  private enum State {
    OPEN,
    SENDING,
    ENDING,
    CLOSED
  }

  /// An end that waits for whoever sends at the moment.
  private record End(Status status, Metadata trailers) {}

  /// grpc-java's threshold, which services are written for.
  private static final int READY_BYTES = 32 << 10;

  /// What one call may have unsent while the server's memory is tight: a DATA frame's worth, so
  /// that something is always there to go on with.
  private static final int TIGHT_BYTES = 16 << 10;

  /// A loop thread cannot wait, so it gets this many budgets before its call is ended.
  private static final int LOOP_BUDGETS_MAX = 16;

  /// Messages a call thread may send after its call was cancelled before it is told by an
  /// exception: a loop that never asks `isCancelled` must end some time, and cannot hear
  /// `onCancel`, for it keeps the thread that would tell it.
  private static final int DROPPED_MAX = 1_000;

  /// A second thread that waits on the same call looks by itself: only one is woken.
  private static final long PARK_NANOS_MAX = 50_000_000;

  private static final VarHandle STATE;
  private static final VarHandle UNREADY;

  static {
    try {
      var lookup = MethodHandles.lookup();
      STATE = lookup.findVarHandle(Response.class, "state", State.class);
      UNREADY = lookup.findVarHandle(Response.class, "unready", boolean.class);
    } catch (ReflectiveOperationException e) {
      throw new ExceptionInInitializerError(e);
    }
  }

  private final InboundCall call;
  private final Exchange exchange;
  private final int budgetBytes;
  private final ByteBudget server;
  private final boolean alone;
  private volatile State state = State.OPEN;
  private volatile boolean handedOver;
  private @Nullable End pendingEnd; // written before ENDING

  // Guarded by SENDING, or by having closed.
  private boolean headersSent;
  private @Nullable Fields heldHeaders;
  private byte @Nullable [] heldMessage;
  private int heldBytes;
  private boolean ok;

  private volatile boolean unready;
  private volatile int readyBytes = READY_BYTES;
  private volatile @Nullable Thread blockedSender;
  private int dropped; // call thread

  /// @param alone whether the handler's senders keep each other out, so that only the loop may come
  ///   between them: a message that the loop's end overtakes is dropped by the exchange
  Response(InboundCall call, Exchange exchange, CallSettings settings, boolean alone) {
    this.call = call;
    this.exchange = exchange;
    this.budgetBytes = settings.sendBufferBytes();
    this.server = settings.budget();
    this.alone = alone;
  }

  // ---- The handler's side, any thread.

  /// Sends the header section, or keeps it for the only message.
  public void sendHeaders(Fields headers) {
    if (call.route().oneResponse()) {
      heldHeaders = headers;
      return;
    }
    if (!begin()) return;
    headersSent = true;
    exchange.sendHeaders(headers);
    endSend();
  }

  /// Sends a framed message, which passes over to us. Waits while the peer has not taken enough of
  /// what was sent before.
  public void sendMessage(byte[] framed) {
    if (call.route().oneResponse()) {
      heldMessage = framed;
      heldBytes = framed.length;
      return;
    }
    if (exchange.unsentBytes() > budgetBytes()) holdBack();
    if (!begin()) {
      drop();
      return;
    }
    exchange.sendData(framed);
    endSend();
    if (exchange.unsentBytes() >= readyBytes) becomeUnready();
  }

  /// The same for a message that the route writes in place; nothing is sent when that fails.
  ///
  /// @return its octets, without the prefix
  /// @throws IOException when it cannot be written
  public int sendMessage(MessageLite message) throws IOException {
    int size = message.getSerializedSize();
    int length = Envelope.PREFIX_BYTES + size;
    if (call.route().oneResponse()) {
      var framed = exchange.array(length);
      write(message, size, framed, 0);
      heldMessage = framed;
      heldBytes = length;
      return size;
    }
    if (exchange.unsentBytes() > budgetBytes()) holdBack();
    if (alone ? state != State.OPEN : !begin()) {
      drop();
      return size;
    }
    try {
      write(message, size, exchange.room(length), exchange.roomStart());
      exchange.sendRoom(length);
    } finally {
      if (!alone) endSend();
    }
    if (exchange.unsentBytes() >= readyBytes) becomeUnready();
    return size;
  }

  /// What may be unsent before a sender waits.
  private int budgetBytes() {
    return server.isTight() ? Math.min(budgetBytes, TIGHT_BYTES) : budgetBytes;
  }

  private static void write(MessageLite message, int size, byte[] into, int start)
      throws IOException {
    try {
      Route.write(message, size, into, start);
    } catch (RuntimeException e) {
      throw new IOException(e);
    }
  }

  /// Ends the response. False when it has been ended before.
  public boolean close(Status status, Metadata trailers) {
    if (!beginClose()) return false;
    ok = status.isOk();
    var headers = heldHeaders;
    var message = heldMessage;
    if (headersSent) {
      exchange.sendTrailers(StatusTrailers.of(status, trailers));
    } else if (headers != null && message != null) {
      exchange.respond(headers, message, heldBytes, StatusTrailers.of(status, trailers));
    } else if (headers != null && (ok || !headers.isConstant())) {
      exchange.sendHeaders(headers);
      exchange.sendTrailers(StatusTrailers.of(status, trailers));
    } else {
      exchange.sendHeadersOnly(StatusTrailers.trailersOnly(status, trailers));
    }
    handedOver = true;
    call.wake();
    return true;
  }

  /// Whether a message sent now would be taken soon.
  public boolean isReady() {
    if (isClosed() || call.isCancelled()) return false;
    if (exchange.unsentBytes() < readyBytes) return true;
    becomeUnready();
    return false;
  }

  /// What `isReady` compares with.
  public void readyBytes(int bytes) {
    readyBytes = bytes;
  }

  /// Whoever is told "not ready" is told READY later, so the loop must know.
  private void becomeUnready() {
    unready = true;
    // The loop may have written everything before it could see the flag.
    if (exchange.unsentBytes() < readyBytes) becomeReady();
  }

  private void becomeReady() {
    if (UNREADY.compareAndSet(this, true, false)) call.becameReady();
  }

  /// Waits until the peer has taken enough of what was sent before, or the call is over;
  /// straight-line senders come here first.
  public void awaitRoom() throws InterruptedException {
    if (exchange.unsentBytes() <= budgetBytes()) return;
    blockedSender = Thread.currentThread();
    try {
      while (exchange.unsentBytes() > budgetBytes() / 2 && !call.isCancelled() && !isClosed()) {
        LockSupport.parkNanos(this, PARK_NANOS_MAX);
        if (Thread.interrupted() && !call.isCancelled()) throw new InterruptedException();
      }
    } finally {
      blockedSender = null;
    }
  }

  private void holdBack() {
    var self = Thread.currentThread();
    if (exchange.onLoop() || self instanceof FastThreadLocalThread) {
      if (exchange.unsentBytes() > (long) LOOP_BUDGETS_MAX * budgetBytes) {
        call.abort(
            Status.RESOURCE_EXHAUSTED.withDescription(
                "an event loop thread sent faster than the client reads, without asking isReady"));
      }
      return;
    }
    boolean interrupted = false;
    blockedSender = self;
    try {
      while (exchange.unsentBytes() > budgetBytes() / 2 && !call.isCancelled() && !isClosed()) {
        LockSupport.parkNanos(this, PARK_NANOS_MAX);
        interrupted |= Thread.interrupted();
      }
    } finally {
      blockedSender = null;
      if (interrupted) self.interrupt();
    }
    if (call.isCancelled()) throw cancelled();
  }

  private void drop() {
    if (call.isCancelled() && call.isCallThread() && ++dropped > DROPPED_MAX) throw cancelled();
  }

  /// What grpc-java's observers throw.
  private static RuntimeException cancelled() {
    return Status.CANCELLED.withDescription("call already cancelled").asRuntimeException();
  }

  private boolean begin() {
    for (; ; ) {
      switch (state) {
        case OPEN -> {
          if (STATE.compareAndSet(this, State.OPEN, State.SENDING)) return true;
        }
        case SENDING -> Thread.onSpinWait(); // a service that sends from two threads at once
        case ENDING, CLOSED -> {
          return false;
        }
      }
    }
  }

  private void endSend() {
    if (!STATE.compareAndSet(this, State.SENDING, State.OPEN)) {
      var end = pendingEnd;
      if (end != null) sendEnd(end.status, end.trailers);
      state = State.CLOSED;
    }
  }

  private boolean beginClose() {
    for (; ; ) {
      switch (state) {
        case OPEN -> {
          if (STATE.compareAndSet(this, State.OPEN, State.CLOSED)) return true;
        }
        case SENDING -> Thread.onSpinWait();
        case ENDING, CLOSED -> {
          return false;
        }
      }
    }
  }

  /// Ends a response that has not begun with the only field section that it has. False when it has
  /// ended before.
  boolean refuse(Fields trailersOnly) {
    if (!beginClose()) return false;
    exchange.sendHeadersOnly(trailersOnly);
    handedOver = true;
    call.wake();
    return true;
  }

  private void sendEnd(Status status, Metadata trailers) {
    if (headersSent) {
      exchange.sendTrailers(StatusTrailers.of(status, trailers));
    } else {
      exchange.sendHeadersOnly(StatusTrailers.trailersOnly(status, trailers));
    }
  }

  // ---- The loop's side.

  /// Ends the response with `status`. False when it has been ended before.
  boolean failOnLoop(Status status) {
    return failOnLoop(status, new Metadata());
  }

  /// As above, with trailers, which are not changed any more.
  boolean failOnLoop(Status status, Metadata trailers) {
    for (; ; ) {
      switch (state) {
        case OPEN -> {
          if (STATE.compareAndSet(this, State.OPEN, State.CLOSED)) {
            sendEnd(status, trailers);
            return true;
          }
        }
        case SENDING -> {
          pendingEnd = new End(status, trailers);
          if (STATE.compareAndSet(this, State.SENDING, State.ENDING)) return true;
        }
        case ENDING, CLOSED -> {
          return false;
        }
      }
    }
  }

  /// The exchange is over: whatever is still sent is dropped.
  void end() {
    STATE.compareAndSet(this, State.OPEN, State.CLOSED);
  }

  void sent(int unsentBytes) {
    if (unready && unsentBytes < readyBytes) becomeReady();
    if (unsentBytes <= budgetBytes / 2) wakeSender();
  }

  void wakeSender() {
    var sender = blockedSender;
    if (sender != null) LockSupport.unpark(sender);
  }

  /// Whether the response has ended, by either side.
  boolean isClosed() {
    return state == State.CLOSED;
  }

  /// Whether the end has been given to the exchange.
  boolean isHandedOver() {
    return handedOver;
  }

  /// Whether it ended with status OK.
  boolean isOk() {
    return isClosed() && ok;
  }
}
