package dev.weftline.internal.http2;

import dev.weftline.internal.http.ByteBudget;
import dev.weftline.internal.http.ByteBudget.Tally;

/// What one connection holds for its peer, counted where it changes and added to the tally of its
/// loop: what was received and not given back, what waits on streams to be written, what the
/// channel has not written, and what handlers keep of unfinished messages. Confined to the loop.
///
/// Hot: a few additions per DATA frame.
final class HeldBytes {
  private final Tally loop;
  private long held;
  private long inChannel;
  private boolean released;

  /// On the loop.
  HeldBytes(ByteBudget budget) {
    this.loop = budget.ofThisLoop();
  }

  void add(long bytes) {
    if (released) return;
    held += bytes;
    loop.add(bytes);
  }

  /// The channel holds so much now.
  void channelHolds(long bytes) {
    if (bytes == inChannel) return;
    add(bytes - inChannel);
    inChannel = bytes;
  }

  /// The connection has gone, and with it everything that it held.
  void release() {
    add(-held);
    released = true;
  }

  boolean isTight() {
    return loop.budget().isTight();
  }

  @Override
  public String toString() {
    return held + " bytes held, " + inChannel + " of them in the channel";
  }
}
