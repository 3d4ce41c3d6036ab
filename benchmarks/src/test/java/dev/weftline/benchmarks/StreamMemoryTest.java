package dev.weftline.benchmarks;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import org.junit.jupiter.api.Test;
import picocli.CommandLine;

/// Streams many times larger than the server's heap.
class StreamMemoryTest {
  private static final long MIB = 1 << 20;

  @Test
  void anUploadOf256MebibytesRunsAtConstantMemory() throws IOException, InterruptedException {
    var upload = new Upload();
    new CommandLine(upload).parseArgs("--pieces=256", "--heap=64m");
    var outcome = upload.measure();
    assertThat(outcome.whole()).isTrue();
    // The client may be a window and a message ahead of the method; the rest is noise.
    assertThat(outcome.growthBytes()).as("%s", outcome.heldBytes()).isLessThan(8 * MIB);
  }

  @Test
  void aStreamThatNobodyReadsHoldsItsBudget() throws IOException, InterruptedException {
    var firehose = new Firehose();
    new CommandLine(firehose).parseArgs("--messages=100000", "--pause=1", "--slow=1", "--heap=64m");
    var outcome = firehose.measure();
    assertThat(outcome.said()).isEqualTo(String.format("%,d right messages", 100_000));
    assertThat(outcome.heldBytes()).isLessThan(2 * MIB);
  }
}
