package dev.weftline.internal.call;

import dev.weftline.CallObserver;
import dev.weftline.Guard;
import dev.weftline.internal.http.Fields;
import dev.weftline.internal.protocol.Compression;
import dev.weftline.internal.protocol.GrpcProtocol;
import dev.weftline.internal.thread.StallWatch;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// What all calls of one server share.
///
/// @param messageBytesMax one received message, before and after decompression
/// @param sendBufferBytes what a call may hand over before the peer has taken it; then
///   `sendMessage` waits
/// @param responseHeaders the section that starts every response without metadata
/// @param watch what looks at the loops that carry calls; null for nobody
/// @param guards asked in this order before each call's method
/// @param observers told of each call
/// @param sight what else is told of each call
public record CallSettings(
    int messageBytesMax,
    int sendBufferBytes,
    Compression compression,
    Fields responseHeaders,
    CallCounters counters,
    @Nullable StallWatch watch,
    List<Guard> guards,
    List<CallObserver> observers,
    Sight sight) {
  public CallSettings {
    guards = List.copyOf(guards);
    observers = List.copyOf(observers);
  }

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
        watch,
        List.of(),
        List.of(),
        Sight.NONE);
  }

  public CallSettings withGuards(List<Guard> newGuards) {
    return new CallSettings(
        messageBytesMax,
        sendBufferBytes,
        compression,
        responseHeaders,
        counters,
        watch,
        newGuards,
        observers,
        sight);
  }

  public CallSettings withObservers(List<CallObserver> newObservers) {
    return new CallSettings(
        messageBytesMax,
        sendBufferBytes,
        compression,
        responseHeaders,
        counters,
        watch,
        guards,
        newObservers,
        sight);
  }

  public CallSettings withSight(Sight newSight) {
    return new CallSettings(
        messageBytesMax,
        sendBufferBytes,
        compression,
        responseHeaders,
        counters,
        watch,
        guards,
        observers,
        newSight);
  }
}
