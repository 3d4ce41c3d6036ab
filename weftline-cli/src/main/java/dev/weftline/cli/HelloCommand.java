package dev.weftline.cli;

import dev.weftline.tutorial.HelloClient;
import io.grpc.StatusRuntimeException;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/// `weft hello`: calls the greeter of a running demo.
@Command(name = "hello", description = "Call the greeter of a running demo.")
final class HelloCommand implements Callable<Integer> {
  @Spec private CommandSpec command = CommandSpec.create(); // picocli puts the real one here

  @Parameters(paramLabel = "HOST:PORT", description = "Where the demo listens.")
  private String target = "";

  @Parameters(paramLabel = "NAME", description = "Who is to be greeted.")
  private String name = "";

  @Option(names = "--stream", description = "Receive several greetings instead of one.")
  private boolean stream;

  @Override
  public Integer call() {
    FailedCall.quiet();
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
          .println("weft hello: " + new FailedCall(target, e.getStatus()).sentence());
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
}
