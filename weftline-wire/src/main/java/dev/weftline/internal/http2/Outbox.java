package dev.weftline.internal.http2;

import dev.weftline.internal.http.Fields;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import org.jspecify.annotations.Nullable;

/// Call threads → loop: what the streams of one connection want written, in the order in which it
/// was sent, drained in one go.
///
/// Any thread may `push`; only the loop drains. A stack that the loop takes whole and turns around:
/// one compare-and-set to push, one exchange to drain, no lock. Bounded per stream by who pushes: a
/// call waits for `Exchange.unsentBytes` before it sends more.
///
/// Hot: once per unary call, once per streamed message.
final class Outbox {
  /// One thing to write on one stream; later, linked into that stream's own queue until windows and
  /// socket allow it. The fields that are set are done in their order, and cleared when done.
  static final class Entry {
    /// `reset` when nothing is reset.
    static final long NO_RESET = -1;

    final Http2Stream stream;
    @Nullable Fields headers;
    byte @Nullable [] data;
    @Nullable Fields trailers;
    boolean endsWithHeaders;
    long reset = NO_RESET;
    @Nullable Entry next;

    Entry(
        Http2Stream stream,
        @Nullable Fields headers,
        byte @Nullable [] data,
        @Nullable Fields trailers) {
      this.stream = stream;
      this.headers = headers;
      this.data = data;
      this.trailers = trailers;
    }
  }

  private static final VarHandle TOP;

  static {
    try {
      TOP = MethodHandles.lookup().findVarHandle(Outbox.class, "top", Entry.class);
    } catch (ReflectiveOperationException e) {
      throw new ExceptionInInitializerError(e);
    }
  }

  private volatile @Nullable Entry top;

  /// True when the box was empty: the loop must then be told.
  boolean push(Entry entry) {
    Entry below;
    do {
      below = top;
      entry.next = below;
    } while (!TOP.compareAndSet(this, below, entry));
    return below == null;
  }

  boolean isEmpty() {
    return top == null;
  }

  /// Everything pushed so far, oldest first, linked by `next`.
  @Nullable Entry drain() {
    if (top == null) return null;
    var newest = (Entry) TOP.getAndSet(this, null);
    Entry oldest = null;
    while (newest != null) {
      var older = newest.next;
      newest.next = oldest;
      oldest = newest;
      newest = older;
    }
    return oldest;
  }
}
