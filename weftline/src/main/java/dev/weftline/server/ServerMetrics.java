package dev.weftline.server;

import java.util.List;
import java.util.Optional;

/// Everything that a server counts: a snapshot. Each number is right by itself; they may be a few
/// calls apart from each other.
///
/// @param methods one entry for each method that was called, and one for all unknown ones together
/// @param measures the server's own numbers: calls in flight, connections, refusals, busy loops, …
public record ServerMetrics(List<MethodMetrics> methods, List<Measure> measures) {
  public ServerMetrics {
    methods = List.copyOf(methods);
    measures = List.copyOf(measures);
  }

  /// The calls of the method with this full name; empty when it was never called.
  public Optional<MethodMetrics> method(String name) {
    return methods.stream().filter(known -> known.method().equals(name)).findFirst();
  }

  /// The sum of all measures of this name; 0 where there is none.
  public double measure(String name) {
    return measures.stream()
        .filter(known -> known.name().equals(name))
        .mapToDouble(Measure::value)
        .sum();
  }
}
