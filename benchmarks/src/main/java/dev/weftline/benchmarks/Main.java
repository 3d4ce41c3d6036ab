package dev.weftline.benchmarks;

import picocli.CommandLine;
import picocli.CommandLine.Command;

/// What `benchmarks/run` starts.
@Command(
    name = "benchmarks/run",
    mixinStandardHelpOptions = true,
    subcommands = {
      Compare.class,
      Sleep.class,
      Firehose.class,
      Upload.class,
      Rollout.class,
      Overload.class,
      Stalled.class,
      Certificates.class
    },
    description = "Load scenarios; JMH has a command of its own, benchmarks/jmh.")
final class Main {
  private Main() {}

  public static void main(String[] args) {
    var line = new CommandLine(new Main());
    // A missing tool or an unknown peer is a sentence, not a stack trace.
    line.setExecutionExceptionHandler((e, command, _) -> {
      if (e instanceof IllegalStateException || e instanceof IllegalArgumentException) {
        Progress.say(String.valueOf(e.getMessage()));
        return CommandLine.ExitCode.USAGE;
      }
      throw e;
    });
    System.exit(line.execute(args));
  }
}
