package dev.weftline.internal.thread;

import static dev.weftline.internal.thread.MethodPlacement.BACK_OFF_NANOS_MAX;
import static dev.weftline.internal.thread.MethodPlacement.FORGIVEN_NANOS;
import static dev.weftline.internal.thread.MethodPlacement.GOOD_RUNS;
import static dev.weftline.internal.thread.MethodPlacement.REPORT_NANOS_MIN;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;

import dev.weftline.Placement;
import dev.weftline.internal.testing.FakeClock;
import java.time.Duration;
import java.util.ArrayList;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// Where a method's call threads run, for what they did; time stands still but where said.
final class MethodPlacementTest {
  private static final long BUDGET = 2_000_000;
  private static final long SHORT = BUDGET / 10;
  private static final long LONG = BUDGET * 10;

  private final FakeClock clock = new FakeClock();

  private MethodPlacement placed(Placement placement) {
    return new MethodPlacement("a.Service/Method", placement, true, BUDGET, clock);
  }

  private static void behave(MethodPlacement method, int runs) {
    for (int i = 0; i < runs; i++) method.held(SHORT);
  }

  @ParameterizedTest
  @CsvSource(
      textBlock =
          """
          # asked,   loops carry, on the loop, after a stall, carried
          ADAPTIVE,  true,        true,        false,         true
          ADAPTIVE,  false,       false,       false,         false
          LOOP,      true,        true,        true,          true
          SHARED,    true,        false,       false,         false
          SHARED,    false,       false,       false,         false
          """)
  void whatAStallChanges(
      Placement asked, boolean carry, boolean before, boolean after, boolean carried) {
    var method = new MethodPlacement("a.Service/Method", asked, carry, BUDGET, clock);
    assertThat(method.onLoop()).isEqualTo(before);
    assertThat(method.isCarried()).isEqualTo(carried);
    assertThat(method.stalled(LONG)).isEqualTo(before != after);
    assertThat(method.onLoop()).isEqualTo(after);
    assertThat(method.stalls()).isOne();
    assertThat(method.longestNanos()).isEqualTo(LONG);
  }

  @Test
  void itReturnsAfterEnoughShortRunsAndTheBackOff() {
    var method = placed(Placement.ADAPTIVE);
    method.stalled(LONG);
    clock.advance(Duration.ofSeconds(1));
    behave(method, GOOD_RUNS - 1);
    assertThat(method.onLoop()).isFalse();
    behave(method, 1);
    assertThat(method.onLoop()).isTrue();
    assertThat(method.moves()).isEqualTo(2);
  }

  @Test
  void shortRunsBeforeTheBackOffIsOverAreNotForgotten() {
    var method = placed(Placement.ADAPTIVE);
    method.stalled(LONG);
    clock.advance(Duration.ofMillis(999));
    behave(method, 10 * GOOD_RUNS);
    assertThat(method.onLoop()).isFalse();
    clock.advance(Duration.ofMillis(1));
    behave(method, 1);
    assertThat(method.onLoop()).isTrue();
  }

  /// In a surge a hundred calls in a row may be given up while they wait for their thread, of a
  /// method that computes for 10 ms.
  @Test
  void callsThatEndBeforeTheirMethodRunsDoNotBringItBack() {
    var method = placed(Placement.ADAPTIVE);
    method.stalled(LONG);
    clock.advance(Duration.ofHours(1));
    for (int i = 0; i < 10 * GOOD_RUNS; i++) {
      method.notRun();
      behave(method, 1);
    }
    assertThat(method.onLoop()).isFalse();
    behave(method, GOOD_RUNS - 1);
    assertThat(method.onLoop()).isTrue();
  }

  @Test
  void oneLongRunStartsTheCountAnew() {
    var method = placed(Placement.ADAPTIVE);
    method.stalled(LONG);
    clock.advance(Duration.ofHours(1));
    behave(method, GOOD_RUNS - 1);
    method.held(BUDGET);
    behave(method, GOOD_RUNS - 1);
    assertThat(method.onLoop()).isFalse();
    behave(method, 1);
    assertThat(method.onLoop()).isTrue();
  }

  @Test
  void theBackOffDoublesWithEachRelapseUpToItsBound() {
    var method = placed(Placement.ADAPTIVE);
    var backOffs = new ArrayList<Long>();
    for (int i = 0; i < 11; i++) {
      method.stalled(LONG);
      long backOff = method.backOffNanos();
      backOffs.add(backOff / 1_000_000_000);
      behave(method, GOOD_RUNS);
      clock.advance(Duration.ofNanos(backOff - 1));
      behave(method, GOOD_RUNS);
      assertThat(method.onLoop()).as("just before").isFalse();
      clock.advance(Duration.ofNanos(1));
      behave(method, 1);
      assertThat(method.onLoop()).as("just after").isTrue();
    }
    assertThat(backOffs).containsExactly(1L, 2L, 4L, 8L, 16L, 32L, 64L, 128L, 256L, 300L, 300L);
  }

  @Test
  void aLongGoodTimeIsForgivenAShortOneIsNot() {
    var method = placed(Placement.ADAPTIVE);
    for (int i = 0; i < 12; i++) {
      method.stalled(LONG);
      clock.advance(Duration.ofNanos(BACK_OFF_NANOS_MAX));
      behave(method, GOOD_RUNS);
    }
    clock.advance(Duration.ofNanos(FORGIVEN_NANOS - 1));
    method.stalled(LONG);
    assertThat(method.backOffNanos()).isEqualTo(BACK_OFF_NANOS_MAX);
    clock.advance(Duration.ofNanos(BACK_OFF_NANOS_MAX));
    behave(method, GOOD_RUNS);
    clock.advance(Duration.ofNanos(FORGIVEN_NANOS));
    method.stalled(LONG);
    assertThat(method.backOffNanos()).isEqualTo(MethodPlacement.BACK_OFF_NANOS_MIN);
  }

  @Test
  void aSecondLoopThatStallsInTheSameMethodIsCountedAndIsNoRelapse() {
    var method = placed(Placement.ADAPTIVE);
    assertThat(method.stalled(LONG)).isTrue();
    assertThat(method.stalled(2 * LONG)).isFalse();
    assertThat(method.stalls()).isEqualTo(2);
    assertThat(method.moves()).isOne();
    assertThat(method.backOffNanos()).isEqualTo(MethodPlacement.BACK_OFF_NANOS_MIN);
    assertThat(method.longestNanos()).isEqualTo(2 * LONG);
  }

  @Test
  void shortRunsOnTheLoopDoNotCountForALaterReturn() {
    var method = placed(Placement.ADAPTIVE);
    behave(method, 10 * GOOD_RUNS); // stolen ones run elsewhere though the method is on the loop
    method.stalled(LONG);
    clock.advance(Duration.ofHours(1));
    behave(method, 1);
    assertThat(method.onLoop()).isFalse();
  }

  @Test
  void callsAreCountedWhereTheyBegan() {
    var method = placed(Placement.ADAPTIVE);
    for (int i = 0; i < 3; i++) method.startedOnLoop();
    method.startedShared();
    assertThat(method.callsOnLoop()).isEqualTo(3);
    assertThat(method.callsShared()).isOne();
  }

  @Test
  void anAdaptiveMethodIsReportedForEachMoveButNotTwiceAMinute() {
    var method = placed(Placement.ADAPTIVE);
    assertThat(method.tellsOf(true)).isTrue();
    assertThat(method.tellsOf(false)).isFalse();
    clock.advance(Duration.ofNanos(REPORT_NANOS_MIN - 1));
    assertThat(method.tellsOf(true)).isFalse();
    clock.advance(Duration.ofNanos(1));
    assertThat(method.tellsOf(false)).isFalse();
    assertThat(method.tellsOf(true)).isTrue();
  }

  @Test
  void aMethodFixedOnTheLoopIsReportedOnce() {
    var method = placed(Placement.LOOP);
    assertThat(method.tellsOf(false)).isTrue();
    clock.advance(Duration.ofDays(1));
    assertThat(method.tellsOf(false)).isFalse();
  }

  @Test
  void theDefaultIsForMethodsThatSayNothing() {
    var placements = new Placements(Placement.SHARED, Duration.ofMillis(2), true);
    assertThat(placements.of("a/Quiet", Placement.ADAPTIVE).onLoop()).isFalse();
    assertThat(placements.of("a/Loud", Placement.LOOP).onLoop()).isTrue();
  }

  @Test
  void aMethodIsOneHoweverOftenItIsLookedUp() {
    var placements = new Placements(Placement.ADAPTIVE, Duration.ofMillis(2), true);
    var first = placements.of("a/Late", Placement.ADAPTIVE);
    assertThat(placements.of("a/Late", Placement.ADAPTIVE)).isSameAs(first);
    assertThat(placements.all()).containsExactly(first);
  }

  @Test
  void namesWithoutEndShareOnePlacement() {
    var placements = new Placements(Placement.ADAPTIVE, Duration.ofMillis(2), true);
    for (int i = 0; i < 2 * Placements.METHODS_MAX; i++) {
      placements.of("a/" + i, Placement.ADAPTIVE);
    }
    assertThat(placements.all()).hasSize(Placements.METHODS_MAX + 1);
    assertThat(placements.of("a/new", Placement.ADAPTIVE))
        .isSameAs(placements.of("a/newer", Placement.ADAPTIVE));
  }

  @Test
  void aMethodFixedOnLoopsThatCannotCarryItIsRefusedWithTheFlag() {
    var closed = new Placements(Placement.ADAPTIVE, Duration.ofMillis(2), false);
    closed.of("a.Service/Free", Placement.ADAPTIVE);
    closed.of("a.Service/Elsewhere", Placement.SHARED);
    closed.requireCarriers();
    closed.of("a.Service/Fixed", Placement.LOOP);
    assertThatIllegalStateException()
        .isThrownBy(closed::requireCarriers)
        .withMessageContaining("a.Service/Fixed")
        .withMessageContaining("--add-opens java.base/java.lang=ALL-UNNAMED");
    var open = new Placements(Placement.ADAPTIVE, Duration.ofMillis(2), true);
    open.of("a.Service/Fixed", Placement.LOOP);
    open.requireCarriers();
  }
}
