package dev.weftline.internal.call;

import dev.weftline.internal.http.ByteBudget;
import dev.weftline.internal.thread.LoopCarrier;
import dev.weftline.internal.thread.StallWatch;
import dev.weftline.internal.thread.VirtualThreads;
import io.grpc.Metadata;
import io.grpc.Status;
import io.netty.util.concurrent.EventExecutor;
import org.jspecify.annotations.Nullable;

/// The open calls of one loop, with what they share there: the timer wheel, the stream that
/// messages are parsed from, and what starts their threads. Confined to the loop.
final class LoopCalls {
  /// What is left of the budget's octets when there is room again: below what opens it, so that the
  /// next calls do not fill it at once.
  private static final double SHED_TO = 0.8;

  final EventExecutor loop;
  final Deadlines deadlines;
  final MessageStream messageStream = new MessageStream();
  private final Runnable startReady = this::startReady;
  private final @Nullable LoopCarrier carrier; // null where loops cannot carry threads
  private @Nullable InboundCall first;
  private @Nullable InboundCall firstReady;
  private @Nullable InboundCall lastReady;

  LoopCalls(EventExecutor loop, @Nullable StallWatch watch) {
    this.loop = loop;
    this.deadlines = new Deadlines(loop);
    this.carrier = VirtualThreads.areSchedulable() ? new LoopCarrier(loop, watch) : null;
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

  /// Starts the call's thread once the loop has read what its connections have: where its method is
  /// placed now, if that can be a loop, otherwise on the JDK's scheduler. Calls of the latter kind
  /// that came together are handed over in one step: it wakes one carrier for all of them, and the
  /// first call starts the others from there, which is cheap.
  void start(InboundCall call) {
    var placement = call.route().placement();
    if (carrier != null && placement.isCarried()) {
      carrier.start(call, placement);
      return;
    }
    placement.startedShared();
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

  /// Ends calls that make the server hold much, the newest first, until the budget has room again.
  void shed(ByteBudget budget) {
    long surplus = budget.held() - (long) (SHED_TO * budget.bytes());
    var call = first;
    while (call != null && surplus > 0) {
      var next = call.nextOpen; // ending may unlink
      surplus -= call.shed();
      call = next;
    }
  }

  /// Ends every open call with `status`, and counts them as cut: also those whose response is there
  /// and the peer has not taken yet.
  void cutAll(Status status, Metadata trailers) {
    var call = first;
    while (call != null) {
      var next = call.nextOpen; // failing may close and unlink
      call.cut(status, trailers);
      call = next;
    }
  }

  /// Lets every thread that waits for an event of its call look again.
  void wakeAll() {
    for (var call = first; call != null; call = call.nextOpen) call.wake();
  }
}
