package dev.weftline.internal.testing;

import dev.weftline.internal.http2.Http2Limits;
import io.netty.buffer.UnpooledByteBufAllocator;

/// One loop with engine connections on it, to which any number of peers connect. Closing it closes
/// them and checks the invariants.
public interface TestLoop extends AutoCloseable {
  /// A peer that has sent nothing yet, not even the preface.
  ScriptedPeer silentPeer(Http2Limits limits);

  /// A peer that has shaken hands: both SETTINGS are sent and acknowledged.
  default ScriptedPeer peer(Http2Limits limits) {
    return silentPeer(limits).shakesHands();
  }

  default ScriptedPeer peer() {
    return peer(Http2Limits.DEFAULT);
  }

  /// What the engines on this loop handed up.
  TestExchanges exchanges();

  FakeClock clock();

  /// Bytes of buffers that are allocated now, on behalf of all connections.
  long bufferBytes();

  /// Counts what is allocated, so that after each test every octet must have been released. Netty's
  /// leak detector, which would slow millions of frames down, joins in with `-Dweftline.leaks=true`
  /// and then tells where.
  static UnpooledByteBufAllocator countingAllocator() {
    return new UnpooledByteBufAllocator(false, !Boolean.getBoolean("weftline.leaks"));
  }

  @Override
  void close();
}
