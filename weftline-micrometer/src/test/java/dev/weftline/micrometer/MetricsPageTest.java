package dev.weftline.micrometer;

import static org.assertj.core.api.Assertions.assertThat;

import dev.weftline.Service;
import dev.weftline.server.Server;
import dev.weftline.tutorial.hello.GreeterGrpc;
import dev.weftline.tutorial.hello.HelloReply;
import dev.weftline.tutorial.hello.HelloRequest;
import io.grpc.Grpc;
import io.grpc.InsecureChannelCredentials;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.micrometer.prometheusmetrics.PrometheusConfig;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/// A real server, called, then scraped on the same port.
@Timeout(60)
final class MetricsPageTest {
  private static final String METHOD = GreeterGrpc.getSayHelloMethod().getFullMethodName();

  private static Server.Builder greeter() {
    return Server.builder()
        .addService(
            Service.builder(GreeterGrpc.getServiceDescriptor())
                .unary(GreeterGrpc.getSayHelloMethod(), _ -> HelloReply.getDefaultInstance())
                .build());
  }

  private static void call(Server server, int times) {
    var channel =
        Grpc.newChannelBuilder("localhost:" + server.port(), InsecureChannelCredentials.create())
            .build();
    try {
      var greeter = GreeterGrpc.newBlockingStub(channel);
      for (int i = 0; i < times; i++) {
        assertThat(greeter.sayHello(HelloRequest.getDefaultInstance())).isNotNull();
      }
    } finally {
      channel.shutdownNow();
    }
  }

  @Test
  void aScrapeHasTheCallsWithTrueHistogramsOverBothVersionsOfHttp() throws Exception {
    var registry = new PrometheusMeterRegistry(PrometheusConfig.DEFAULT);
    try (var server = greeter().http("/metrics", new MetricsPage(registry)).build().start();
        var meters = ServerMeters.of(server::metrics);
        var client = HttpClient.newHttpClient()) {
      meters.bindTo(registry);
      call(server, 3);

      for (var version : HttpClient.Version.values()) {
        if (version.name().equals("HTTP_3")) continue;
        var page = scrape(client, server.port(), version, "text/plain", 3);
        assertThat(page)
            .contains(
                "# TYPE grpc_server_call_duration_seconds histogram",
                "grpc_server_call_started_total{grpc_method=\"" + METHOD + "\"} 3.0",
                "grpc_server_call_duration_seconds_count{grpc_method=\""
                    + METHOD
                    + "\",grpc_status=\"OK\"} 3",
                "grpc_server_call_duration_seconds_bucket{grpc_method=\"" + METHOD)
            .contains("weftline_server_");
      }
      assertThat(
              scrape(
                  client,
                  server.port(),
                  HttpClient.Version.HTTP_1_1,
                  "application/openmetrics-text",
                  3))
          .endsWith("# EOF\n");
    }
  }

  /// The client has its reply before the server has noted that it was written.
  private static String scrape(
      HttpClient client, int port, HttpClient.Version version, String accept, int calls)
      throws Exception {
    var request =
        HttpRequest.newBuilder(URI.create("http://localhost:" + port + "/metrics"))
            .version(version)
            .header("accept", accept)
            .build();
    for (int i = 0; ; i++) {
      var response = client.send(request, HttpResponse.BodyHandlers.ofString());
      assertThat(response.statusCode()).isEqualTo(200);
      var counted = "grpc_status=\"OK\"} " + calls + "\n";
      if (response.body().contains(counted) || i == 200) return response.body();
      Thread.sleep(10);
    }
  }

  @Test
  void otherRegistriesGetTimersAndCounters() throws Exception {
    var registry = new SimpleMeterRegistry();
    try (var server = greeter().build().start();
        var meters = ServerMeters.of(server::metrics)) {
      call(server, 2);
      meters.bindTo(registry);
      meters.look();

      assertThat(
              registry
                  .get("grpc.server.call.started")
                  .tag("grpc.method", METHOD)
                  .functionCounter()
                  .count())
          .isEqualTo(2);
      assertThat(registry.find("weftline.server.connections.open").gauge()).isNotNull();
    }
  }
}
