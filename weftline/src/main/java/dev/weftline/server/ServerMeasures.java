package dev.weftline.server;

import dev.weftline.internal.call.CallCounters;
import dev.weftline.internal.net.PeerTable;
import dev.weftline.internal.thread.Placements;
import dev.weftline.server.Measure.Kind;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/// The server's own numbers, by name: what its parts tell about themselves.
final class ServerMeasures {
  private ServerMeasures() {}

  static Measures of(
      Server server,
      CallCounters counters,
      Placements placements,
      PeerTable peers,
      Connections connections,
      Lifecycle lifecycle,
      @Nullable AccessWriter accessLog) {
    var measures = new Measures();
    measures.gauge(
        "weftline.server.calls.in_flight",
        "{call}",
        "Calls that have started and are not over",
        () -> Math.max(0, counters.started() - counters.succeeded() - counters.failed()));
    measures.labelled(
        "weftline.server.requests.refused",
        Kind.COUNTER,
        "{request}",
        "Requests refused, by the reason",
        "reason",
        counters::refusedByReason);
    measures.gauge(
        "weftline.server.connections.open",
        "{connection}",
        "Connections open now",
        () -> server.stats().connections());
    measures.labelled(
        "weftline.server.rules_broken",
        Kind.COUNTER,
        "{event}",
        "Rules of HTTP/2 that clients broke, by the error code of the answer",
        "code",
        counters::rulesBroken);
    measures.labelled(
        "weftline.server.loop.cpu_time",
        Kind.COUNTER,
        "s",
        "CPU time of each event loop, with the calls that it carried",
        "loop",
        counters::loopCpuSeconds);
    measures.labelled(
        "weftline.server.stalls",
        Kind.COUNTER,
        "{stall}",
        "Calls that held their event loop for longer than the budget",
        "method",
        placements::stalls);
    measures.labelled(
        "weftline.server.calls.refused_by_guards",
        Kind.COUNTER,
        "{call}",
        "Calls that guards refused, by status",
        "status",
        () -> byName(counters.refusedByGuards()));
    measures.gauge(
        "weftline.server.calls.queued",
        "{call}",
        "Calls that wait for a place",
        () -> server.load().stream().mapToInt(MethodLoad::queued).sum());
    measures.labelled(
        "weftline.server.calls.limit",
        Kind.GAUGE,
        "{call}",
        "Calls of a method that may be under way at once, where there is a limit now",
        "method",
        () -> limits(server));
    measures.gauge(
        "weftline.server.bytes.held",
        "By",
        "What the server holds for its clients",
        () -> server.heldMemory().held());
    measures.gauge(
        "weftline.server.bytes.budget",
        "By",
        "What it may hold",
        () -> server.heldMemory().budget());
    measures.labelled(
        "weftline.server.connections.refused",
        Kind.COUNTER,
        "{connection}",
        "Connections refused, by the reason",
        "reason",
        peers::refused);
    measures.labelled(
        "weftline.server.connections.ended",
        Kind.COUNTER,
        "{connection}",
        "Connections that the server ended, by the reason",
        "reason",
        connections::ended);
    measures.labelled(
        "weftline.server.state",
        Kind.GAUGE,
        "1",
        "1 for the state that the server is in",
        "state",
        () -> Map.of(lifecycle.state().name(), 1));
    measures.counter(
        "weftline.server.calls.cut",
        "{call}",
        "Calls that the server ended because it closes",
        counters::cutShort);
    if (server.hasTlsFiles()) {
      measures.labelled(
          "weftline.server.certificate.expiry",
          Kind.GAUGE,
          "s",
          "When the certificate expires, in seconds since the epoch",
          "subject",
          () -> certificateExpiry(server));
    }
    if (accessLog != null) {
      measures.counter(
          "weftline.server.access_log.dropped",
          "{line}",
          "Lines of the access log that were not written",
          accessLog::dropped);
    }
    return measures;
  }

  private static Map<String, Long> byName(Map<? extends Enum<?>, Long> counts) {
    var named = new TreeMap<String, Long>();
    counts.forEach((key, count) -> named.put(key.name(), count));
    return named;
  }

  private static Map<String, Integer> limits(Server server) {
    var limits = new TreeMap<String, Integer>();
    for (var method : server.load())
      method.limit().ifPresent(limit -> limits.put(method.method(), limit));
    return limits;
  }

  private static Map<String, Long> certificateExpiry(Server server) {
    var expiry = new TreeMap<String, Long>();
    server
        .certificate()
        .ifPresent(shown -> expiry.put(shown.subject(), shown.notAfter().getEpochSecond()));
    return expiry;
  }
}
