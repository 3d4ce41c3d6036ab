package dev.weftline.internal.http;

import static org.assertj.core.api.Assertions.assertThat;

import dev.weftline.internal.http.ByteBudget.Level;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

final class ByteBudgetTest {
  @ParameterizedTest
  @CsvSource(
      textBlock =
          """
          # held, level
          0,      ROOMY
          499,    ROOMY
          500,    TIGHT
          999,    TIGHT
          1000,   FULL
          5000,   FULL
          """)
  void theLevelRisesWithWhatIsHeld(long held, Level level) {
    var budget = new ByteBudget(1_000);
    budget.ofThisLoop().add(held);
    assertThat(budget.level()).isEqualTo(level);
    assertThat(budget.held()).isEqualTo(held);
  }

  @ParameterizedTest
  @CsvSource(
      textBlock =
          """
          # from, to,  level
          1000,   950, FULL
          1000,   899, TIGHT
          1000,   449, ROOMY
          600,    460, TIGHT
          600,    449, ROOMY
          """)
  void itFallsALittleBelowWhereItRose(long from, long to, Level level) {
    var budget = new ByteBudget(1_000);
    var tally = budget.ofThisLoop();
    tally.add(from);
    tally.add(to - from);
    assertThat(budget.level()).isEqualTo(level);
  }

  @Test
  void loopsAddUp() throws InterruptedException {
    var budget = new ByteBudget(1_000);
    budget.ofThisLoop().add(300);
    var other = Thread.ofPlatform().start(() -> budget.ofThisLoop().add(300));
    other.join();
    assertThat(budget.held()).isEqualTo(600);
    assertThat(budget.level()).isEqualTo(Level.TIGHT);
  }

  @Test
  void smallChangesAreToldInSteps() {
    var budget = new ByteBudget(1 << 20);
    var tally = budget.ofThisLoop();
    tally.add(100);
    assertThat(budget.held()).isZero();
    for (int i = 0; i < 1_000; i++) tally.add(100);
    assertThat(budget.held()).isBetween(90_000L, 100_100L);
  }
}
