package dev.weftline.server;

import java.util.Map;

/// What a server has done so far: a snapshot, for dashboards and tests.
///
/// @param connections open now
/// @param callsStarted calls of methods that the server has
/// @param callsSucceeded calls that ended with status OK, written whole
/// @param callsFailed calls that ended in any other way
/// @param requestsRefused requests with bad input: malformed, unsupported, too large, for a method
///   nobody knows; and those that the server had no room for
/// @param rulesBroken how often clients broke rules of HTTP/2, by the error code they were answered
///   with (RFC 9113 §7)
public record Stats(
    int connections,
    long callsStarted,
    long callsSucceeded,
    long callsFailed,
    long requestsRefused,
    Map<String, Long> rulesBroken) {
  public Stats {
    rulesBroken = Map.copyOf(rulesBroken);
  }
}
