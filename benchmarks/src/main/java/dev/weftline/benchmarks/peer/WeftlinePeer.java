package dev.weftline.benchmarks.peer;

import dev.weftline.Service;
import dev.weftline.micrometer.MetricsPage;
import dev.weftline.micrometer.ServerMeters;
import dev.weftline.opentelemetry.CallTraces;
import dev.weftline.server.Overload;
import dev.weftline.server.Server;
import io.micrometer.prometheusmetrics.PrometheusConfig;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import io.opentelemetry.api.trace.propagation.W3CTraceContextPropagator;
import io.opentelemetry.context.propagation.ContextPropagators;
import io.opentelemetry.sdk.OpenTelemetrySdk;
import io.opentelemetry.sdk.common.CompletableResultCode;
import io.opentelemetry.sdk.trace.SdkTracerProvider;
import io.opentelemetry.sdk.trace.data.SpanData;
import io.opentelemetry.sdk.trace.export.BatchSpanProcessor;
import io.opentelemetry.sdk.trace.export.SpanExporter;
import java.io.IOException;
import java.util.Collection;

/// Weftline.
final class WeftlinePeer {
  private static final double SAMPLED = 0.01;

  private WeftlinePeer() {}

  /// Every setting as it comes: admission, the byte budget, metrics, health and reflection are on.
  static int start(Service service) throws IOException {
    return start(Server.builder().addService(service));
  }

  /// Without whatever can be switched off.
  static int startBare(Service service) throws IOException {
    return start(
        Server.builder()
            .addService(service)
            .overload(Overload.OFF)
            .health(false)
            .reflection(false)
            .signals(false));
  }

  /// With everything that a server in production has besides its services: as it comes, and a page
  /// of metrics, and traces of one call in a hundred.
  static int startFull(Service service) throws IOException {
    var traces =
        SdkTracerProvider.builder()
            .addSpanProcessor(BatchSpanProcessor.builder(new Nowhere()).build())
            .build();
    var telemetry =
        OpenTelemetrySdk.builder()
            .setTracerProvider(traces)
            .setPropagators(ContextPropagators.create(W3CTraceContextPropagator.getInstance()))
            .build();
    var registry = new PrometheusMeterRegistry(PrometheusConfig.DEFAULT);
    return started(
        Server.builder()
            .addService(service)
            .observe(CallTraces.of(telemetry).sampled(SAMPLED))
            .http("/metrics", new MetricsPage(registry)),
        registry);
  }

  @SuppressWarnings("MustBeClosedChecker") // it serves until the process ends
  private static int started(Server.Builder builder, PrometheusMeterRegistry registry)
      throws IOException {
    var server = builder.port(0).start();
    ServerMeters.of(server::metrics).bindTo(registry);
    return server.port();
  }

  @SuppressWarnings("MustBeClosedChecker") // it serves until the process ends
  private static int start(Server.Builder builder) throws IOException {
    return builder.port(0).start().port();
  }

  /// What a collector on another machine is to this one.
  private static final class Nowhere implements SpanExporter {
    @Override
    public CompletableResultCode export(Collection<SpanData> spans) {
      return CompletableResultCode.ofSuccess();
    }

    @Override
    public CompletableResultCode flush() {
      return CompletableResultCode.ofSuccess();
    }

    @Override
    public CompletableResultCode shutdown() {
      return CompletableResultCode.ofSuccess();
    }
  }
}
