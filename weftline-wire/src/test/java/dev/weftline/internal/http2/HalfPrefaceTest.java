package dev.weftline.internal.http2;

import static org.assertj.core.api.Assertions.assertThat;

import dev.weftline.internal.testing.InMemoryLoop;
import dev.weftline.internal.testing.Invariants;
import dev.weftline.internal.testing.ScriptedPeer;
import dev.weftline.internal.testing.SocketLoop;
import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// A connection that begins and then says nothing more holds a socket for the handshake's time, and
/// no longer.
@ExtendWith(Invariants.class)
class HalfPrefaceTest {
  private static final Http2Limits LIMITS =
      new Http2Limits(100, 16 << 10, 65_535, 65_535, 200, 4_096);

  @ParameterizedTest
  @ValueSource(ints = {0, 1, 12, 23, 24, 30})
  void aPeerThatStopsInTheMiddleIsClosed(int octets, InMemoryLoop loop) {
    var attacker = loop.silentPeer(LIMITS);
    // The preface, and the beginning of a SETTINGS frame.
    attacker.sendsRaw((ScriptedPeer.PREFACE + "\0\0\0\4\0\0").substring(0, octets));
    loop.passes(Duration.ofMillis(199));
    assertThat(attacker.isOpen()).isTrue();
    loop.passes(Duration.ofMillis(2));
    attacker.expectsGoAway(ErrorCode.SETTINGS_TIMEOUT);
    assertThat(loop.exchanges().total()).isZero();
  }

  /// An octet now and then does not buy more time.
  @Test
  void aPeerThatDribblesIsClosedAllTheSame(InMemoryLoop loop) {
    var attacker = loop.silentPeer(LIMITS);
    for (int i = 0; i < 24 && attacker.isOpen(); i++) {
      attacker.sendsRaw(ScriptedPeer.PREFACE.substring(i, i + 1));
      loop.passes(Duration.ofMillis(50));
    }
    attacker.expectsClose();
  }

  @Test
  void othersOnTheLoopAreServedMeanwhile(SocketLoop loop) {
    var attackers = new ScriptedPeer[100];
    for (int i = 0; i < attackers.length; i++) {
      attackers[i] = loop.silentPeer(LIMITS);
      attackers[i].sendsRaw(ScriptedPeer.PREFACE.substring(0, 12));
    }
    var other = loop.peer();
    for (int i = 0; i < 20; i++) other.callsSuccessfully("/echo");
    for (var attacker : attackers) attacker.expectsClose();
    other.callsSuccessfully("/echo");
    assertThat(loop.bufferBytes()).isLessThan(256 << 10);
  }
}
