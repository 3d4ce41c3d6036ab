package dev.weftline.internal.call;

import dev.weftline.CallInfo;
import dev.weftline.CallLedger;
import dev.weftline.CallReport;
import dev.weftline.LiveCall;
import dev.weftline.internal.admission.MethodAdmission;
import dev.weftline.internal.admission.Refusal;
import dev.weftline.internal.http.Exchange;
import dev.weftline.internal.http.ExchangeHandler;
import dev.weftline.internal.http.Field;
import dev.weftline.internal.http.Fields;
import dev.weftline.internal.http2.ErrorCode;
import dev.weftline.internal.protocol.Compression;
import dev.weftline.internal.protocol.Envelope;
import dev.weftline.internal.protocol.MetadataFields;
import dev.weftline.internal.protocol.RawMessage;
import io.grpc.Codec;
import io.grpc.Context;
import io.grpc.Decompressor;
import io.grpc.InternalStatus;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import io.grpc.Status;
import io.grpc.StatusException;
import io.grpc.StatusRuntimeException;
import io.netty.buffer.ByteBuf;
import java.io.IOException;
import java.io.InputStream;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.net.SocketAddress;
import java.security.Principal;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.locks.LockSupport;
import javax.net.ssl.SSLSession;
import org.jspecify.annotations.Nullable;

/// One served RPC: where the loop and the call thread meet.
///
/// The loop puts messages, the end of the request and the end of the exchange in; the call thread
/// takes them out as events with [#next()], and parks there. The response side is in [Response].
/// Whatever ends the call first decides its outcome, by one compare-and-set: the handler's `close`,
/// the deadline, bad input, or the end of the exchange.
///
/// Interrupts: a cancelled call's thread is interrupted at most once, after its Context was
/// cancelled, and only while it runs the handler; the flag is cleared before the handler hears of
/// the cancellation by `CANCELLED`.
public final class InboundCall extends Deadlines.Entry
    implements CallInfo, ExchangeHandler, Envelope.Receiver, MethodAdmission.Waiting, Runnable {
  /// What happens to a call, in the order in which its handler must hear it.
  public enum Event {
    /// `takeMessage` gives it.
    MESSAGE,
    /// The client sends nothing more.
    HALF_CLOSED,
    /// The response side takes messages again, after it did not.
    READY,
    /// The response was written; the last event.
    COMPLETED,
    /// The call was given up, by the client, its deadline or us; the last event.
    CANCELLED
  }

  private sealed interface Outcome {
    Outcome COMPLETED = new Completed();

    record Completed() implements Outcome {}

    record Cancelled(Status status) implements Outcome {}
  }

  /// What an observation is while it begins, and when it can begin no more.
  private enum Unobserved {
    BEGINS,
    OVER
  }

  private enum Place {
    OUTSIDE,
    IN_HANDLER,
    INTERRUPTING,
    INTERRUPTED
  }

  private static final Logger log = System.getLogger(InboundCall.class.getName());

  /// Parsing this much costs the loop some 10 µs; larger messages are parsed on the call thread.
  private static final int PARSED_ON_LOOP_BYTES_MAX = 64 << 10;

  /// A response that leaves this little waiting is going to be written: it fits the window that
  /// every stream starts with. The handler hears COMPLETED without another trip to the loop.
  private static final int CERTAIN_BYTES = 64 << 10;

  /// A call may make the server hold so much whatever the budget says: most messages are smaller,
  /// and so something always comes to its end.
  private static final int HELD_BYTES_CERTAIN = 32 << 10;

  private static final VarHandle BEGUN;
  private static final VarHandle OBSERVATION;
  private static final VarHandle OUTCOME;
  private static final VarHandle PLACE;
  private static final VarHandle REQUESTED;
  private static final VarHandle WAITS;

  static {
    try {
      var lookup = MethodHandles.lookup();
      BEGUN = lookup.findVarHandle(InboundCall.class, "begunNanos", long.class);
      OBSERVATION = lookup.findVarHandle(InboundCall.class, "observation", Object.class);
      OUTCOME = lookup.findVarHandle(InboundCall.class, "outcome", Outcome.class);
      PLACE = lookup.findVarHandle(InboundCall.class, "place", Place.class);
      REQUESTED = lookup.findVarHandle(InboundCall.class, "requested", int.class);
      WAITS = lookup.findVarHandle(InboundCall.class, "waits", PeerWaits.class);
    } catch (ReflectiveOperationException e) {
      throw new ExceptionInInitializerError(e);
    }
  }

  private final Exchange exchange;
  private final Route route;
  private final CallSettings settings;
  private final Decompressor decompressor;
  private final boolean hasDeadline;
  private final boolean pulled;
  private final boolean tellsLedger;
  private final long openedNanos;
  private final Response response;

  // Loop only.
  private final LoopCalls calls;
  @Nullable InboundCall nextOpen; // by LoopCalls
  @Nullable InboundCall previousOpen;
  @Nullable InboundCall nextReady; // by LoopCalls, until this call's thread starts it
  private final Envelope envelope;
  private int creditedOfUnfinished;
  private int keptBytes; // of an unfinished message, as the exchange was told
  private boolean waiting; // for a place
  private boolean started;
  private boolean discarding;
  private final MethodTally tally;
  private long readyNanos; // since when it has all that it needs to start; 0 before
  private long placedNanos; // since when it may; the start publishes it
  private long requestBytes; // of the messages received, without their prefixes
  private int requests;
  private volatile @Nullable String refusal;

  // Loop → call thread.
  private @Nullable Object only; // the message of a single-request method; the start publishes it
  private final @Nullable Inbox inbox; // of all other methods
  private volatile boolean ended;
  private volatile boolean readyPending;
  private volatile @Nullable Outcome outcome; // null while the call is open
  private volatile @Nullable Thread waiter; // who may be parked in next() or next(nanos)

  // Call thread.
  private boolean halfCloseTold;
  private boolean ran; // the handler, perhaps not to its end
  private long unreadNanos; // since when the whole response waits for the client to read
  private volatile int requested;
  private volatile Context.@Nullable CancellableContext context;
  private @Nullable Thread callThread; // written before begunNanos and context
  private volatile Place place = Place.OUTSIDE;
  private volatile @Nullable Principal principal; // until a guard tells

  @SuppressWarnings("unused") // by BEGUN
  private long begunNanos; // 0 before its thread runs

  // Both sides.
  private volatile @Nullable PeerWaits waits; // from the first wait on

  /// Observations, or Unobserved, or the report that came while they began; null before.
  @SuppressWarnings("unused") // by OBSERVATION
  private volatile @Nullable Object observation;

  private InboundCall(
      Exchange exchange,
      Route route,
      CallSettings settings,
      LoopCalls calls,
      Decompressor decompressor,
      boolean tellsLedger,
      long openedNanos,
      boolean hasDeadline,
      long deadlineNanos) {
    super(deadlineNanos);
    this.tellsLedger = tellsLedger;
    this.openedNanos = openedNanos;
    this.tally = calls.tallies.of(route.placement());
    this.exchange = exchange;
    this.route = route;
    this.settings = settings;
    this.calls = calls;
    this.decompressor = decompressor;
    this.hasDeadline = hasDeadline;
    this.pulled = route.handler().pulls();
    this.response = new Response(this, exchange, settings, pulled);
    this.envelope = new Envelope(route.method().getFullMethodName(), settings.messageBytesMax());
    this.inbox = route.oneRequest() ? null : new Inbox();
  }

  /// Loop: a new call. One whose request is a stream starts at once, any other when its message is
  /// here.
  ///
  /// @param tellsLedger whether the client asked for the ledger, and may
  /// @param timeoutNanos from now; negative for none
  static InboundCall open(
      Exchange exchange,
      boolean endOfRequest,
      Route route,
      CallSettings settings,
      LoopCalls calls,
      Decompressor decompressor,
      boolean tellsLedger,
      long timeoutNanos) {
    long now = exchange.turnNanos();
    boolean hasDeadline = timeoutNanos >= 0;
    // Differences of nanoTime must stay below half its range.
    long nanos = Math.min(timeoutNanos, Long.MAX_VALUE / 2);
    long deadline = hasDeadline ? now + nanos : 0;
    var call =
        new InboundCall(
            exchange,
            route,
            settings,
            calls,
            decompressor,
            tellsLedger,
            now,
            hasDeadline,
            deadline);
    calls.add(call);
    calls.tallies.start(call.tally, now);
    if (hasDeadline) {
      if (nanos == 0) {
        call.expired();
        return call;
      }
      calls.deadlines.add(call);
    }
    if (!route.oneRequest()) call.enter();
    if (endOfRequest) call.receiveEnd(Fields.EMPTY);
    return call;
  }

  // ---- The loop.

  @Override
  public void receiveData(ByteBuf data, int length) {
    if (discarding || response.isClosed()) {
      data.skipBytes(length);
      exchange.consumed(length);
      return;
    }
    int end = data.readerIndex() + length;
    var fault = envelope.read(data, length, this);
    if (fault != null) {
      data.readerIndex(end);
      exchange.consumed(length);
      refuse(fault, reasonOf(fault));
      return;
    }
    keep(envelope.storageBytes());
    if (keptBytes > HELD_BYTES_CERTAIN && settings.budget().isFull()) shed();
    var stream = inbox;
    if (discarding && stream != null) return; // its window is credited when it closes
    if (stream == null) {
      // One message only, so its limit bounds what is here.
      exchange.consumed(length);
      return;
    }
    creditUnfinished(stream);
    if (stream.isDrained()) return;
    wake();
  }

  private void keep(int bytes) {
    if (bytes == keptBytes) return;
    exchange.keeps(bytes - keptBytes);
    keptBytes = bytes;
  }

  /// Loop: ends the call if it makes the server hold much: a message that has not come whole, or
  /// what its client does not read. Returns how many octets that frees, soon.
  int shed() {
    var admission = route.admission();
    if (admission == null) return 0;
    int kept = keptBytes;
    if (kept > HELD_BYTES_CERTAIN) {
      envelope.clear();
      keep(0);
      end(admission);
      return kept;
    }
    int unsent = exchange.unsentBytes();
    if (unsent <= HELD_BYTES_CERTAIN) return 0;
    // Trailers would stand behind what waits. Clients take this code for RESOURCE_EXHAUSTED.
    noteRefusal(Refusal.BYTE_BUDGET);
    exchange.reset(ErrorCode.ENHANCE_YOUR_CALM.code());
    return unsent;
  }

  private void end(MethodAdmission admission) {
    if (!started) {
      turnAway(admission, Refusal.BYTE_BUDGET);
      return;
    }
    var failure = admission.failure(Refusal.BYTE_BUDGET);
    var trailers = failure.getTrailers();
    discarding = true;
    if (response.failOnLoop(failure.getStatus(), trailers == null ? new Metadata() : trailers)) {
      cancel(failure.getStatus());
    }
  }

  /// A message may be larger than the window, so its octets are given back as they come; but only
  /// while nothing waits before it, or a slow handler would hold more than the window and a
  /// message.
  private void creditUnfinished(Inbox stream) {
    int bytes = envelope.unfinishedBytes() - creditedOfUnfinished;
    if (bytes == 0) return;
    creditedOfUnfinished += bytes;
    if (stream.isDrained()) {
      exchange.consumed(bytes);
      return;
    }
    stream.hold(bytes);
    // The call thread may have taken the last message before it could see what we hold.
    if (stream.isDrained()) exchange.consumed(stream.takeHeld());
  }

  @Override
  public @Nullable Status receiveMessage(boolean compressed, ByteBuf data, int length) {
    if (compressed && isIdentity()) return Compression.NOT_NEGOTIATED;
    if (compressed || !route.parsedOnLoop() || length > PARSED_ON_LOOP_BYTES_MAX) {
      var bytes = new byte[length];
      data.readBytes(bytes);
      return put(new RawMessage(bytes, compressed), length);
    }
    var stream = calls.messageStream;
    Object message;
    try {
      message = route.method().parseRequest(stream.over(data, length));
    } catch (Throwable e) {
      return notParsed(e);
    } finally {
      stream.finish();
    }
    return put(message, length);
  }

  @Override
  public @Nullable Status receiveMessage(boolean compressed, byte[] message) {
    if (compressed && isIdentity()) return Compression.NOT_NEGOTIATED;
    if (compressed || !route.parsedOnLoop() || message.length > PARSED_ON_LOOP_BYTES_MAX) {
      return put(new RawMessage(message, compressed), message.length);
    }
    try {
      return put(parse(message), message.length);
    } catch (StatusException e) {
      return e.getStatus();
    }
  }

  private boolean isIdentity() {
    return decompressor instanceof Codec.Identity;
  }

  private @Nullable Status put(Object message, int length) {
    requests++;
    requestBytes += length;
    var stream = inbox;
    if (stream != null) {
      stream.put(message, Envelope.PREFIX_BYTES + length - creditedOfUnfinished);
      creditedOfUnfinished = 0;
      return null;
    }
    if (only != null) return cardinality("more than one");
    only = message;
    return null;
  }

  /// gRPC status codes: "Request cardinality violation (method requires exactly one request but
  /// client sent some other number of requests)" is UNIMPLEMENTED.
  private Status cardinality(String number) {
    return Status.UNIMPLEMENTED.withDescription(
        route.method().getFullMethodName()
            + " takes exactly one request message, the client sent "
            + number);
  }

  @Override
  public void receiveEnd(Fields trailers) {
    if (discarding) return;
    if (!envelope.isAtBoundary()) {
      refuse(
          Status.INTERNAL.withDescription("the request ended inside a message"),
          RequestFault.MALFORMED_MESSAGE);
    } else if (!route.oneRequest()) {
      ended = true;
      wake();
    } else if (only == null) {
      refuse(cardinality("none"), RequestFault.WRONG_CARDINALITY);
    } else {
      ended = true;
      enter();
    }
  }

  /// Loop: ends the call before its method is thought of, or in the middle of a stream that broke a
  /// rule.
  ///
  /// @param reason one of a few constants, for counting
  void refuse(Status status, String reason) {
    settings.counters().refuse(reason);
    refusal = reason;
    fail(status);
  }

  /// gRPC status codes tell these apart.
  private static String reasonOf(Status fault) {
    return switch (fault.getCode()) {
      case RESOURCE_EXHAUSTED -> RequestFault.MESSAGE_TOO_LARGE;
      case UNIMPLEMENTED -> RequestFault.WRONG_CARDINALITY;
      default -> RequestFault.MALFORMED_MESSAGE;
    };
  }

  /// The call has all that its method needs: it starts, or waits for a place, or is turned away.
  private void enter() {
    readyNanos = exchange.turnNanos();
    placedNanos = readyNanos;
    var admission = route.admission();
    if (admission == null) {
      start();
    } else if (hasDeadline && !admission.canFinish(readyNanos, deadlineNanos - readyNanos)) {
      turnAway(admission, Refusal.DEADLINE_TOO_SHORT);
    } else if (admission.tryEnter()) {
      start();
    } else {
      waiting = true; // first: its turn may come at once
      if (admission.tryWait(this)) {
        var _ =
            calls.loop.schedule(
                this::waitedInVain, admission.queueWaitNanosMax(), TimeUnit.NANOSECONDS);
      } else {
        waiting = false;
        turnAway(admission, Refusal.CONCURRENCY_LIMIT);
      }
    }
  }

  /// A place came free for this call.
  @Override
  public void placeFree() {
    try {
      exchange.execute(this::enterPlace);
    } catch (RejectedExecutionException e) {
      log.log(Level.DEBUG, "its loop has ended, and the call with it", e);
    }
  }

  private void enterPlace() {
    var admission = route.admission();
    if (admission == null) throw new IllegalStateException("a place of nobody");
    if (!waiting) { // it has ended meanwhile
      admission.giveBack();
      return;
    }
    waiting = false;
    placedNanos = System.nanoTime();
    start();
  }

  private void waitedInVain() {
    var admission = route.admission();
    if (!waiting || admission == null || !admission.leaveQueue(this)) return;
    waiting = false;
    turnAway(admission, Refusal.QUEUE_WAIT);
  }

  /// The call is over before its turn came.
  private void stopWaiting() {
    var admission = route.admission();
    if (!waiting || admission == null) return;
    waiting = false;
    admission.leaveQueue(this);
  }

  /// Answers for reasons of the server's own, before anything of the method has run.
  private void turnAway(MethodAdmission admission, Refusal why) {
    discarding = true;
    refuse(admission, why);
  }

  private void refuse(MethodAdmission admission, Refusal why) {
    if (response.refuse(why.status(), admission.answer(why))) noteRefusal(why);
  }

  private void noteRefusal(Refusal why) {
    refusal = why.name();
    settings.counters().refuse(why.name());
  }

  private void start() {
    started = true;
    if (route.prompt() && settings.guards().isEmpty()) {
      route.placement().startedOnLoop();
      run();
    } else {
      calls.start(this);
    }
  }

  @Override
  void expired() {
    long now = exchange.turnNanos();
    var late =
        Status.DEADLINE_EXCEEDED.withDescription(
            "deadline of "
                + CallLedger.millis(deadlineNanos - openedNanos)
                + " passed: "
                + ledger(now)
                + ", still "
                + phase());
    if (fail(late)) return;
    // The response is whole, but the peer does not take it: nobody waits for it any more.
    exchange.reset(ErrorCode.CANCEL.code());
  }

  /// Loop: ends the call with `status`. False when its response had ended before.
  boolean fail(Status status) {
    if (!response.failOnLoop(status)) return false;
    stopWaiting();
    discarding = true;
    cancel(status);
    return true;
  }

  /// Loop: the server's time is over.
  void cut(Status status, Metadata trailers) {
    settings.counters().cut();
    if (!response.failOnLoop(status, trailers)) return;
    discarding = true;
    cancel(status);
  }

  @Override
  public void sent(int unsentBytes) {
    response.sent(unsentBytes);
  }

  @Override
  public void closed(Close cause) {
    calls.deadlines.remove(this);
    calls.remove(this);
    stopWaiting();
    discarding = true;
    boolean completed = cause instanceof Close.Completed;
    over(completed ? null : StatusMapping.ofClose(cause));
    if (!completed) {
      response.end();
      cancel(StatusMapping.ofClose(cause));
    } else if (OUTCOME.compareAndSet(this, null, Outcome.COMPLETED)) {
      wake();
    }
  }

  /// Loop: counts the call, and tells of it.
  ///
  /// @param lost null when the response was written whole; otherwise what ended the stream before
  private void over(@Nullable Status lost) {
    var status = lost;
    if (status == null) {
      status = response.status();
      if (status == null) throw new IllegalStateException("a response without an end");
    } else {
      var earlier = cancellation();
      if (earlier != null) status = earlier;
    }
    long now = exchange.turnNanos();
    tally.end(status.getCode(), now - openedNanos, response.bytes(), requestBytes);
    var accessLog = settings.sight().accessLog();
    if (accessLog == null && !isObserved()) return;
    var report = report(status, now);
    if (accessLog != null) accessLog.ended(report, exchange.request(), principal);
    if (isObserved()) tell(report);
  }

  /// Whether an observer wants to know of the end.
  private boolean isObserved() {
    return !settings.observers().isEmpty() && observation != Unobserved.OVER;
  }

  private CallReport report(Status status, long now) {
    return new CallReport(
        route.method().getFullMethodName(),
        true,
        status,
        Optional.ofNullable(refusal),
        ledger(now),
        requestBytes,
        requests,
        response.bytes(),
        response.messages(),
        exchange.remoteAddress());
  }

  private void tell(CallReport report) {
    if (OBSERVATION.compareAndSet(this, null, Unobserved.OVER)) {
      Observations.refused(settings.observers(), report);
    } else if (!OBSERVATION.compareAndSet(this, Unobserved.BEGINS, report)
        && observation instanceof Observations begun) {
      begun.ended(report);
    }
  }

  /// Loop. Listeners of the Context are a user's code: they run on the call thread when it waits
  /// for us, and on a thread of their own while it is busy.
  private void cancel(Status status) {
    if (!OUTCOME.compareAndSet(this, null, new Outcome.Cancelled(status)) || !started) return;
    response.wakeSender();
    var waiting = waiter;
    if (waiting == null || !waiting.equals(callThread)) CallThreads.start(this::interruptHandler);
    if (waiting != null) LockSupport.unpark(waiting);
  }

  void wake() {
    var thread = waiter;
    if (thread != null) LockSupport.unpark(thread);
  }

  /// Any thread: the response side takes messages again.
  void becameReady() {
    readyPending = true;
    wake();
  }

  private void interruptHandler() {
    var running = context; // null before enter(), which will see that the call is cancelled
    if (running != null) running.cancel(cancelCause());
    if (PLACE.compareAndSet(this, Place.IN_HANDLER, Place.INTERRUPTING)) {
      var thread = callThread;
      if (thread != null) thread.interrupt();
      place = Place.INTERRUPTED;
    }
  }

  // ---- The call thread.

  @Override
  public void run() {
    startReady();
    var thread = Thread.currentThread();
    callThread = thread;
    long startedNanos = System.nanoTime();
    BEGUN.setRelease(this, startedNanos);
    var admission = route.admission();
    try {
      if (admission == null || admission.begin(thread, placedNanos, startedNanos)) {
        attend();
      } else {
        route.placement().notRun();
        refuse(admission, Refusal.QUEUE_WAIT);
      }
    } finally {
      if (admission != null) {
        admission.leave(placedNanos, startedNanos, unreadNanos, ran, ran && !isCancelled());
      }
    }
  }

  private void attend() {
    var begun = settings.observers().isEmpty() ? null : observe();
    if (begun == null) {
      serve();
      return;
    }
    try (var _ = begun.enter()) {
      serve();
    }
  }

  /// Begins the observations; null when nobody is interested, or the call is over already.
  private @Nullable Observations observe() {
    if (!OBSERVATION.compareAndSet(this, null, Unobserved.BEGINS)) return null;
    var begun = Observations.of(this);
    var known = begun != null ? begun : Unobserved.OVER;
    if (OBSERVATION.compareAndSet(this, Unobserved.BEGINS, known)) return begun;
    // The call ended meanwhile, and the loop left its report to us.
    if (begun != null && observation instanceof CallReport report) begun.ended(report);
    return begun;
  }

  private void startReady() {
    for (var ready = nextReady; ready != null; ) {
      var next = ready.nextReady;
      ready.nextReady = null;
      CallThreads.start(ready);
      ready = next;
    }
    nextReady = null;
  }

  private void serve() {
    if (!settings.guards().isEmpty() && !isAdmitted()) return;
    ran = !isCancelled();
    if (!ran) route.placement().notRun();
    route.handler().handle(this);
  }

  /// Asks the guards, which are interrupted like a handler when the call is cancelled.
  private boolean isAdmitted() {
    callThread = Thread.currentThread();
    place = Place.IN_HANDLER;
    try {
      return settings.guards().admit(this);
    } finally {
      leave();
    }
  }

  /// A guard has told who calls; the first one counts.
  void identified(Principal caller) {
    if (principal == null) principal = caller;
  }

  /// Tells that the handler runs from now on, in `running`. False when the call is cancelled
  /// already and nobody need start.
  public boolean enter(Context.CancellableContext running) {
    place = Place.IN_HANDLER;
    context = running;
    if (!isCancelled()) return true;
    leave();
    return false;
  }

  /// Waits for the next event. Only the call thread asks, and nothing follows COMPLETED and
  /// CANCELLED.
  public Event next() {
    var event = poll();
    if (event == null) event = await();
    if (event == Event.CANCELLED) leave();
    return event;
  }

  private Event await() {
    waiter = Thread.currentThread();
    Event event;
    while ((event = poll()) == null) {
      park(-1);
      // Between two events there is nobody to interrupt, and the flag would keep us from parking.
      Thread.interrupted();
    }
    waiter = null;
    // Whoever cancelled while `waiter` was set left the Context to us.
    return isCancelled() ? Event.CANCELLED : event;
  }

  /// As `next`, for handlers that wait on threads of their choice, one at a time. Waits `nanos` at
  /// most, or as long as it takes when negative; null when they have passed. The call goes on after
  /// an interrupt.
  public @Nullable Event next(long nanos) throws InterruptedException {
    return next(nanos, false);
  }

  /// As above; null also when the server drains, for handlers that want to know.
  public @Nullable Event next(long nanos, boolean untilDrain) throws InterruptedException {
    var event = poll();
    if (event == null) event = await(nanos, untilDrain);
    if (event == Event.CANCELLED && isCallThread()) leave();
    return event;
  }

  private @Nullable Event await(long nanos, boolean untilDrain) throws InterruptedException {
    long end = nanos < 0 ? 0 : System.nanoTime() + nanos;
    waiter = Thread.currentThread();
    Event event;
    try {
      while ((event = poll()) == null) {
        if (Thread.interrupted()) throw new InterruptedException();
        if (untilDrain && draining()) break;
        if (nanos < 0) {
          park(-1);
        } else {
          long left = end - System.nanoTime();
          if (left <= 0) break;
          park(left);
        }
      }
    } finally {
      waiter = null;
    }
    return isCancelled() ? Event.CANCELLED : event;
  }

  /// Waits for whoever wakes this thread, and keeps account of it where that is the client.
  ///
  /// @param nanos at most; negative for as long as it takes
  private void park(long nanos) {
    // Otherwise it waits for the handler's own threads, or for the loop to write the end.
    boolean forRoom = response.isUnready();
    boolean forMessage = !forRoom && isMessageAwaited();
    long since = 0;
    if (forRoom) since = waits().beginSending();
    else if (forMessage) since = waits().beginReceiving();
    if (nanos < 0) LockSupport.park(this);
    else LockSupport.parkNanos(this, nanos);
    if (forRoom) waits().endSending(since);
    else if (forMessage) waits().endReceiving(since);
  }

  private boolean isMessageAwaited() {
    return inbox != null && !halfCloseTold && (pulled || requested > 0) && !response.isClosed();
  }

  private @Nullable Event poll() {
    if (isCancelled()) return Event.CANCELLED;
    if (response.isClosed()) return pollCompletion();
    if (readyPending) {
      readyPending = false;
      return Event.READY;
    }
    boolean wasEnded = ended; // before the inbox: what was put before the end is seen with it
    if (hasMessage()) return pulled || requested > 0 ? Event.MESSAGE : null;
    if (wasEnded && !halfCloseTold) {
      halfCloseTold = true;
      return Event.HALF_CLOSED;
    }
    return null;
  }

  private @Nullable Event pollCompletion() {
    if (outcome instanceof Outcome.Completed) return Event.COMPLETED;
    if (!response.isHandedOver()) return null;
    if (exchange.unsentBytes() > CERTAIN_BYTES) {
      if (unreadNanos == 0) unreadNanos = System.nanoTime();
      return null;
    }
    if (OUTCOME.compareAndSet(this, null, Outcome.COMPLETED)) return Event.COMPLETED;
    return poll(); // it ended meanwhile, one way or the other
  }

  /// The handler is not interrupted from here on, and does not see that it was. The Context of a
  /// cancelled call is cancelled when this returns.
  public void leave() {
    if (!PLACE.compareAndSet(this, Place.IN_HANDLER, Place.OUTSIDE)) {
      while (place == Place.INTERRUPTING) Thread.onSpinWait();
    }
    Thread.interrupted();
    var running = context;
    if (running != null && isCancelled()) running.cancel(cancelCause());
  }

  private Throwable cancelCause() {
    var status = outcome instanceof Outcome.Cancelled(var why) ? why : Status.CANCELLED;
    // What Context itself says when its deadline passes; interceptors tell the two apart by it.
    return status.getCode() == Status.Code.DEADLINE_EXCEEDED
        ? new TimeoutException("context timed out")
        : InternalStatus.asRuntimeExceptionWithoutStacktrace(status, null);
  }

  private boolean hasMessage() {
    var stream = inbox;
    return stream == null ? only != null : stream.hasMessage();
  }

  /// The message that `next` announced, decompressed and parsed.
  ///
  /// @throws StatusException when it cannot be
  public Object takeMessage() throws StatusException {
    if (!pulled) REQUESTED.getAndAdd(this, -1);
    Object message;
    var stream = inbox;
    if (stream != null) {
      int bytes = stream.nextBytes();
      message = stream.take();
      if (!stream.hasMessage()) bytes += stream.takeHeld();
      exchange.consumed(bytes);
    } else {
      var taken = only;
      if (taken == null) throw new IllegalStateException("no message was announced");
      message = taken;
      only = null;
    }
    return message instanceof RawMessage raw ? parse(raw) : message;
  }

  private Object parse(RawMessage raw) throws StatusException {
    if (!raw.compressed()) return parse(raw.bytes());
    return parse(
        Compression.decompress(
            route.method().getFullMethodName(),
            decompressor,
            raw.bytes(),
            settings.messageBytesMax()));
  }

  private Object parse(byte[] message) throws StatusException {
    try (InputStream stream = new Route.KnownBytes(message)) {
      return route.method().parseRequest(stream);
    } catch (IOException | RuntimeException | Error e) {
      throw notParsed(e).asException();
    }
  }

  /// gRPC status codes: "Error parsing request proto" is INTERNAL. A marshaller that throws a
  /// status knows better.
  private static Status notParsed(Throwable e) {
    var status = Status.fromThrowable(e);
    return status.getCode() != Status.Code.UNKNOWN
        ? status
        : Status.INTERNAL.withDescription("the request message cannot be parsed").withCause(e);
  }

  // ---- Any thread.

  /// Lets the call thread take `messages` more.
  public void request(int messages) {
    if (messages < 1) throw new IllegalArgumentException("request: " + messages);
    int old;
    do {
      old = requested;
    } while (!REQUESTED.compareAndSet(
        this, old, (int) Math.min(Integer.MAX_VALUE, (long) old + messages)));
    wake();
  }

  /// Ends the call with `status` for a fault on our side: the handler runs on undisturbed, and
  /// hears of it as a cancellation. False when the response had ended before.
  public boolean abort(Status status) {
    if (!response.close(status, new Metadata())) return false;
    OUTCOME.compareAndSet(this, null, new Outcome.Cancelled(status));
    wake();
    return true;
  }

  PeerWaits waits() {
    var known = waits;
    if (known != null) return known;
    var made = new PeerWaits();
    return WAITS.compareAndSet(this, null, made) ? made : waits();
  }

  /// Whether the response tells the client where the time went.
  boolean tellsLedger() {
    return tellsLedger;
  }

  /// Where the time has gone until `now`. What another thread is about to note down may be missing.
  CallLedger ledger(long now) {
    long over = Math.max(openedNanos, now);
    long noted = response.endedNanos();
    long ended = noted == 0 ? over : Math.clamp(noted, openedNanos, over);
    long ready = readyNanos == 0 ? ended : Math.clamp(readyNanos, openedNanos, ended);
    long ran = (long) BEGUN.getAcquire(this);
    long begun = ran == 0 ? ended : Math.clamp(ran, ready, ended);
    long handler = ended - begun;
    var peer = waits;
    return new CallLedger(
        ready - openedNanos,
        begun - ready,
        handler,
        peer == null ? 0 : Math.min(handler, peer.receiving(ended)),
        peer == null ? 0 : Math.min(handler, peer.sending(ended)),
        over - ended,
        over - openedNanos);
  }

  private CallLedger.Phase phase() {
    if (response.isClosed()) return CallLedger.Phase.WRITE;
    if (readyNanos == 0) return CallLedger.Phase.REQUEST;
    if ((long) BEGUN.getAcquire(this) == 0) return CallLedger.Phase.QUEUE;
    var peer = waits;
    if (peer == null) return CallLedger.Phase.HANDLER;
    if (peer.isSending()) return CallLedger.Phase.SEND_WINDOW;
    return peer.isReceiving() ? CallLedger.Phase.CLIENT_MESSAGE : CallLedger.Phase.HANDLER;
  }

  /// Loop: what there is to see of this call.
  LiveCall live(long now) {
    boolean begun = (long) BEGUN.getAcquire(this) != 0;
    return new LiveCall(
        route.method().getFullMethodName(),
        peer(),
        Duration.ofNanos(Math.max(0, now - openedNanos)),
        deadlineLeft(),
        phase(),
        ledger(now),
        requestBytes,
        requests,
        response.bytes(),
        response.messages(),
        principal(),
        begun ? Optional.ofNullable(callThread) : Optional.empty());
  }

  public boolean isCancelled() {
    return outcome instanceof Outcome.Cancelled;
  }

  /// Why the call was given up; null while it was not.
  public @Nullable Status cancellation() {
    return outcome instanceof Outcome.Cancelled(var why) ? why : null;
  }

  boolean isCallThread() {
    return Thread.currentThread().equals(callThread);
  }

  public Response response() {
    return response;
  }

  public Route route() {
    return route;
  }

  public Exchange exchange() {
    return exchange;
  }

  public CallSettings settings() {
    return settings;
  }

  public boolean hasDeadline() {
    return hasDeadline;
  }

  /// What is left until the deadline; only when there is one.
  public long nanosLeft() {
    return deadlineNanos - System.nanoTime();
  }

  @Override
  public MethodDescriptor<?, ?> method() {
    return route.method();
  }

  @Override
  public Metadata headers() {
    try {
      return MetadataFields.metadata(exchange.request());
    } catch (StatusException e) {
      throw new StatusRuntimeException(e.getStatus(), e.getTrailers());
    }
  }

  @Override
  public Optional<String> header(String name) {
    return Optional.ofNullable(exchange.request().value(name));
  }

  @Override
  public SocketAddress peer() {
    return exchange.remoteAddress();
  }

  @Override
  public Optional<String> authority() {
    var request = exchange.request();
    var authority = request.value(Field.Kind.AUTHORITY);
    // RFC 9113 §8.3.1: host says the same, for requests that came from HTTP/1.1.
    return Optional.ofNullable(authority != null ? authority : request.value(Field.Kind.HOST));
  }

  @Override
  public Optional<SSLSession> tlsSession() {
    return Optional.ofNullable(exchange.tlsSession());
  }

  @Override
  public Optional<Duration> deadlineLeft() {
    return hasDeadline ? Optional.of(Duration.ofNanos(Math.max(0, nanosLeft()))) : Optional.empty();
  }

  @Override
  public Optional<Principal> principal() {
    return Optional.ofNullable(principal);
  }

  @Override
  public boolean draining() {
    return settings.drain().hasBegun();
  }

  /// As [#principal()], for the way of every call.
  public @Nullable Principal caller() {
    return principal;
  }
}
