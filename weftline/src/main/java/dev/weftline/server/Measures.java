package dev.weftline.server;

import dev.weftline.server.Measure.Kind;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.DoubleSupplier;
import java.util.function.Supplier;

/// What the parts of a server can be asked, each added in one line where the server is assembled.
/// Any thread may read; the suppliers are asked then, and must not wait.
final class Measures {
  private record Source(
      String name,
      Kind kind,
      String unit,
      String description,
      String label,
      Supplier<? extends Map<String, ? extends Number>> values) {}

  private static final String UNLABELLED = "";

  private final List<Source> sources = new CopyOnWriteArrayList<>();

  /// A number that goes up and down.
  void gauge(String name, String unit, String description, DoubleSupplier value) {
    add(name, Kind.GAUGE, unit, description, value);
  }

  /// A number that only grows.
  void counter(String name, String unit, String description, DoubleSupplier value) {
    add(name, Kind.COUNTER, unit, description, value);
  }

  private void add(String name, Kind kind, String unit, String description, DoubleSupplier value) {
    labelled(
        name, kind, unit, description, UNLABELLED, () -> Map.of(UNLABELLED, value.getAsDouble()));
  }

  /// Several numbers of one name, by the values of a label.
  void labelled(
      String name,
      Kind kind,
      String unit,
      String description,
      String label,
      Supplier<? extends Map<String, ? extends Number>> values) {
    sources.add(new Source(name, kind, unit, description, label, values));
  }

  /// All of them, now.
  List<Measure> read() {
    var measures = new ArrayList<Measure>();
    for (var source : sources) {
      for (var value : source.values().get().entrySet()) {
        var labels =
            source.label().equals(UNLABELLED)
                ? Map.<String, String>of()
                : Map.of(source.label(), value.getKey());
        measures.add(
            new Measure(
                source.name(),
                source.kind(),
                source.unit(),
                source.description(),
                labels,
                value.getValue().doubleValue()));
      }
    }
    return measures;
  }
}
