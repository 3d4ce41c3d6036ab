package dev.weftline.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/// The script `weft`, in a tree that has been built: whoever runs this test has just done so.
@Timeout(60)
class ScriptTest {
  private final Path script = Path.of("..", "weft").toAbsolutePath().normalize();
  private @TempDir Path elsewhere;

  @BeforeEach
  void isThere() {
    assertThat(script).isExecutable();
  }

  @Test
  void runsFromAnyDirectory() throws Exception {
    try (var weft = WeftProcess.byScript(script, elsewhere, "--version")) {
      assertThat(weft.out()).singleElement().asString().startsWith("weft ");
      assertThat(weft.exitCode()).isZero();
    }
  }

  @Test
  void runsThroughASymbolicLink() throws Exception {
    Files.createSymbolicLink(elsewhere.resolve("there"), elsewhere.relativize(script));
    var link = Files.createSymbolicLink(elsewhere.resolve("weft"), Path.of("there"));
    try (var weft = WeftProcess.byScript(link, elsewhere, "--version")) {
      assertThat(weft.out()).singleElement().asString().startsWith("weft ");
      assertThat(weft.exitCode()).isZero();
    }
  }

  @Test
  void handsOnExitCodes() throws Exception {
    try (var weft = WeftProcess.byScript(script, elsewhere, "serve")) {
      assertThat(weft.exitCode()).isEqualTo(2);
    }
  }

  @Test
  void signalsReachTheServer() throws Exception {
    try (var demo = WeftProcess.byScript(script, elsewhere, "demo", "--port", "0")) {
      assertThat(demo.port()).isPositive();
      demo.signal("TERM");
      assertThat(demo.exitCode()).isZero();
    }
  }
}
