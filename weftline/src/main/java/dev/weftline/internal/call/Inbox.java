package dev.weftline.internal.call;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import org.jspecify.annotations.Nullable;

/// Loop → call thread: the messages of a client stream, in order. One thread puts, one takes; both
/// without locks. Bounded by the receive window: what is in here has not been given back as credit,
/// so the peer cannot put more than its window into it.
///
/// Hot: one node per message.
final class Inbox {
  private static final class Node {
    final @Nullable Object message;
    final int bytes;
    volatile @Nullable Node next;

    Node(@Nullable Object message, int bytes) {
      this.message = message;
      this.bytes = bytes;
    }
  }

  private static final VarHandle HELD;

  static {
    try {
      HELD = MethodHandles.lookup().findVarHandle(Inbox.class, "heldBytes", int.class);
    } catch (ReflectiveOperationException e) {
      throw new ExceptionInInitializerError(e);
    }
  }

  private volatile Node taken = new Node(null, 0); // written by the call thread: the last one taken
  private Node last = taken; // loop

  /// Octets of an unfinished message that arrived behind others and were not given back yet.
  @SuppressWarnings("unused") // by HELD
  private volatile int heldBytes;

  /// Loop. `bytes` are given back when the message is taken.
  void put(Object message, int bytes) {
    var node = new Node(message, bytes);
    last.next = node;
    last = node;
  }

  /// Call thread.
  boolean hasMessage() {
    return taken.next != null;
  }

  /// Call thread: the credit that taking the next message gives back.
  int nextBytes() {
    var next = taken.next;
    return next == null ? 0 : next.bytes;
  }

  /// Call thread: the next message; only after `hasMessage`.
  Object take() {
    var next = taken.next;
    if (next == null || next.message == null) throw new IllegalStateException("nothing to take");
    taken = next;
    return next.message;
  }

  /// Loop: whether everything put was taken.
  boolean isDrained() {
    return taken == last;
  }

  /// Loop: keeps credit back until `takeHeld`.
  void hold(int bytes) {
    HELD.getAndAdd(this, bytes);
  }

  /// Any thread: credit kept back so far.
  int takeHeld() {
    return heldBytes == 0 ? 0 : (int) HELD.getAndSet(this, 0);
  }
}
