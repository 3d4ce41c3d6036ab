package dev.weftline.server;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/// The flag that lets loops carry call threads, given and not given.
@Timeout(60)
final class LoopCarrierFlagTest {
  private static final String FLAG = "--add-opens=java.base/java.lang=ALL-UNNAMED";

  @Test
  void withoutTheFlagCallsRunOnTheJdksSchedulerAndTheLogSaysWhatToPass() throws Exception {
    var seen = ChildJvm.run();

    assertThat(seen.carriers()).hasSize(2).allMatch(name -> name.startsWith("ForkJoinPool"));
    assertThat(seen.output())
        .containsOnlyOnce("--add-opens java.base/java.lang=ALL-UNNAMED")
        .containsOnlyOnce("INFO: call threads run on the JDK's scheduler")
        .doesNotContain("WARNING");
  }

  /// The first virtual thread that waits for a socket decides who carries the JVM's pollers.
  @Test
  void withTheFlagTheLoopCarriesCallsButNeverTheSocketPollers() throws Exception {
    var seen = ChildJvm.run(FLAG, "--add-opens=java.base/sun.nio.ch=ALL-UNNAMED");

    assertThat(seen.carriers()).hasSize(2).allMatch(name -> name.startsWith("weftline-loop"));
    assertThat(seen.output()).doesNotContain("call threads run");
    assertThat(seen.pollers()).isNotEmpty().containsOnly("ForkJoinPool");
  }
}
