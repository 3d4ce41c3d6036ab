package dev.weftline;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/// The JDK's StructuredTaskScope, which is a preview in 25, within a straight-line method: its
/// subtasks have the current call, and end when that is given up. The program is a user's, compiled
/// and run with `--enable-preview`; Weftline itself uses no preview.
@Timeout(120)
final class StructuredTaskScopeTest {
  @Test
  void subtasksHaveTheCallAndEndWithIt() throws Exception {
    var output = run("--add-opens=java.base/java.lang=ALL-UNNAMED");
    assertThat(output)
        .contains("answer Unary Unary", "status DEADLINE_EXCEEDED", "ended true")
        .doesNotContain("Exception in thread");
  }

  @Test
  void alsoWhereTheJdkSchedulesCallThreads() throws Exception {
    assertThat(run()).contains("answer Unary Unary", "status DEADLINE_EXCEEDED", "ended true");
  }

  private static String run(String... flags) throws IOException, InterruptedException {
    var source = Path.of("src", "test", "resources", "structured", "StructuredCalls.java");
    var command = new ArrayList<String>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.addAll(List.of("--enable-preview", "--enable-native-access=ALL-UNNAMED", "-Xmx256m"));
    command.addAll(List.of(flags));
    command.addAll(List.of("-cp", System.getProperty("java.class.path"), source.toString()));
    var process = new ProcessBuilder(command).redirectErrorStream(true).start();
    try {
      var output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
      assertThat(process.waitFor(10, TimeUnit.SECONDS)).as(output).isTrue();
      assertThat(process.exitValue()).as(output).isZero();
      return output;
    } finally {
      process.destroyForcibly();
    }
  }
}
