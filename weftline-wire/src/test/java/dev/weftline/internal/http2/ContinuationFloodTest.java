package dev.weftline.internal.http2;

import static dev.weftline.internal.http2.ErrorCode.ENHANCE_YOUR_CALM;
import static dev.weftline.internal.testing.Frame.raw;
import static dev.weftline.internal.testing.Frame.request;
import static org.assertj.core.api.Assertions.assertThat;

import dev.weftline.internal.testing.InMemoryLoop;
import dev.weftline.internal.testing.Invariants;
import dev.weftline.internal.testing.ScriptedPeer;
import dev.weftline.internal.testing.SocketLoop;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// CVE-2024-27316 and its kin: a field block that never ends.
@ExtendWith(Invariants.class)
class ContinuationFloodTest {
  @ParameterizedTest
  @ValueSource(ints = {0, 1, 100, 16_384})
  void aFieldBlockWithoutEndIsCutOff(int fragmentBytes, InMemoryLoop loop) {
    var attacker = loop.peer();
    attacker.sends(raw(1, 0, 1, attacker.fieldBlock(request("GET", "/silent"))));
    for (int i = 0; i < 10_000 && attacker.goAwayCode() < 0; i++) {
      attacker.sends(raw(9, 0, 1, "\0".repeat(fragmentBytes)));
      assertThat(loop.bufferBytes()).isLessThan(512 << 10);
    }
    attacker.expectsGoAway(ENHANCE_YOUR_CALM);
    assertThat(loop.exchanges().total()).isZero();
    loop.peer().callsSuccessfully("/echo");
  }

  /// A block under way costs what arrived, also on many connections that stop in the middle.
  @Test
  void unfinishedFieldBlocksAreBounded(InMemoryLoop loop) {
    for (int i = 0; i < 50; i++) {
      var attacker = loop.peer();
      attacker.sends(raw(1, 0, 1, "\0".repeat(16_000)), raw(9, 0, 1, "\0".repeat(16_000)));
    }
    assertThat(loop.bufferBytes()).isLessThan(50 * (144 << 10));
    loop.peer().callsSuccessfully("/echo");
  }

  @Test
  void othersOnTheLoopAreServedMeanwhile(SocketLoop loop) {
    var other = loop.peer();
    for (int i = 0; i < 5; i++) {
      ScriptedPeer attacker = loop.peer();
      attacker.sends(raw(1, 0, 1, ""));
      for (int j = 0; j < 100; j++) attacker.sends(raw(9, 0, 1, "\0".repeat(1_000)));
      other.callsSuccessfully("/echo");
      attacker.expectsGoAway(ENHANCE_YOUR_CALM);
    }
    assertThat(loop.bufferBytes()).isLessThan(1 << 20);
  }
}
