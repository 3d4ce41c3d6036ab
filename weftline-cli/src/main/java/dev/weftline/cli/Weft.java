package dev.weftline.cli;

import java.io.IOException;
import java.util.Properties;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.IVersionProvider;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.ScopeType;
import picocli.CommandLine.UnmatchedArgumentException;

/// The command line. Exit code 0: done; 1: tried and failed; 2: could not be tried as asked.
@Command(
    name = "weft",
    description = "Weftline, a gRPC and HTTP service runtime for Java.",
    versionProvider = Weft.Version.class,
    mixinStandardHelpOptions = true,
    scope = ScopeType.INHERIT,
    synopsisSubcommandLabel = "COMMAND",
    subcommands = {DemoCommand.class, HelloCommand.class, ChatCommand.class})
public final class Weft {
  /// One line for each log record, before any stack trace.
  private static final String LOG_FORMAT = "%1$tF %1$tT.%1$tL %4$s %5$s%6$s%n";

  private static final String LOG_FORMAT_KEY = "java.util.logging.SimpleFormatter.format";

  private Weft() {}

  public static void main(String[] args) {
    if (System.getProperty(LOG_FORMAT_KEY) == null) System.setProperty(LOG_FORMAT_KEY, LOG_FORMAT);
    var commands = new CommandLine(new Weft());
    commands.setParameterExceptionHandler(Weft::refuse);
    commands.setExecutionExceptionHandler(Weft::fail);
    if (args.length == 0) {
      commands.usage(commands.getOut());
    } else {
      System.exit(commands.execute(args));
    }
  }

  /// What `weft` is called by whoever typed it, so that what we print can be typed as well.
  static String typedAs() {
    return System.getProperty("weft.command", "weft");
  }

  private static int refuse(ParameterException refusal, String[] args) {
    var command = refusal.getCommandLine();
    var name = command.getCommandSpec().qualifiedName();
    command.getErr().println("%s: %s (see %s --help)".formatted(name, reason(refusal), name));
    return CommandLine.ExitCode.USAGE;
  }

  private static String reason(ParameterException refusal) {
    if (!(refusal instanceof UnmatchedArgumentException unmatched)) {
      return String.valueOf(refusal.getMessage());
    }
    var argument = unmatched.getUnmatched().getFirst();
    if (argument.startsWith("-")) return "unknown option '" + argument + "'";
    return refusal.getCommandLine().getSubcommands().isEmpty()
        ? "unexpected argument '" + argument + "'"
        : "unknown command '" + argument + "'";
  }

  /// Anything a command did not answer for itself is our bug, and loud.
  private static int fail(Exception failure, CommandLine command, CommandLine.ParseResult parsed)
      throws Exception {
    if (!(failure instanceof CannotStart cannot)) throw failure;
    command.getErr().println(command.getCommandSpec().qualifiedName() + ": " + cannot.getMessage());
    return CommandLine.ExitCode.USAGE;
  }

  static final class Version implements IVersionProvider {
    @Override
    public String[] getVersion() throws IOException {
      var properties = new Properties();
      try (var file = Weft.class.getResourceAsStream("weft.properties")) {
        properties.load(file);
      }
      return new String[] {"weft " + properties.getProperty("version")};
    }
  }
}
