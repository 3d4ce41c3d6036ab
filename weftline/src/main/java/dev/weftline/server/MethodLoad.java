package dev.weftline.server;

import dev.weftline.internal.admission.MethodAdmission;
import java.time.Duration;
import java.util.OptionalInt;

/// What a method is doing, and how much it may: a snapshot, for dashboards and tests.
///
/// @param method its full name, such as `helloworld.Greeter/SayHello`
/// @param inFlight calls whose handler has begun or is about to, and has not ended
/// @param queued calls that wait for a place
/// @param limit how many may be in flight now, as set or found; empty for any number
/// @param service what a call takes when it waits for nobody, of the last minute; zero while that
///   is not known
public record MethodLoad(
    String method, int inFlight, int queued, OptionalInt limit, Duration service) {

  static MethodLoad of(MethodAdmission admission) {
    return new MethodLoad(
        admission.method(),
        admission.underWay(),
        admission.queued(),
        admission.limit(),
        admission.usual());
  }
}
