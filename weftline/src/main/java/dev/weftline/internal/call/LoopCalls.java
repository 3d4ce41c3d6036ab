package dev.weftline.internal.call;

import dev.weftline.LiveCall;
import dev.weftline.internal.thread.LoopCarrier;
import dev.weftline.internal.thread.StallWatch;
import dev.weftline.internal.thread.VirtualThreads;
import io.grpc.Status;
import io.netty.util.concurrent.EventExecutor;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// The open calls of one loop, with what they share there: the timer wheel, the stream that
/// messages are parsed from, and what starts their threads. Confined to the loop.
final class LoopCalls {
  final EventExecutor loop;
  final Deadlines deadlines;
  final LoopTallies tallies;
  final MessageStream messageStream = new MessageStream();
  private final Runnable startReady = this::startReady;
  private final @Nullable LoopCarrier carrier; // null where loops cannot carry threads
  private @Nullable InboundCall first; // the newest
  private @Nullable InboundCall oldest;
  private @Nullable InboundCall firstReady;
  private @Nullable InboundCall lastReady;

  LoopCalls(EventExecutor loop, LoopTallies tallies, @Nullable StallWatch watch) {
    this.loop = loop;
    this.tallies = tallies;
    this.deadlines = new Deadlines(loop);
    this.carrier = VirtualThreads.areSchedulable() ? new LoopCarrier(loop, watch) : null;
  }

  void add(InboundCall call) {
    var old = first;
    call.nextOpen = old;
    if (old != null) old.previousOpen = call;
    else oldest = call;
    first = call;
  }

  void remove(InboundCall call) {
    var next = call.nextOpen;
    var previous = call.previousOpen;
    if (next != null) next.previousOpen = previous;
    else if (oldest == call) oldest = previous;
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

  /// The open calls that came first, `max` at most.
  List<LiveCall> oldest(int max) {
    var calls = new ArrayList<LiveCall>();
    long now = System.nanoTime();
    for (var call = oldest; call != null && calls.size() < max; call = call.previousOpen) {
      calls.add(call.live(now));
    }
    return calls;
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
