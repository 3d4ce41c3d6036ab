package dev.weftline.opentelemetry;

import dev.weftline.server.Histogram;
import dev.weftline.server.Measure;
import dev.weftline.server.MethodMetrics;
import dev.weftline.server.ServerMetrics;
import io.opentelemetry.api.common.AttributeKey;
import io.opentelemetry.api.common.Attributes;
import io.opentelemetry.sdk.common.InstrumentationScopeInfo;
import io.opentelemetry.sdk.metrics.data.AggregationTemporality;
import io.opentelemetry.sdk.metrics.data.Data;
import io.opentelemetry.sdk.metrics.data.DoublePointData;
import io.opentelemetry.sdk.metrics.data.GaugeData;
import io.opentelemetry.sdk.metrics.data.HistogramData;
import io.opentelemetry.sdk.metrics.data.HistogramPointData;
import io.opentelemetry.sdk.metrics.data.LongPointData;
import io.opentelemetry.sdk.metrics.data.MetricData;
import io.opentelemetry.sdk.metrics.data.MetricDataType;
import io.opentelemetry.sdk.metrics.data.SumData;
import io.opentelemetry.sdk.metrics.export.MetricProducer;
import io.opentelemetry.sdk.resources.Resource;
import java.time.Clock;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.function.Function;
import java.util.function.Supplier;

/// The metrics of a server for OpenTelemetry: those of every gRPC server by the names of gRFC A66,
/// and the server's own. Nothing is recorded here: each collection reads what the server has
/// counted anyway.
///
/// ```java
/// var server = Server.builder().addService(greeter).build();
/// SdkMeterProvider.builder()
///     .registerMetricReader(reader)
///     .registerMetricProducer(ServerMetricProducer.of(server::metrics))
///     .build();
/// ```
///
/// Cumulative, whatever temporality a reader prefers. Any thread may collect.
public final class ServerMetricProducer implements MetricProducer {
  private static final InstrumentationScopeInfo SCOPE =
      InstrumentationScopeInfo.create("dev.weftline");
  private static final AttributeKey<String> METHOD = AttributeKey.stringKey("grpc.method");
  private static final AttributeKey<String> STATUS = AttributeKey.stringKey("grpc.status");

  private final Supplier<ServerMetrics> server;
  private final Clock clock;
  private final long startNanos;

  private ServerMetricProducer(Supplier<ServerMetrics> server, Clock clock) {
    this.server = server;
    this.clock = clock;
    this.startNanos = epochNanos(clock.instant());
  }

  /// Reads `server::metrics`.
  public static ServerMetricProducer of(Supplier<ServerMetrics> server) {
    return new ServerMetricProducer(server, Clock.systemUTC());
  }

  @Override
  public Collection<MetricData> produce(Resource resource) {
    return new Collected(resource, startNanos, epochNanos(clock.instant())).of(server.get());
  }

  private static long epochNanos(Instant instant) {
    return Math.addExact(
        Math.multiplyExact(instant.getEpochSecond(), 1_000_000_000L), instant.getNano());
  }

  /// One collection.
  private record Collected(Resource resource, long startNanos, long nowNanos) {
    Collection<MetricData> of(ServerMetrics metrics) {
      var all = new ArrayList<MetricData>();
      all.add(started(metrics.methods()));
      all.add(
          spread(
              "grpc.server.call.duration",
              "Time from the headers of a call to the end of its response",
              "s",
              metrics.methods(),
              MethodMetrics.Ended::duration));
      all.add(
          spread(
              "grpc.server.call.sent_total_compressed_message_size",
              "Octets of the messages sent in a call",
              "By",
              metrics.methods(),
              MethodMetrics.Ended::sent));
      all.add(
          spread(
              "grpc.server.call.rcvd_total_compressed_message_size",
              "Octets of the messages received in a call",
              "By",
              metrics.methods(),
              MethodMetrics.Ended::received));
      var byName = new LinkedHashMap<String, List<Measure>>();
      for (var measure : metrics.measures()) {
        byName.computeIfAbsent(measure.name(), _ -> new ArrayList<>()).add(measure);
      }
      byName.values().forEach(same -> all.add(measure(same)));
      return all;
    }

    private MetricData started(List<MethodMetrics> methods) {
      var points = new ArrayList<LongPointData>();
      for (var method : methods) {
        points.add(
            LongPointData.create(
                startNanos, nowNanos, Attributes.of(METHOD, method.method()), method.started()));
      }
      return new Metric(
          resource,
          SCOPE,
          "grpc.server.call.started",
          "Calls whose headers came",
          "{call}",
          MetricDataType.LONG_SUM,
          SumData.createLongSumData(true, AggregationTemporality.CUMULATIVE, points));
    }

    private MetricData spread(
        String name,
        String description,
        String unit,
        List<MethodMetrics> methods,
        Function<MethodMetrics.Ended, Histogram> of) {
      var points = new ArrayList<HistogramPointData>();
      for (var method : methods) {
        for (var ended : method.ended()) {
          var histogram = of.apply(ended);
          points.add(
              HistogramPointData.create(
                  startNanos,
                  nowNanos,
                  Attributes.of(METHOD, method.method(), STATUS, ended.status().name()),
                  histogram.sum(),
                  false,
                  0,
                  false,
                  0,
                  histogram.bounds(),
                  histogram.counts()));
        }
      }
      return new Metric(
          resource,
          SCOPE,
          name,
          description,
          unit,
          MetricDataType.HISTOGRAM,
          HistogramData.create(AggregationTemporality.CUMULATIVE, points));
    }

    private MetricData measure(List<Measure> same) {
      var points = new ArrayList<DoublePointData>();
      for (var measure : same) {
        var attributes = Attributes.builder();
        measure.labels().forEach(attributes::put);
        points.add(
            DoublePointData.create(
                startNanos, nowNanos, attributes.build(), measure.value(), List.of()));
      }
      var first = same.getFirst();
      boolean counts = first.kind() == Measure.Kind.COUNTER;
      return new Metric(
          resource,
          SCOPE,
          first.name(),
          first.description(),
          first.unit(),
          counts ? MetricDataType.DOUBLE_SUM : MetricDataType.DOUBLE_GAUGE,
          counts
              ? SumData.createDoubleSumData(true, AggregationTemporality.CUMULATIVE, points)
              : GaugeData.createDoubleGaugeData(points));
    }
  }

  private record Metric(
      Resource getResource,
      InstrumentationScopeInfo getInstrumentationScopeInfo,
      String getName,
      String getDescription,
      String getUnit,
      MetricDataType getType,
      Data<?> getData)
      implements MetricData {}
}
