package dev.weftline.internal.http2;

import static dev.weftline.internal.http2.ErrorCode.ENHANCE_YOUR_CALM;
import static org.assertj.core.api.Assertions.assertThat;

import dev.weftline.internal.testing.Frame;
import dev.weftline.internal.testing.InMemoryLoop;
import dev.weftline.internal.testing.Invariants;
import dev.weftline.internal.testing.SocketLoop;
import java.time.Duration;
import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/// A flood of one kind of frame without content: what each of them must come to. A test class per
/// attack says which frame.
@ExtendWith(Invariants.class)
abstract class OverheadFlood {
  private final Frame frame;

  OverheadFlood(Frame frame) {
    this.frame = frame;
  }

  @Test
  void aPeerThatFloodsIsClosed(InMemoryLoop loop) {
    var attacker = loop.peer();

    for (int sent = 0; sent < 100_000 && attacker.goAwayCode() < 0; sent += 100) {
      attacker.sends(burst(100));
      attacker.takesAll();
      assertThat(loop.bufferBytes()).isLessThan(1 << 20);
    }
    assertThat(attacker.goAwayCode()).isEqualTo(ENHANCE_YOUR_CALM.code());
    attacker.expectsClose();
    loop.peer().callsSuccessfully("/echo");
  }

  @Test
  void aPeerThatKeepsToAnHonestRateIsNot(InMemoryLoop loop) {
    var peer = loop.peer();

    for (int second = 0; second < 40; second++) {
      peer.sends(burst(AbuseBudget.OVERHEAD_PER_SECOND_MAX / 2));
      peer.takesAll();
      loop.passes(Duration.ofSeconds(1));
    }
    peer.callsSuccessfully("/echo");
  }

  @Test
  void othersOnTheLoopAreServedMeanwhile(SocketLoop loop) {
    loop.stopsTheClock();
    var attacker = loop.peer();
    var other = loop.peer();

    for (int round = 0; round < 30; round++) {
      attacker.sends(burst(1_000));
      other.callsSuccessfully("/echo");
    }
    attacker.expectsClose();
    other.callsSuccessfully("/echo");
    assertThat(loop.bufferBytes()).isLessThan(1 << 20);
  }

  private Frame[] burst(int frames) {
    var burst = new Frame[frames];
    Arrays.fill(burst, frame);
    return burst;
  }
}
