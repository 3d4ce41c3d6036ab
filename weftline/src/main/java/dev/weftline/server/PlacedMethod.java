package dev.weftline.server;

import dev.weftline.Placement;
import dev.weftline.internal.thread.MethodPlacement;
import java.time.Duration;
import java.util.Locale;

/// A method and where its calls run: a snapshot, for dashboards and tests.
///
/// @param method its full name, such as `helloworld.Greeter/SayHello`
/// @param placement what was asked for
/// @param now where its calls run now: [Placement#LOOP] or [Placement#SHARED]
/// @param callsOnLoop calls that began on an event loop
/// @param callsShared calls that began on the JDK's scheduler
/// @param stalls how often a call was seen to hold its event loop for longer than the budget
/// @param longestHold the longest that a call was seen to run without waiting; on event loops only
///   stalls are seen
public record PlacedMethod(
    String method,
    Placement placement,
    Placement now,
    long callsOnLoop,
    long callsShared,
    long stalls,
    Duration longestHold) {

  static PlacedMethod of(MethodPlacement method) {
    return new PlacedMethod(
        method.method(),
        method.placement(),
        method.onLoop() ? Placement.LOOP : Placement.SHARED,
        method.callsOnLoop(),
        method.callsShared(),
        method.stalls(),
        Duration.ofNanos(method.longestNanos()));
  }

  /// `helloworld.Greeter/SayHello: ADAPTIVE, now LOOP; 1000 calls on loops, 0 shared; 0 stalls,
  /// longest hold 0.0 ms`
  @Override
  public String toString() {
    return String.format(
        Locale.ROOT,
        "%s: %s, now %s; %d calls on loops, %d shared; %d stalls, longest hold %.1f ms",
        method,
        placement,
        now,
        callsOnLoop,
        callsShared,
        stalls,
        longestHold.toNanos() / 1e6);
  }
}
