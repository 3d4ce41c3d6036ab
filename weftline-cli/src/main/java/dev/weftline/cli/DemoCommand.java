package dev.weftline.cli;

import dev.weftline.Service;
import dev.weftline.server.Server;
import dev.weftline.tutorial.Tutorial;
import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
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
    try {
      return builder.start();
    } catch (IOException e) {
      throw new CannotStart(e.getMessage());
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
