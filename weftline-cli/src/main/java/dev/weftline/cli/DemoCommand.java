package dev.weftline.cli;

import dev.weftline.tutorial.Tutorial;
import io.grpc.BindableService;
import io.grpc.Grpc;
import io.grpc.InsecureServerCredentials;
import io.grpc.Server;
import io.grpc.ServerServiceDefinition;
import io.grpc.protobuf.services.HealthStatusManager;
import io.grpc.protobuf.services.ProtoReflectionService;
import io.grpc.protobuf.services.ProtoReflectionServiceV1;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/// `weft demo`: serves the tutorial until it is told to stop.
@Command(
    name = "demo",
    description = "Serve the tutorial: a greeter, a route guide, health and reflection.")
final class DemoCommand implements Callable<Integer> {
  private static final System.Logger log = System.getLogger(DemoCommand.class.getName());

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
      description = "How long calls in flight may take after SIGTERM or SIGINT. Default: 20.")
  private int graceSeconds;

  @Override
  public Integer call() throws CannotStart, InterruptedException {
    if (graceSeconds < 0) throw refusal("--grace: " + graceSeconds + " is less than 0");

    var health = new HealthStatusManager(); // says SERVING from the start
    var services = new ArrayList<BindableService>(Tutorial.services());
    services.add(health.getHealthService());
    services.add(ProtoReflectionServiceV1.newInstance());
    services.add(reflectionV1Alpha());

    var server = start(services);
    var signals = StopSignals.caught();
    announce(server);

    var signal = signals.await();
    log.log(
        System.Logger.Level.INFO,
        "{0}: no new calls, those in flight have {1} s, a second signal ends them at once",
        signal,
        graceSeconds);
    health.enterTerminalState();
    drain(server, signals);
    return 0;
  }

  @SuppressWarnings("deprecation") // still the only one that many installed tools ask for
  private static BindableService reflectionV1Alpha() {
    return ProtoReflectionService.newInstance();
  }

  private Server start(List<BindableService> services) throws CannotStart {
    int number = port != null ? port.value() : portOf(System.getenv()).value();
    var builder = Grpc.newServerBuilderForPort(number, InsecureServerCredentials.create());
    services.forEach(builder::addService);
    try {
      return builder.build().start();
    } catch (IOException e) {
      throw new CannotStart(whyNot(number, e));
    }
  }

  private PortNumber portOf(Map<String, String> environment) {
    var text = environment.getOrDefault("PORT", "");
    try {
      return text.isEmpty() ? PortNumber.DEMO : PortNumber.parse(text);
    } catch (IllegalArgumentException e) {
      throw refusal("environment variable PORT: " + e.getMessage());
    }
  }

  private static String whyNot(int port, IOException failure) {
    Throwable cause = failure;
    while (cause.getCause() != null) cause = cause.getCause();
    return String.valueOf(cause.getMessage()).contains("in use")
        ? "port %d is taken; choose another with --port or PORT".formatted(port)
        : "cannot listen on port %d: %s".formatted(port, cause.getMessage());
  }

  private void announce(Server server) {
    var services =
        server.getServices().stream()
            .map(ServerServiceDefinition::getServiceDescriptor)
            .map(service -> "  " + service.getName())
            .sorted()
            .collect(Collectors.joining("\n"));
    var out = command.commandLine().getOut();
    out.println(
        """
        Weftline demo listening on port %1$d, cleartext HTTP/2 (h2c).
        %3$s

        From a second terminal:
          %2$s hello localhost:%1$d World
          %2$s hello localhost:%1$d World --stream
          grpcurl -plaintext localhost:%1$d list      (where grpcurl is installed)

        Ctrl-C drains and stops.\
        """
            .formatted(server.getPort(), Weft.typedAs(), services));
    out.flush();
  }

  private void drain(Server server, StopSignals signals) throws InterruptedException {
    server.shutdown();
    signals.onNext(server::shutdownNow);
    if (!server.awaitTermination(graceSeconds, TimeUnit.SECONDS)) {
      server.shutdownNow();
      server.awaitTermination();
    }
  }

  private ParameterException refusal(String reason) {
    return new ParameterException(command.commandLine(), reason);
  }
}
