package dev.weftline.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.net.ServerSocket;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

@Timeout(60)
class CommandLineTest {
  @Test
  void withoutArgumentsItTellsItsCommands() throws Exception {
    try (var weft = WeftProcess.started()) {
      assertThat(weft.out()).anyMatch(line -> line.startsWith("  demo "));
      assertThat(weft.err()).isEmpty();
      assertThat(weft.exitCode()).isZero();
    }
  }

  @ParameterizedTest
  @CsvSource(
      textBlock =
          """
          --version,      weft \\d+\\.\\d+\\.\\d+.*
          --help,         Usage: weft .*
          demo --help,    Usage: weft demo .*
          hello --help,   Usage: weft hello .*
          chat --help,    Usage: weft chat .*
          """)
  void itTellsAboutItself(String arguments, String firstLine) throws Exception {
    try (var weft = WeftProcess.started(arguments.split(" ", -1))) {
      assertThat(weft.out()).first().asString().matches(firstLine);
      assertThat(weft.exitCode()).isZero();
    }
  }

  @ParameterizedTest
  @CsvSource(
      quoteCharacter = '"',
      textBlock =
          """
          serve,                      weft: unknown command 'serve'
          --colour,                   weft: unknown option '--colour'
          demo --colour,              weft demo: unknown option '--colour'
          demo 50051,                 weft demo: unexpected argument '50051'
          demo --port http,           weft demo: Invalid value for option '--port': 'http' is not a port (0 to 65535)
          demo --port 65536,          weft demo: Invalid value for option '--port': '65536' is not a port (0 to 65535)
          demo --port,                weft demo: Missing required parameter for option '--port'
          demo --grace -1,            weft demo: --grace: -1 is less than 0
          hello localhost:http Ada,   weft hello: 'localhost:http' is not HOST:PORT
          chat localhost:http,        weft chat: 'localhost:http' is not HOST:PORT
          chat,                       weft chat: Missing required parameter: 'HOST:PORT'
          chat there:1 --name aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa, weft chat: --name: has 1 to 32 characters
          """)
  void whatItDoesNotUnderstandIsOneLineAndExitCode2(String arguments, String line)
      throws Exception {
    try (var weft = WeftProcess.started(arguments.split(" ", -1))) {
      assertThat(weft.err()).singleElement().asString().startsWith(line).contains("--help");
      assertThat(weft.out()).isEmpty();
      assertThat(weft.exitCode()).isEqualTo(2);
    }
  }

  @Test
  void aGreeterThatIsNotThereIsOneLineAndExitCode1() throws Exception {
    int port;
    try (var freed = new ServerSocket(0)) {
      port = freed.getLocalPort();
    }
    try (var weft = WeftProcess.started("hello", "localhost:" + port, "World")) {
      assertThat(weft.err())
          .singleElement()
          .asString()
          .contains("weft hello: localhost:" + port + ": UNAVAILABLE", "Connection refused")
          .endsWith("(nobody listens there: start a weft demo)");
      assertThat(weft.exitCode()).isEqualTo(1);
    }
  }
}
