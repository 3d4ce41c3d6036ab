package dev.weftline.interop;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/// What keeps the server from starting is said in one line, and the exit code is 2.
@Timeout(30)
class ServerCommandTest {
  @TempDir Path files;

  @Test
  void aPortIsNeeded() {
    assertThat(refusal()).contains("--port");
  }

  @Test
  void anUnknownOptionIsNamed() {
    assertThat(refusal("--port", "0", "--tsl")).contains("--tsl");
    assertThat(refusal("--prot", "0")).contains("--prot");
  }

  @Test
  void aPortThatIsNoNumberIsNamed() {
    assertThat(refusal("--port", "http")).contains("http");
  }

  @Test
  void aPortOutOfRangeIsNamed() {
    assertThat(refusal("--port", "70000")).contains("70000");
  }

  @Test
  void aTakenPortIsNamed() throws IOException {
    try (var taken = new ServerSocket(0)) {
      var port = Integer.toString(taken.getLocalPort());
      assertThat(refusal("--port", port)).contains("cannot listen on port " + port);
    }
  }

  @Test
  void certificatesNeedTls() throws IOException {
    var certificate = certificate();
    assertThat(refusal("--port", "0", "--cert", certificate, "--key", key())).contains("--tls");
  }

  @Test
  void aCertificateWithoutItsKeyIsRefused() throws IOException {
    assertThat(refusal("--port", "0", "--tls", "--cert", certificate())).contains("--key");
  }

  @Test
  void aMissingCertificateIsNamed() throws IOException {
    assertThat(refusal("--port", "0", "--tls", "--cert", "nowhere.pem", "--key", key()))
        .contains("no such file: nowhere.pem");
  }

  @Test
  void aCertificateThatIsNoneIsNamed() throws IOException {
    var text = write("text.pem", "certificate");
    assertThat(refusal("--port", "0", "--tls", "--cert", text, "--key", key())).contains(text);
  }

  @Test
  void aKeyOfAnotherCertificateIsRefused() throws IOException {
    var other = write("other.pem", TestCertificate.create().key());
    assertThat(refusal("--port", "0", "--tls", "--cert", certificate(), "--key", other))
        .contains(other);
  }

  @Test
  void anAuthorityThatCannotBeWrittenIsNamed() {
    var nowhere = files.resolve("nowhere").resolve("ca.pem").toString();
    assertThat(refusal("--port", "0", "--tls", "--ca-out", nowhere)).contains(nowhere);
  }

  private String certificate() throws IOException {
    return write("chain.pem", TestCertificate.create().chain());
  }

  private String key() throws IOException {
    return write("key.pem", TestCertificate.create().key());
  }

  private String write(String name, String text) throws IOException {
    return Files.writeString(files.resolve(name), text).toString();
  }

  /// The one line of stderr.
  private static String refusal(String... arguments) {
    var err = new StringWriter();
    int exitCode =
        ServerCommand.commandLine().setErr(new PrintWriter(err, true)).execute(arguments);
    assertThat(exitCode).isEqualTo(2);
    assertThat(err.toString().lines()).hasSize(1);
    return err.toString();
  }
}
