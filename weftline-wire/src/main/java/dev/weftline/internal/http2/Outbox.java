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
    private static final int SEALED = Integer.MIN_VALUE;

    /// `reset` when nothing is reset.
    static final long NO_RESET = -1;

    final Http2Stream stream;
    @Nullable Fields headers;
    byte @Nullable [] data;
    private volatile int length; // octets of data that count; with SEALED, once the loop has it
    @Nullable Fields trailers;
    boolean endsWithHeaders;
    long reset = NO_RESET;
    boolean recycled; // its data goes back to the loop's arrays
    @Nullable Entry next;

    Entry(
        Http2Stream stream,
        @Nullable Fields headers,
        byte @Nullable [] data,
        @Nullable Fields trailers) {
      this(stream, headers, data, data == null ? 0 : data.length, trailers);
    }

    Entry(
        Http2Stream stream,
        @Nullable Fields headers,
        byte @Nullable [] data,
        int length,
        @Nullable Fields trailers) {
      this.stream = stream;
      this.headers = headers;
      this.data = data;
      this.length = length;
      this.trailers = trailers;
    }

    /// An entry whose data grows while the loop has not taken it.
    static Entry open(Http2Stream stream, byte[] data, int length) {
      return new Entry(stream, null, data, length, null);
    }

    /// Sender: counts `more` octets behind the first `length`. False when the loop has the entry.
    boolean grow(int length, int more) {
      return LENGTH.compareAndSet(this, length, length + more);
    }

    boolean isSealed() {
      return length < 0;
    }

    /// Loop: takes the entry; from now on it does not grow.
    void seal() {
      LENGTH.getAndBitwiseOr(this, SEALED);
    }

    /// Loop: octets of data, after `seal`.
    int length() {
      return length & ~SEALED;
    }
  }

  private static final VarHandle TOP;
  private static final VarHandle LENGTH;

  static {
    try {
      var lookup = MethodHandles.lookup();
      TOP = lookup.findVarHandle(Outbox.class, "top", Entry.class);
      LENGTH = lookup.findVarHandle(Entry.class, "length", int.class);
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
