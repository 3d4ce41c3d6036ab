package dev.weftline.internal.call;

import io.grpc.Status;
import java.util.concurrent.ScheduledExecutorService;
import org.jspecify.annotations.Nullable;

/// The open calls of one loop, with what they share there: the timer wheel and the stream that
/// messages are parsed from. Confined to the loop.
final class LoopCalls {
  final ScheduledExecutorService loop;
  final Deadlines deadlines;
  final MessageStream messageStream = new MessageStream();
  private @Nullable InboundCall first;

  LoopCalls(ScheduledExecutorService loop) {
    this.loop = loop;
    this.deadlines = new Deadlines(loop);
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
