package dev.weftline.micrometer;

import dev.weftline.server.Measure;
import dev.weftline.server.MethodMetrics;
import dev.weftline.server.ServerMetrics;
import io.micrometer.core.instrument.FunctionCounter;
import io.micrometer.core.instrument.FunctionTimer;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Tag;
import io.micrometer.core.instrument.Tags;
import io.micrometer.core.instrument.binder.MeterBinder;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import java.time.Duration;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import java.util.function.ToDoubleFunction;
import org.jspecify.annotations.Nullable;

/// The metrics of a server for Micrometer: those of every gRPC server by the names of gRFC A66, and
/// the server's own. Nothing is recorded here: meters read what the server has counted anyway.
///
/// ```java
/// var registry = new PrometheusMeterRegistry(PrometheusConfig.DEFAULT);
/// var server = Server.builder().http("/metrics", new MetricsPage(registry)).build();
/// var meters = ServerMeters.of(server::metrics);
/// meters.bindTo(registry);
/// ```
///
/// A Prometheus registry gets true histograms. Micrometer has no meter that takes a histogram that
/// somebody else has counted, so other registries get the number and total of durations and sizes.
/// They are looked through for new methods every ten seconds, until [#close()].
///
/// Any thread may call. Whoever binds it closes it.
public final class ServerMeters implements MeterBinder, AutoCloseable {
  private static final Duration LOOK_EVERY = Duration.ofSeconds(10);

  /// Registries read meter by meter; one snapshot serves all that they read in one go.
  private static final long SNAPSHOT_NANOS_MAX = TimeUnit.SECONDS.toNanos(1);

  private record Snapshot(ServerMetrics metrics, long nanos) {}

  /// A meter that exists.
  private record Known(MeterRegistry registry, String name, Tags tags) {}

  private final Supplier<ServerMetrics> server;
  private final Set<Known> known = ConcurrentHashMap.newKeySet();
  private final Set<MeterRegistry> registries = ConcurrentHashMap.newKeySet();
  private volatile @Nullable Snapshot last;
  private volatile @Nullable Thread looking; // from the first registry that needs it on

  private ServerMeters(Supplier<ServerMetrics> server) {
    this.server = server;
  }

  /// Reads `server::metrics`.
  public static ServerMeters of(Supplier<ServerMetrics> server) {
    return new ServerMeters(server);
  }

  @Override
  public void bindTo(MeterRegistry registry) {
    if (registry instanceof PrometheusMeterRegistry prometheus) {
      prometheus.getPrometheusRegistry().register(new PrometheusSnapshots(server));
      return;
    }
    registries.add(registry);
    look();
    synchronized (this) {
      if (looking == null)
        looking = Thread.ofVirtual().name("weftline-meters").start(this::keepLooking);
    }
  }

  @Override
  public void close() {
    var thread = looking;
    if (thread != null) thread.interrupt();
  }

  private void keepLooking() {
    try {
      while (true) {
        Thread.sleep(LOOK_EVERY);
        look();
      }
    } catch (InterruptedException e) {
      // closed
    }
  }

  /// Makes the meters that are new since the last look.
  void look() {
    var metrics = metrics();
    for (var registry : registries) {
      for (var method : metrics.methods()) meters(registry, method);
      for (var measure : metrics.measures()) meter(registry, measure);
    }
  }

  private void meters(MeterRegistry registry, MethodMetrics method) {
    var name = method.method();
    var ofMethod = Tags.of("grpc.method", name);
    if (isNew(registry, "grpc.server.call.started", ofMethod)) {
      FunctionCounter.builder(
              "grpc.server.call.started", this, m -> m.ofMethod(name, MethodMetrics::started))
          .tags(ofMethod)
          .description("Calls whose headers came")
          .register(registry);
    }
    for (var ended : method.ended()) {
      var status = ended.status().name();
      var tags = ofMethod.and("grpc.status", status);
      if (!isNew(registry, "grpc.server.call.duration", tags)) continue;
      FunctionTimer.builder(
              "grpc.server.call.duration",
              this,
              m -> (long) m.ended(name, status, MethodMetrics.Ended::calls),
              m -> m.ended(name, status, e -> e.duration().sum()),
              TimeUnit.SECONDS)
          .tags(tags)
          .description("Time from the headers of a call to the end of its response")
          .register(registry);
      FunctionCounter.builder(
              "grpc.server.call.sent_total_compressed_message_size",
              this,
              m -> m.ended(name, status, e -> e.sent().sum()))
          .tags(tags)
          .baseUnit("bytes")
          .description("Octets of the messages sent")
          .register(registry);
      FunctionCounter.builder(
              "grpc.server.call.rcvd_total_compressed_message_size",
              this,
              m -> m.ended(name, status, e -> e.received().sum()))
          .tags(tags)
          .baseUnit("bytes")
          .description("Octets of the messages received")
          .register(registry);
    }
  }

  private void meter(MeterRegistry registry, Measure measure) {
    var tags =
        Tags.of(
            measure.labels().entrySet().stream()
                .map(label -> Tag.of(label.getKey(), label.getValue()))
                .toList());
    var name = measure.name();
    if (!isNew(registry, name, tags)) return;
    var labels = measure.labels();
    switch (measure.kind()) {
      case GAUGE ->
          Gauge.builder(name, this, m -> m.value(name, labels))
              .tags(tags)
              .description(measure.description())
              .register(registry);
      case COUNTER ->
          FunctionCounter.builder(name, this, m -> m.value(name, labels))
              .tags(tags)
              .description(measure.description())
              .register(registry);
    }
  }

  private boolean isNew(MeterRegistry registry, String name, Tags tags) {
    return known.add(new Known(registry, name, tags));
  }

  private double ofMethod(String name, ToDoubleFunction<MethodMetrics> of) {
    return metrics().method(name).map(of::applyAsDouble).orElse(0.0);
  }

  private double ended(String name, String status, ToDoubleFunction<MethodMetrics.Ended> of) {
    return ofMethod(
        name,
        method ->
            method.ended().stream()
                .filter(ended -> ended.status().name().equals(status))
                .mapToDouble(of)
                .sum());
  }

  private double value(String name, java.util.Map<String, String> labels) {
    for (var measure : metrics().measures()) {
      if (measure.name().equals(name) && measure.labels().equals(labels)) return measure.value();
    }
    return 0;
  }

  private ServerMetrics metrics() {
    var known = last;
    long now = System.nanoTime();
    if (known != null && now - known.nanos() < SNAPSHOT_NANOS_MAX) return known.metrics();
    var read = new Snapshot(server.get(), now);
    last = read;
    return read.metrics();
  }
}
