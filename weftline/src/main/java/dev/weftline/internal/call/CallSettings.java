package dev.weftline.internal.call;

import dev.weftline.internal.http.Fields;
import dev.weftline.internal.protocol.Compression;
import dev.weftline.internal.protocol.GrpcProtocol;
import dev.weftline.internal.thread.StallWatch;
import org.jspecify.annotations.Nullable;

/// What all calls of one server share.
///
/// @param messageBytesMax one received message, before and after decompression
/// @param sendBufferBytes what a call may hand over before the peer has taken it; then
///   `sendMessage` waits
/// @param responseHeaders the section that starts every response without metadata
/// @param watch what looks at the loops that carry calls; null for nobody
public record CallSettings(
    int messageBytesMax,
    int sendBufferBytes,
    Compression compression,
    Fields responseHeaders,
    CallCounters counters,
    @Nullable StallWatch watch) {

  public CallSettings(
      int messageBytesMax,
      int sendBufferBytes,
      Compression compression,
      CallCounters counters,
      @Nullable StallWatch watch) {
    this(
        messageBytesMax,
        sendBufferBytes,
        compression,
        GrpcProtocol.responseHeaders(compression.advertised()),
        counters,
        watch);
  }
}
