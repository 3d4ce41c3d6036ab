package dev.weftline.internal.http;

import io.netty.channel.Channel;
import io.netty.channel.ChannelInboundHandler;

/// A connection that has said what it speaks: the last handler of its pipeline, and what
/// `Exchange.connection()` names.
public interface Connection extends ChannelInboundHandler {
  /// The channel, for those who accept and close connections.
  Channel channel();

  /// Drains: what is under way is finished and nothing new begun, then the channel closes. Loop
  /// only.
  void shutdown();
}
