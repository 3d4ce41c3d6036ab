package dev.weftline.micrometer;

import dev.weftline.http.HttpHandler;
import dev.weftline.http.Request;
import dev.weftline.http.Response;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import java.nio.charset.StandardCharsets;

/// The page that Prometheus scrapes: everything in a registry, in the format that the request asks
/// for (OpenMetrics or Prometheus' text format).
///
/// ```java
/// Server.builder().http("/metrics", new MetricsPage(registry))
/// ```
///
/// Any number of threads.
///
/// @param registry what is shown
public record MetricsPage(PrometheusMeterRegistry registry) implements HttpHandler {
  private static final String TEXT = "text/plain; version=0.0.4; charset=utf-8";
  private static final String OPEN_METRICS = "application/openmetrics-text";

  @Override
  public Response handle(Request request) {
    boolean open =
        request.field("accept").map(accept -> accept.contains(OPEN_METRICS)).orElse(false);
    var type = open ? OPEN_METRICS + "; version=1.0.0; charset=utf-8" : TEXT;
    return Response.of(200, type, registry.scrape(type).getBytes(StandardCharsets.UTF_8));
  }
}
