package dev.weftline.internal.http2;

import static dev.weftline.internal.testing.Frame.END_STREAM;
import static dev.weftline.internal.testing.Frame.INITIAL_WINDOW_SIZE;
import static dev.weftline.internal.testing.Frame.headers;
import static dev.weftline.internal.testing.Frame.settings;
import static dev.weftline.internal.testing.Frame.windowUpdate;
import static org.assertj.core.api.Assertions.assertThat;

import dev.weftline.internal.testing.Frame;
import dev.weftline.internal.testing.InMemoryLoop;
import dev.weftline.internal.testing.Invariants;
import dev.weftline.internal.testing.ScriptedPeer;
import dev.weftline.internal.testing.SocketLoop;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/// CVE-2019-9511: a reply dribbled out octet by octet, each with its own frame.
@ExtendWith(Invariants.class)
class OneByteWindowStallTest {
  /// The peer pays a WINDOW_UPDATE of 13 octets for each DATA frame of 10: no gain for it.
  @Test
  void anOctetOfCreditCostsOneFrame(InMemoryLoop loop) {
    var attacker = loop.peer();
    attacker.sends(settings(INITIAL_WINDOW_SIZE, 0), headers(1, "/flood/100000", END_STREAM));
    attacker.takesAll();
    for (int i = 0; i < 20_000; i++) {
      attacker.sends(windowUpdate(1, 1));
      var frames = attacker.takesAll();
      assertThat(frames).hasSize(1);
      assertThat(((Frame.Data) frames.getFirst()).octets()).hasSize(1);
    }
    assertThat(loop.bufferBytes()).isLessThan(64 << 10);
  }

  /// Credit for many streams in one batch is still one write.
  @Test
  void manyDribblingStreamsAreWrittenTogether(InMemoryLoop loop) {
    var link = loop.connection(Http2Limits.DEFAULT);
    var attacker = new ScriptedPeer(link).shakesHands();
    attacker.sends(settings(INITIAL_WINDOW_SIZE, 0));
    var updates = new Frame[500];
    for (int i = 0; i < 500; i++) {
      attacker.sends(headers(2 * i + 1, "/dump/100", END_STREAM));
      updates[i] = windowUpdate(2 * i + 1, 1);
    }
    attacker.takesAll();
    int writes = link.writes();
    attacker.sends(updates);
    assertThat(attacker.takesAll()).hasSize(500);
    assertThat(link.writes() - writes).isEqualTo(1);
  }

  @Test
  void othersOnTheLoopAreServedMeanwhile(SocketLoop loop) {
    var attacker = loop.peer();
    var other = loop.peer();
    attacker.sends(settings(INITIAL_WINDOW_SIZE, 1));
    for (int i = 0; i < 100; i++) {
      attacker.sends(headers(2 * i + 1, "/flood/100000", END_STREAM));
    }
    for (int round = 0; round < 100; round++) {
      for (int i = 0; i < 100; i++) attacker.sends(windowUpdate(2 * i + 1, 1));
      other.callsSuccessfully("/echo");
    }
    assertThat(loop.bufferBytes()).isLessThan(1 << 20);
  }
}
