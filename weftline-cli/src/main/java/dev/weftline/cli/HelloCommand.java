package dev.weftline.cli;

import dev.weftline.tutorial.HelloClient;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import java.util.concurrent.Callable;
import java.util.logging.Level;
import java.util.logging.Logger;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/// `weft hello`: calls the greeter of a running demo.
@Command(name = "hello", description = "Call the greeter of a running demo.")
final class HelloCommand implements Callable<Integer> {
  /// The channel logs why it could not connect, with a stack trace; our one line says it too.
  private static final Logger CHANNEL_LOG = Logger.getLogger("io.grpc.internal.ManagedChannelImpl");

  @Spec private CommandSpec command = CommandSpec.create(); // picocli puts the real one here

  @Parameters(paramLabel = "HOST:PORT", description = "Where the demo listens.")
  private String target = "";

  @Parameters(paramLabel = "NAME", description = "Who is to be greeted.")
  private String name = "";

  @Option(names = "--stream", description = "Receive several greetings instead of one.")
  private boolean stream;

  @Override
  public Integer call() {
    CHANNEL_LOG.setLevel(Level.OFF);
    var out = command.commandLine().getOut();
    try (var client = client()) {
      if (stream) {
        client.helloStream(name, out::println);
      } else {
        out.println(client.hello(name));
      }
      out.flush();
      return 0;
    } catch (StatusRuntimeException e) {
      command
          .commandLine()
          .getErr()
          .println("weft hello: %s: %s".formatted(target, described(e.getStatus())));
      return 1;
    }
  }

  private HelloClient client() {
    try {
      return new HelloClient(target);
    } catch (IllegalArgumentException e) {
      throw new ParameterException(
          command.commandLine(),
          "'" + target + "' is not HOST:PORT, for example localhost:50051",
          e);
    }
  }

  private static String described(Status status) {
    var text = new StringBuilder(status.getCode().toString());
    if (status.getDescription() != null) text.append(": ").append(status.getDescription());
    if (status.getCause() != null) text.append(": ").append(status.getCause().getMessage());
    return text.toString().lines().findFirst().orElseThrow();
  }
}
