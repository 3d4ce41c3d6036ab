package dev.weftline.benchmarks;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import org.junit.jupiter.api.Test;
import picocli.CommandLine;

/// Many calls asleep at once, in a server with a small heap.
class SleepTest {
  /// What a sleeping call holds, its thread and stack included, was 4 KB.
  private static final double BYTES_PER_CALL_MAX = 8_000;

  @Test
  void thousandsOfCallsSleepInASmallHeapAndNoneFails() throws IOException, InterruptedException {
    var command = new Sleep();
    new CommandLine(command)
        .parseArgs("--calls=4000", "--millis=500", "--hold=5", "--heap=64m", "--warmup-calls=2000");
    var outcome = command.measure();
    assertThat(outcome.failed()).isZero();
    assertThat(outcome.bytesPerCall()).isBetween(500.0, BYTES_PER_CALL_MAX);
    // One after the other they would take half an hour.
    assertThat(outcome.seconds()).isLessThan(30);
  }
}
