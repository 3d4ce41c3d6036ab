package dev.weftline.internal.call;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;

/// How long one call has waited for its client, and since when it does now. Made when a call waits
/// for the first time: few unary calls do.
///
/// One thread receives, any number send; whoever looks from outside sees what was a moment ago.
final class PeerWaits {
  private static final VarHandle RECEIVING;
  private static final VarHandle SENDING;

  static {
    try {
      var lookup = MethodHandles.lookup();
      RECEIVING = lookup.findVarHandle(PeerWaits.class, "receivingNanos", long.class);
      SENDING = lookup.findVarHandle(PeerWaits.class, "sendingNanos", long.class);
    } catch (ReflectiveOperationException e) {
      throw new ExceptionInInitializerError(e);
    }
  }

  private volatile long receivingNanos;
  private volatile long receivingSince; // 0 for not now
  private volatile long sendingNanos;
  private volatile long sendingSince; // of the last one that began; 0 for none

  long beginReceiving() {
    long now = System.nanoTime();
    receivingSince = now;
    return now;
  }

  void endReceiving(long since) {
    receivingSince = 0;
    RECEIVING.getAndAdd(this, System.nanoTime() - since);
  }

  long beginSending() {
    long now = System.nanoTime();
    sendingSince = now;
    return now;
  }

  void endSending(long since) {
    sendingSince = 0;
    SENDING.getAndAdd(this, System.nanoTime() - since);
  }

  /// How long the method waited for messages, until `now`.
  long receiving(long now) {
    long since = receivingSince;
    return receivingNanos + (since == 0 ? 0 : Math.max(0, now - since));
  }

  /// How long its senders waited, until `now`; what several waited at once counts for each.
  long sending(long now) {
    long since = sendingSince;
    return sendingNanos + (since == 0 ? 0 : Math.max(0, now - since));
  }

  boolean isReceiving() {
    return receivingSince != 0;
  }

  boolean isSending() {
    return sendingSince != 0;
  }
}
