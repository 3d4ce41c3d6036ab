package dev.weftline.internal.call;

import dev.weftline.internal.thread.LoopCarrier;
import dev.weftline.internal.thread.VirtualThreads;
import io.grpc.Status;
import io.netty.util.concurrent.EventExecutor;
import org.jspecify.annotations.Nullable;

/// The open calls of one loop, with what they share there: the timer wheel, the stream that
/// messages are parsed from, and what starts their threads. Confined to the loop.
final class LoopCalls {
  final EventExecutor loop;
  final Deadlines deadlines;
  final MessageStream messageStream = new MessageStream();
  private final Runnable startReady = this::startReady;
  private final @Nullable LoopCarrier carrier; // null where loops cannot carry threads
  private @Nullable InboundCall first;
  private @Nullable InboundCall firstReady;
  private @Nullable InboundCall lastReady;

  LoopCalls(EventExecutor loop) {
    this.loop = loop;
    this.deadlines = new Deadlines(loop);
    this.carrier = VirtualThreads.areSchedulable() ? new LoopCarrier(loop) : null;
  }

  void add(InboundCall call) {
    var old = first;
    call.nextOpen = old;
    if (old != null) old.previousOpen = call;
    first = call;
  }

  void remove(InboundCall call) {
    var next = call.nextOpen;
    var previous = call.previousOpen;
    if (next != null) next.previousOpen = previous;
    if (previous != null) previous.nextOpen = next;
    else if (first == call) first = next;
    call.nextOpen = null;
    call.previousOpen = null;
  }

  /// Starts the call's thread once the loop has read what its connections have: on the loop itself,
  /// or on the JDK's scheduler where the call does not belong on the loop. Calls for that scheduler
  /// that came together are handed over in one step: it wakes one carrier for all of them, and the
  /// first call starts the others from there, which is cheap.
  void start(InboundCall call) {
    var placement = call.route().placement();
    if (carrier != null && placement.onLoop()) {
      carrier.start(call, placement);
      return;
    }
    var last = lastReady;
    lastReady = call;
    if (last != null) {
      last.nextReady = call;
    } else {
      firstReady = call;
      loop.execute(startReady);
    }
  }

  private void startReady() {
    var call = firstReady;
    firstReady = null;
    lastReady = null;
    if (call != null) CallThreads.start(call);
  }

  /// Ends every open call with `status`.
  void failAll(Status status) {
    var call = first;
    while (call != null) {
      var next = call.nextOpen; // failing may close and unlink
      call.fail(status);
      call = next;
    }
  }
}
