package dev.weftline.server;

import java.util.Map;

/// One number that a server tells about itself, ready for any exporter: a snapshot.
///
/// @param name such as `weftline.server.calls.in_flight`, after OpenTelemetry's rules for names
/// @param kind whether it goes up and down or only up
/// @param unit after UCUM, as OpenTelemetry has it: `By`, `s`, `{call}`
/// @param description a phrase for the reader of a dashboard
/// @param labels what tells it from others of its name; few values each, never a client's choice
/// @param value now
public record Measure(
    String name,
    Kind kind,
    String unit,
    String description,
    Map<String, String> labels,
    double value) {
  /// How a number moves.
  public enum Kind {
    /// Up and down.
    GAUGE,
    /// Only up, from 0 at the start of the server.
    COUNTER
  }

  public Measure {
    labels = Map.copyOf(labels);
  }
}
