package dev.weftline.opentelemetry;

import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;

import dev.weftline.server.Histogram;
import dev.weftline.server.Measure;
import dev.weftline.server.MethodMetrics;
import dev.weftline.server.ServerMetrics;
import io.grpc.Status;
import io.opentelemetry.api.common.AttributeKey;
import io.opentelemetry.api.common.Attributes;
import io.opentelemetry.sdk.metrics.SdkMeterProvider;
import io.opentelemetry.sdk.metrics.data.MetricData;
import io.opentelemetry.sdk.testing.exporter.InMemoryMetricReader;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

/// What a metric reader of the SDK gets of a server.
final class ServerMetricProducerTest {
  private static final ServerMetrics METRICS =
      new ServerMetrics(
          List.of(
              new MethodMetrics(
                  "hello.Greeter/SayHello",
                  5,
                  List.of(
                      new MethodMetrics.Ended(
                          Status.Code.OK,
                          new Histogram(List.of(0.1, 1.0), List.of(3L, 0L, 1L), 2.5),
                          new Histogram(List.of(1024.0), List.of(4L, 0L), 40),
                          new Histogram(List.of(1024.0), List.of(4L, 0L), 20))))),
          List.of(
              new Measure(
                  "weftline.server.connections",
                  Measure.Kind.GAUGE,
                  "{connection}",
                  "open",
                  Map.of(),
                  7),
              new Measure(
                  "weftline.server.calls.refused",
                  Measure.Kind.COUNTER,
                  "{call}",
                  "refused",
                  Map.of("reason", "QUEUE_FULL"),
                  2),
              new Measure(
                  "weftline.server.calls.refused",
                  Measure.Kind.COUNTER,
                  "{call}",
                  "refused",
                  Map.of("reason", "BYTE_BUDGET"),
                  1)));

  private static Map<String, MetricData> collected() {
    var reader = InMemoryMetricReader.create();
    try (var _ =
        SdkMeterProvider.builder()
            .registerMetricReader(reader)
            .registerMetricProducer(ServerMetricProducer.of(() -> METRICS))
            .build()) {
      return reader.collectAllMetrics().stream()
          .collect(Collectors.toMap(MetricData::getName, Function.identity()));
    }
  }

  /// gRFC A66, "Server Per-Call Instruments".
  @Test
  void theInstrumentsOfEveryGrpcServer() {
    var metrics = collected();
    var method = AttributeKey.stringKey("grpc.method");
    var status = AttributeKey.stringKey("grpc.status");

    var started = requireNonNull(metrics.get("grpc.server.call.started"));
    assertThat(started.getUnit()).isEqualTo("{call}");
    var count = started.getLongSumData().getPoints().iterator().next();
    assertThat(count.getValue()).isEqualTo(5);
    assertThat(count.getAttributes()).isEqualTo(Attributes.of(method, "hello.Greeter/SayHello"));

    var duration = requireNonNull(metrics.get("grpc.server.call.duration"));
    assertThat(duration.getUnit()).isEqualTo("s");
    var point = duration.getHistogramData().getPoints().iterator().next();
    assertThat(point.getAttributes())
        .isEqualTo(Attributes.of(method, "hello.Greeter/SayHello", status, "OK"));
    assertThat(point.getBoundaries()).containsExactly(0.1, 1.0);
    assertThat(point.getCounts()).containsExactly(3L, 0L, 1L);
    assertThat(point.getCount()).isEqualTo(4);
    assertThat(point.getSum()).isEqualTo(2.5);

    assertThat(metrics)
        .containsKeys(
            "grpc.server.call.sent_total_compressed_message_size",
            "grpc.server.call.rcvd_total_compressed_message_size");
  }

  @Test
  void theServersOwnNumbersWithTheirLabels() {
    var metrics = collected();

    var connections =
        requireNonNull(metrics.get("weftline.server.connections")).getDoubleGaugeData().getPoints();
    assertThat(connections.iterator().next().getValue()).isEqualTo(7);

    var refused = requireNonNull(metrics.get("weftline.server.calls.refused")).getDoubleSumData();
    assertThat(refused.isMonotonic()).isTrue();
    assertThat(refused.getPoints())
        .extracting(point -> point.getAttributes().get(AttributeKey.stringKey("reason")))
        .containsExactlyInAnyOrder("QUEUE_FULL", "BYTE_BUDGET");
  }
}
