package dev.weftline.benchmarks;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.HexFormat;
import org.junit.jupiter.api.Test;

/// What is sent, and how much must come back.
class ScenarioTest {
  @Test
  void aSmallTextIsPrefixedWithItsLength() {
    assertThat(HexFormat.of().formatHex(Scenario.UNARY_8X16.body()))
        .isEqualTo("00" + "0000000c" + "0a0a" + "00".repeat(10));
  }

  @Test
  void aBidiBodyHoldsAllItsMessages() {
    assertThat(Scenario.BIDI.body()).hasSize(100 * 17);
  }

  @Test
  void repliesAreCountedWithTheirPrefixes() {
    assertThat(Scenario.UNARY_1X1.replyBytes()).isEqualTo(17);
    assertThat(Scenario.UNARY_10K.replyBytes()).isEqualTo(5 + 3 + 10_240);
    assertThat(Scenario.STREAM.replyBytes()).isEqualTo(17_000);
    assertThat(Scenario.BIDI.replyBytes()).isEqualTo(1_700);
  }

  @Test
  void everyScenarioIsFoundByItsName() {
    for (var scenario : Scenario.values()) {
      assertThat(Scenario.of(scenario.id())).isEqualTo(scenario);
    }
  }
}
