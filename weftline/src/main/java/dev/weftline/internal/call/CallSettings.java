package dev.weftline.internal.call;

import dev.weftline.CallObserver;
import dev.weftline.Guard;
import dev.weftline.internal.admission.Admission;
import dev.weftline.internal.http.ByteBudget;
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
/// @param drain what calls ask whether the server is about to close
/// @param admission which calls are let in; null when all are
/// @param sight what else is told of each call
public record CallSettings(
    int messageBytesMax,
    int sendBufferBytes,
    Compression compression,
    Fields responseHeaders,
    CallCounters counters,
    @Nullable StallWatch watch,
    Guards guards,
    List<CallObserver> observers,
    ServerDrain drain,
    @Nullable Admission admission,
    Sight sight) {
  public CallSettings {
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
        Guards.NONE,
        List.of(),
        new ServerDrain(),
        null,
        Sight.NONE);
  }

  public CallSettings withGuards(List<Guard> newGuards) {
    return with(new Guards(newGuards), observers, drain, admission, sight);
  }

  public CallSettings withObservers(List<CallObserver> newObservers) {
    return with(guards, newObservers, drain, admission, sight);
  }

  public CallSettings withDrain(ServerDrain newDrain) {
    return with(guards, observers, newDrain, admission, sight);
  }

  public CallSettings withAdmission(@Nullable Admission newAdmission) {
    return with(guards, observers, drain, newAdmission, sight);
  }

  public CallSettings withSight(Sight newSight) {
    return with(guards, observers, drain, admission, newSight);
  }

  private CallSettings with(
      Guards newGuards,
      List<CallObserver> newObservers,
      ServerDrain newDrain,
      @Nullable Admission newAdmission,
      Sight newSight) {
    return new CallSettings(
        messageBytesMax,
        sendBufferBytes,
        compression,
        responseHeaders,
        counters,
        watch,
        newGuards,
        newObservers,
        newDrain,
        newAdmission,
        newSight);
  }

  /// What the server may hold for its clients.
  ByteBudget budget() {
    return admission == null ? ByteBudget.UNLIMITED : admission.budget();
  }

  /// The route as calls take it.
  Route admitted(Route route) {
    return admission == null ? route : route.behind(admission);
  }
}
