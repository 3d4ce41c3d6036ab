package dev.weftline.internal.http2;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

/// RFC 9113 §6.9: when credit goes back.
final class ReceiveWindowTest {
  @Test
  void creditGoesBackByHalfAWindow() {
    var window = new ReceiveWindow(1_000);
    assertThat(window.take(800)).isTrue();
    assertThat(window.giveBack(400)).isZero();
    assertThat(window.giveBack(200)).isEqualTo(600);
    assertThat(window.bytesAvailable()).isEqualTo(800);
  }

  @Test
  void whileThePeerIsToHaveLessCreditIsKeptBackUntilItHasLess() {
    var window = new ReceiveWindow(1_000);
    assertThat(window.take(600)).isTrue();
    assertThat(window.giveBack(600, 100)).as("it still has 400").isZero();
    assertThat(window.take(360)).isTrue();
    assertThat(window.giveBack(360, 100)).isEqualTo(60);
    assertThat(window.bytesAvailable()).isEqualTo(100);
    assertThat(window.bytesUncredited()).isZero();
  }

  @Test
  void whatWasKeptBackGoesBackAfterwards() {
    var window = new ReceiveWindow(1_000);
    assertThat(window.take(900)).isTrue();
    assertThat(window.giveBack(800, 100)).isZero();
    assertThat(window.giveBack(100)).isEqualTo(900);
    assertThat(window.bytesAvailable()).isEqualTo(1_000);
  }

  /// However little it may have, a peer that has nothing gets something.
  @Test
  void anEmptyWindowIsAlwaysFilledAgain() {
    var window = new ReceiveWindow(1_000);
    assertThat(window.take(1_000)).isTrue();
    assertThat(window.giveBack(1, 100)).isEqualTo(1);
    assertThat(window.giveBack(999, 100)).isEqualTo(99);
  }
}
