package dev.weftline.interop;

import io.grpc.InsecureServerCredentials;
import io.grpc.Server;
import io.grpc.ServerCredentials;
import io.grpc.TlsServerCredentials;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.ExitCode;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/// `interop/server`: serves the gRPC interop suite until it is stopped.
@Command(
    name = "interop/server",
    description = "Serves grpc.testing.TestService for the gRPC interop suite.",
    mixinStandardHelpOptions = true,
    sortOptions = false)
public final class ServerCommand implements Callable<Integer> {
  private static final int GRACE_SECONDS = 5;

  @Spec CommandSpec spec = CommandSpec.create(); // replaced by picocli

  /// Not `required` for picocli, which then complains of it before it names a mistyped option.
  @Option(
      names = "--port",
      paramLabel = "P",
      description = "Port to listen on; 0 for any free one. Needed.")
  @Nullable Integer port;

  @Option(
      names = "--tls",
      description = "TLS; without --cert and --key with a new certificate for foo.test.google.fr.")
  boolean tls;

  @Option(names = "--cert", paramLabel = "F", description = "Certificate chain, PEM.")
  @Nullable Path cert;

  @Option(names = "--key", paramLabel = "F", description = "Private key, PEM (PKCS#8).")
  @Nullable Path key;

  @Option(
      names = "--ca-out",
      paramLabel = "F",
      description =
          "Where to write the authority of the new certificate, PEM, for clients to trust.")
  @Nullable Path caOut;

  /// Runs the command and ends the process with its exit code: 2 when it could not start.
  public static void main(String[] arguments) {
    System.exit(commandLine().execute(arguments));
  }

  /// One line on stderr for whatever is wrong with the options, their files or the port.
  static CommandLine commandLine() {
    var line = new CommandLine(new ServerCommand());
    line.setParameterExceptionHandler((e, arguments) -> {
      line.getErr().println("interop/server: " + e.getMessage() + " (--help tells more)");
      return ExitCode.USAGE;
    });
    return line;
  }

  @Override
  public Integer call() throws InterruptedException {
    Server server = start();
    Runtime.getRuntime().addShutdownHook(new Thread(() -> stop(server), "interop-stop"));
    spec.commandLine()
        .getOut()
        .println(
            "grpc.testing.TestService on port "
                + server.getPort()
                + (tls ? ", TLS" : ", plaintext"));
    server.awaitTermination();
    return ExitCode.OK;
  }

  private Server start() {
    if (port == null) throw wrong("--port is needed", null);
    if (port < 0 || port > 65_535) throw wrong("--port is 0 to 65535, not " + port, null);
    var credentials = credentials();
    try {
      return InteropServer.start(port, credentials);
    } catch (IOException e) {
      throw wrong("cannot listen on port " + port + ": " + innermost(e), e);
    } catch (IllegalArgumentException e) {
      throw wrong("cannot use " + cert + " with " + key + ": " + innermost(e), e);
    }
  }

  private ServerCredentials credentials() {
    if (!tls) {
      if (cert != null || key != null || caOut != null) {
        throw wrong("--cert, --key and --ca-out need --tls", null);
      }
      return InsecureServerCredentials.create();
    }
    if (cert != null && key != null) {
      if (caOut != null) throw wrong("--ca-out belongs to a new certificate, not to --cert", null);
      try (var chain = Files.newInputStream(cert);
          var secret = Files.newInputStream(key)) {
        return TlsServerCredentials.create(chain, secret);
      } catch (NoSuchFileException e) {
        throw wrong("no such file: " + e.getMessage(), e);
      } catch (IOException e) {
        throw wrong("cannot read " + cert + " and " + key + ": " + e.getMessage(), e);
      }
    }
    if (cert != null || key != null) throw wrong("--cert and --key go together", null);
    return newCredentials();
  }

  private ServerCredentials newCredentials() {
    var certificate = TestCertificate.create();
    try {
      if (caOut != null) Files.writeString(caOut, certificate.authority());
      return TlsServerCredentials.create(certificate.chainStream(), certificate.keyStream());
    } catch (IOException e) {
      throw wrong("cannot write " + caOut + ": " + e.getMessage(), e);
    }
  }

  private ParameterException wrong(String message, @Nullable Exception cause) {
    return new ParameterException(spec.commandLine(), message, cause);
  }

  /// The sentence that says what happened; wrappers only say where.
  private static String innermost(Throwable thrown) {
    var cause = thrown;
    while (cause.getCause() != null && cause.getCause().getMessage() != null) {
      cause = cause.getCause();
    }
    return String.valueOf(cause.getMessage()).lines().findFirst().orElse("").strip();
  }

  private static void stop(Server server) {
    server.shutdown();
    try {
      if (!server.awaitTermination(GRACE_SECONDS, TimeUnit.SECONDS)) server.shutdownNow();
    } catch (InterruptedException e) {
      server.shutdownNow();
      Thread.currentThread().interrupt();
    }
  }
}
