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
/// @param connectionsRefused connections closed before anything was served on them, by reason:
///   `CONNECTIONS_MAX`, `PER_PEER_MAX`, `PROXY_HEADER`
/// @param connectionsEnded connections that the server ended without fault of HTTP/2, by reason:
///   `MAX_AGE`, `MAX_IDLE`, `KEEPALIVE_TIMEOUT`, `TOO_MANY_PINGS`
public record Stats(
    int connections,
    long callsStarted,
    long callsSucceeded,
    long callsFailed,
    long requestsRefused,
    Map<String, Long> rulesBroken,
    Map<String, Long> connectionsRefused,
    Map<String, Long> connectionsEnded) {
  public Stats {
    rulesBroken = Map.copyOf(rulesBroken);
    connectionsRefused = Map.copyOf(connectionsRefused);
    connectionsEnded = Map.copyOf(connectionsEnded);
  }
}
