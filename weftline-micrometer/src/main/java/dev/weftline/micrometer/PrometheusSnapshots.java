package dev.weftline.micrometer;

import dev.weftline.server.Histogram;
import dev.weftline.server.Measure;
import dev.weftline.server.MethodMetrics;
import dev.weftline.server.ServerMetrics;
import io.prometheus.metrics.model.registry.MultiCollector;
import io.prometheus.metrics.model.snapshots.ClassicHistogramBuckets;
import io.prometheus.metrics.model.snapshots.CounterSnapshot;
import io.prometheus.metrics.model.snapshots.GaugeSnapshot;
import io.prometheus.metrics.model.snapshots.HistogramSnapshot;
import io.prometheus.metrics.model.snapshots.Labels;
import io.prometheus.metrics.model.snapshots.MetricSnapshot;
import io.prometheus.metrics.model.snapshots.MetricSnapshots;
import io.prometheus.metrics.model.snapshots.PrometheusNaming;
import io.prometheus.metrics.model.snapshots.Unit;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.function.Function;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/// A server's metrics in Prometheus' own model, read anew at every scrape.
final class PrometheusSnapshots implements MultiCollector {
  private final Supplier<ServerMetrics> server;

  PrometheusSnapshots(Supplier<ServerMetrics> server) {
    this.server = server;
  }

  @Override
  public MetricSnapshots collect() {
    var metrics = server.get();
    var all = new ArrayList<MetricSnapshot>();
    var started =
        CounterSnapshot.builder().name("grpc_server_call_started").help("Calls whose headers came");
    for (var method : metrics.methods()) {
      started.dataPoint(
          CounterSnapshot.CounterDataPointSnapshot.builder()
              .labels(Labels.of("grpc_method", method.method()))
              .value((double) method.started())
              .build());
    }
    all.add(started.build());
    all.add(
        spread(
            "grpc_server_call_duration",
            "Time from the headers of a call to the end of its response",
            Unit.SECONDS,
            metrics.methods(),
            MethodMetrics.Ended::duration));
    all.add(
        spread(
            "grpc_server_call_sent_total_compressed_message_size",
            "Octets of the messages sent in a call",
            Unit.BYTES,
            metrics.methods(),
            MethodMetrics.Ended::sent));
    all.add(
        spread(
            "grpc_server_call_rcvd_total_compressed_message_size",
            "Octets of the messages received in a call",
            Unit.BYTES,
            metrics.methods(),
            MethodMetrics.Ended::received));
    var byName = new LinkedHashMap<String, List<Measure>>();
    for (var measure : metrics.measures()) {
      byName.computeIfAbsent(measure.name(), _ -> new ArrayList<>()).add(measure);
    }
    byName.values().forEach(same -> all.add(measure(same)));
    return new MetricSnapshots(all);
  }

  private static MetricSnapshot spread(
      String name,
      String help,
      Unit unit,
      List<MethodMetrics> methods,
      Function<MethodMetrics.Ended, Histogram> of) {
    var snapshot = HistogramSnapshot.builder().name(name + "_" + unit).help(help).unit(unit);
    for (var method : methods) {
      for (var ended : method.ended()) {
        var histogram = of.apply(ended);
        var bounds = new ArrayList<>(histogram.bounds());
        bounds.add(Double.POSITIVE_INFINITY);
        snapshot.dataPoint(
            HistogramSnapshot.HistogramDataPointSnapshot.builder()
                .labels(
                    Labels.of("grpc_method", method.method(), "grpc_status", ended.status().name()))
                .classicHistogramBuckets(ClassicHistogramBuckets.of(bounds, histogram.counts()))
                .sum(histogram.sum())
                .build());
      }
    }
    return snapshot.build();
  }

  private static MetricSnapshot measure(List<Measure> same) {
    var first = same.getFirst();
    var unit = unit(first.unit());
    var name = PrometheusNaming.sanitizeMetricName(first.name().replace('.', '_'));
    if (unit != null && !name.endsWith("_" + unit)) name = name + "_" + unit;
    if (first.kind() == Measure.Kind.COUNTER) {
      var snapshot = CounterSnapshot.builder().name(name).help(first.description());
      if (unit != null) snapshot.unit(unit);
      for (var measure : same) {
        snapshot.dataPoint(
            CounterSnapshot.CounterDataPointSnapshot.builder()
                .labels(labels(measure))
                .value(measure.value())
                .build());
      }
      return snapshot.build();
    }
    var snapshot = GaugeSnapshot.builder().name(name).help(first.description());
    if (unit != null) snapshot.unit(unit);
    for (var measure : same) {
      snapshot.dataPoint(
          GaugeSnapshot.GaugeDataPointSnapshot.builder()
              .labels(labels(measure))
              .value(measure.value())
              .build());
    }
    return snapshot.build();
  }

  private static Labels labels(Measure measure) {
    var labels = Labels.builder();
    measure
        .labels()
        .forEach((name, value) -> labels.label(PrometheusNaming.sanitizeLabelName(name), value));
    return labels.build();
  }

  /// Of the units that the server uses, those that belong into a name (Prometheus, "Metric and
  /// label naming"); what is counted does not.
  private static @Nullable Unit unit(String ucum) {
    return switch (ucum) {
      case "s" -> Unit.SECONDS;
      case "By" -> Unit.BYTES;
      default -> null;
    };
  }
}
