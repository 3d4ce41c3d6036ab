package dev.weftline.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// The same options by flag, by environment and by file, and what is refused.
final class ConfigurationTest {
  private static final Map<String, String> NO_ENVIRONMENT = Map.of();

  @TempDir private Path directory;

  private Limits limits(Map<String, String> environment, String... arguments) {
    return builder(environment, arguments).limits();
  }

  private Server.Builder builder(Map<String, String> environment, String... arguments) {
    return Server.builder()
        .configure(Configuration.load(directory, environment, List.of(arguments)));
  }

  private void file(String name, String text) throws IOException {
    Files.writeString(directory.resolve(name), text);
  }

  @Test
  void anOptionIsAFlagAVariableAndALineInAFile() throws IOException {
    assertThat(limits(NO_ENVIRONMENT, "--max-streams", "7").streamsMax()).isEqualTo(7);
    assertThat(limits(NO_ENVIRONMENT, "--max-streams=8").streamsMax()).isEqualTo(8);
    assertThat(limits(Map.of("WEFTLINE_MAX_STREAMS", "9")).streamsMax()).isEqualTo(9);
    file("weftline.properties", "max-streams=10\nmax.fields = 8KiB");
    assertThat(limits(NO_ENVIRONMENT).streamsMax()).isEqualTo(10);
    assertThat(limits(NO_ENVIRONMENT).fieldBytesMax()).isEqualTo(8 << 10);
  }

  @Test
  void aYamlFileMayNestItsNames() throws IOException {
    file("weftline.yaml", "max:\n  streams: 11\n  fields: 8KiB\nreuse-port: true\n");
    assertThat(limits(NO_ENVIRONMENT).streamsMax()).isEqualTo(11);
    assertThat(limits(NO_ENVIRONMENT).fieldBytesMax()).isEqualTo(8 << 10);
  }

  @Test
  void flagsGoBeforeVariablesAndVariablesBeforeTheFile() throws IOException {
    file("weftline.properties", "max-streams=1\nhandshake=1s\nmax-fields=1KiB");
    var environment = Map.of("WEFTLINE_MAX_STREAMS", "2", "WEFTLINE_HANDSHAKE", "2s");
    var limits = limits(environment, "--max-streams", "3");
    assertThat(limits.streamsMax()).isEqualTo(3);
    assertThat(limits.handshake()).isEqualTo(Duration.ofSeconds(2));
    assertThat(limits.fieldBytesMax()).isEqualTo(1 << 10);
  }

  @Test
  void thePlatformsPortIsThePortUnlessOursSaysOtherwise() throws Exception {
    try (var server = builder(Map.of("PORT", "0")).start()) {
      assertThat(server.port()).isPositive();
    }
    assertThatIllegalArgumentException()
        .isThrownBy(() -> builder(Map.of("PORT", "http")))
        .withMessage("environment variable PORT: 'http' is not a whole number");
    try (var server = builder(Map.of("PORT", "1", "WEFTLINE_PORT", "0")).start()) {
      assertThat(server.port()).isNotEqualTo(1);
    }
  }

  /// Kubernetes gives every pod such variables for a service called `weftline`.
  @Test
  void variablesThatKubernetesMakesOfAServicesNameAreNotOurs() {
    var links =
        Map.of(
            "WEFTLINE_PORT", "tcp://10.0.0.1:80",
            "WEFTLINE_PORT_80_TCP_ADDR", "10.0.0.1",
            "WEFTLINE_SERVICE_HOST", "10.0.0.1");
    assertThat(limits(links)).isEqualTo(Limits.DEFAULT);
  }

  @Test
  void whatIsNoFlagIsLeftToTheProgram() {
    var configuration =
        Configuration.load(
            directory,
            NO_ENVIRONMENT,
            List.of("serve", "--reuse-port", "--max-streams", "4", "x", "--", "--y"));
    assertThat(configuration.arguments()).containsExactly("serve", "x", "--y");
  }

  @Test
  void anUnknownOptionIsRefusedWithTheNearestName() throws IOException {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> limits(NO_ENVIRONMENT, "--max-strems", "4"))
        .withMessage("--max-strems is no option that is known; the nearest is max-streams");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> limits(Map.of("WEFTLINE_LOPS", "4")))
        .withMessageContaining("WEFTLINE_LOPS")
        .withMessageContaining("nearest is loops");
    file("weftline.yaml", "stall:\n  bugdet: 3ms\n");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> limits(NO_ENVIRONMENT))
        .withMessageContaining("stall-bugdet in")
        .withMessageContaining("nearest is stall-budget");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          --max-streams many  | --max-streams: 'many' is not a whole number
          --max-streams 0     | option max-streams is impossible: streamsMax: 0
          --handshake 3       | --handshake: '3' is not a time such as 200ms, 20s, 5m or 2h
          --max-window 1TB    | --max-window: '1TB' is not a number of bytes such as 65536, 64KiB or 4MiB
          --window 9999999MiB | option window is impossible: integer overflow
          --placement here    | --placement: 'here' is not one of adaptive|loop|shared
          --reuse-port perhaps| --reuse-port: 'perhaps' is neither on nor off
          --address localhost | --address: 'localhost' is not an address such as 127.0.0.1:8080
          --max-streams       | --max-streams needs a value
          --config no.yaml    | configuration file
          """)
  void whatCannotBeIsRefusedWithASentence(String flags, String sentence) {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> limits(NO_ENVIRONMENT, flags.split(" ")))
        .withMessageStartingWith(sentence);
  }

  @Test
  void aFileThatIsNoConfigurationIsRefused() throws IOException {
    for (var text : List.of("just words", "port: [", "port:\n")) {
      file("weftline.yaml", text);
      assertThatIllegalArgumentException()
          .as(text)
          .isThrownBy(() -> limits(NO_ENVIRONMENT))
          .withMessageContaining("weftline.yaml");
    }
  }

  @Test
  void everyOptionHasANameOfItsOwnAndAVariable() {
    var names = new HashSet<String>();
    for (var option : ServerOptions.ALL) {
      assertThat(names.add(option.name())).as(option.name()).isTrue();
      assertThat(option.name()).matches("[a-z]+(-[a-z0-9]+)*");
      assertThat(Configuration.help()).contains("--" + option.name() + " ");
    }
  }

  @Test
  void whatSeveralOptionsSayIsPutTogether() {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> builder(NO_ENVIRONMENT, "--tls-chain", "tls.crt"))
        .withMessage("tls-chain and tls-key belong together");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> builder(NO_ENVIRONMENT, "--access-log-file", "calls.log"))
        .withMessageContaining("access-log");
    var limits =
        builder(NO_ENVIRONMENT, "--limits", "a.B/C=2,a.B=7", "--adaptive", "off").overload();
    assertThat(limits.limits()).containsEntry("a.B/C", 2).containsEntry("a.B", 7);
    assertThat(limits.adaptive()).isFalse();
  }

  /// The README's table is this list; `-Dweftline.golden.update=true` writes it anew.
  @Test
  void theReadmeHasThisTable() throws IOException {
    var readme = Path.of("..", "README.md");
    var text = Files.readString(readme);
    var begin = "<!-- options: ServerOptions writes below this line -->\n";
    var end = "<!-- options: ServerOptions writes above this line -->\n";
    int from = text.indexOf(begin) + begin.length();
    int to = text.indexOf(end);
    assertThat(to).isGreaterThanOrEqualTo(from);
    if (Boolean.getBoolean("weftline.golden.update")) {
      Files.writeString(
          readme, text.substring(0, from) + ServerOptions.markdown() + text.substring(to));
    } else {
      assertThat(text.substring(from, to)).isEqualTo(ServerOptions.markdown());
    }
  }
}
