package dev.weftline.benchmarks;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;

/// What h2load 1.52 prints, understood.
class H2loadTest {
  private static final String OUTPUT =
      """
      starting benchmark...
      spawning thread #0: 8 total client(s). 20000 total requests
      Application protocol: h2c
      progress: 100% done

      finished in 321.70ms, 62168.95 req/s, 4.68MB/s
      requests: 20000 total, 20000 started, 19999 done, 19990 succeeded, 10 failed, 1 errored, 0 timeout
      status codes: 19990 2xx, 0 3xx, 2 4xx, 7 5xx
      traffic: 1.51MB (1580344) total, 390.63KB (400000) headers (space savings 47.37%), 332.03KB (340000) data
                           min         max         mean         sd        +/- sd
      time for request:       19us    181.87ms      1.99ms     13.68ms    99.36%
      """;

  @Test
  void readsEveryCountItIsCheckedBy() {
    assertThat(H2load.parse(OUTPUT))
        .isEqualTo(new H2load.Outcome(62168.95, 20000, 19999, 19990, 9, 10, 340000));
  }

  @Test
  void tellsWhatH2loadSaidWhenItDidNotFinish() {
    assertThatThrownBy(() -> H2load.parse("the connection was refused"))
        .isInstanceOf(IllegalStateException.class)
        .hasMessageContaining("the connection was refused");
  }

  @Test
  void takesPercentilesFromTheThirdColumnOfTheLog() {
    var log = new StringBuilder();
    for (int micros = 100; micros >= 1; micros--) {
      log.append("1442304000000000\t200\t").append(micros).append('\n');
    }
    assertThat(H2load.percentiles(log.toString())).isEqualTo(new H2load.Latency(50, 99));
  }
}
