package dev.weftline.cli;

import dev.weftline.Service;
import dev.weftline.jwt.JwtGuard;
import dev.weftline.micrometer.MetricsPage;
import dev.weftline.micrometer.ServerMeters;
import dev.weftline.opentelemetry.CallTraces;
import dev.weftline.server.Configuration;
import dev.weftline.server.Server;
import dev.weftline.tutorial.Tutorial;
import io.micrometer.prometheusmetrics.PrometheusConfig;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import io.opentelemetry.api.OpenTelemetry;
import io.opentelemetry.api.trace.propagation.W3CTraceContextPropagator;
import io.opentelemetry.context.propagation.ContextPropagators;
import io.opentelemetry.exporter.logging.LoggingSpanExporter;
import io.opentelemetry.sdk.OpenTelemetrySdk;
import io.opentelemetry.sdk.trace.SdkTracerProvider;
import io.opentelemetry.sdk.trace.export.BatchSpanProcessor;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/// `weft demo`: serves the tutorial until it is told to stop.
@Command(
    name = "demo",
    description =
        "Serve the tutorial: a greeter, a route guide, users, a chat, health and reflection.")
final class DemoCommand implements Callable<Integer> {
  /// What a Weftline server ends its process with when it had to cut calls.
  private static final int CALLS_CUT = 3;

  @Spec private CommandSpec command = CommandSpec.create(); // picocli puts the real one here

  @Option(
      names = "--port",
      paramLabel = "PORT",
      converter = PortNumber.Converter.class,
      description = "Port to listen on; 0 takes a free one. Default: $PORT, else 50051.")
  private @Nullable PortNumber port; // unless given

  @Option(
      names = "--grace",
      paramLabel = "SECONDS",
      defaultValue = "20",
      description = "How long calls in flight may take once a signal has come. Default: 20.")
  private int graceSeconds;

  @Option(
      names = "--set",
      paramLabel = "OPTION=VALUE",
      description =
          "An option of the server, such as max-streams=500; repeatable. The README lists all of"
              + " them; WEFTLINE_… variables and weftline.yaml work as well.")
  private List<String> settings = new ArrayList<>();

  @Option(
      names = "--traces",
      paramLabel = "SHARE",
      defaultValue = "0",
      description = "The share of calls, from 0 to 1, whose spans go to the log. Default: 0.")
  private double traced;

  @ArgGroup(exclusive = false)
  private @Nullable Tokens tokens; // unless given

  /// With these, calls need a bearer token; health does not.
  static final class Tokens {
    @Option(
        names = "--jwt-keys",
        required = true,
        paramLabel = "URL|FILE",
        description = "Demand a token that one of these keys has signed, a JWK set.")
    private String keys = "";

    @Option(names = "--jwt-issuer", required = true, description = "Who must have issued it.")
    private String issuer = "";

    @Option(names = "--jwt-audience", required = true, description = "For whom it must be.")
    private String audience = "";
  }

  @Override
  public Integer call() throws CannotStart, InterruptedException {
    if (graceSeconds < 0) throw refusal("--grace: " + graceSeconds + " is less than 0");

    var services = Tutorial.services();
    var server = start(services);
    announce(server.port(), services);
    server.awaitTermination();
    return server.callsCut() == 0 ? CommandLine.ExitCode.OK : CALLS_CUT;
  }

  private Server start(List<Service> services) throws CannotStart {
    int number = port != null ? port.value() : portOf(System.getenv()).value();
    var builder = Server.builder().port(number).grace(Duration.ofSeconds(graceSeconds));
    services.forEach(builder::addService);
    var registry = new PrometheusMeterRegistry(PrometheusConfig.DEFAULT);
    builder.http("/metrics", new MetricsPage(registry));
    try {
      if (traced != 0) builder.observe(CallTraces.of(toTheLog()).sampled(traced));
      if (tokens != null) builder.guard(guard(tokens));
      var server = configured(builder).start();
      ServerMeters.of(server::metrics).bindTo(registry);
      return server;
    } catch (IOException e) {
      throw new CannotStart(e.getMessage());
    } catch (IllegalArgumentException e) {
      throw refusal(String.valueOf(e.getMessage()));
    }
  }

  /// PORT has been looked at: here it may be overridden by a flag of the command.
  private Server.Builder configured(Server.Builder builder) {
    var environment = new HashMap<>(System.getenv());
    environment.remove("PORT");
    var flags = settings.stream().map(setting -> "--" + setting).toList();
    return builder.configure(Configuration.load(Path.of(""), environment, flags));
  }

  private static JwtGuard guard(Tokens tokens) throws IOException {
    var guard = JwtGuard.builder().issuer(tokens.issuer).audience(tokens.audience).openHealth();
    return tokens.keys.contains("://")
        ? guard.jwks(URI.create(tokens.keys)).build()
        : guard.jwks(Path.of(tokens.keys)).build();
  }

  private static OpenTelemetry toTheLog() {
    return OpenTelemetrySdk.builder()
        .setTracerProvider(
            SdkTracerProvider.builder()
                .addSpanProcessor(BatchSpanProcessor.builder(LoggingSpanExporter.create()).build())
                .build())
        .setPropagators(ContextPropagators.create(W3CTraceContextPropagator.getInstance()))
        .build();
  }

  private PortNumber portOf(Map<String, String> environment) {
    var text = environment.getOrDefault("PORT", "");
    try {
      return text.isEmpty() ? PortNumber.DEMO : PortNumber.parse(text);
    } catch (IllegalArgumentException e) {
      throw refusal("environment variable PORT: " + e.getMessage());
    }
  }

  private void announce(int port, List<Service> services) {
    var names =
        services.stream().map(service -> "  " + service.name()).collect(Collectors.joining("\n"));
    var out = command.commandLine().getOut();
    out.println(
        """
        Weftline demo listening on port %1$d, cleartext HTTP/2, with health, reflection and the services
        %3$s

        From a second terminal, and for the chat from a third:
          %2$s hello localhost:%1$d World
          %2$s hello localhost:%1$d World --stream
          %2$s chat localhost:%1$d
          curl localhost:%1$d/metrics
          grpcurl -plaintext localhost:%1$d list      (where grpcurl is installed)

        Ctrl-C lets calls finish and stops.\
        """
            .formatted(port, Weft.typedAs(), names));
    out.flush();
  }

  private ParameterException refusal(String reason) {
    return new ParameterException(command.commandLine(), reason);
  }
}
