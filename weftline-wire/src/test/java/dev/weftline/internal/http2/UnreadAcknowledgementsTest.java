package dev.weftline.internal.http2;

import static dev.weftline.internal.testing.Frame.END_STREAM;
import static dev.weftline.internal.testing.Frame.headers;
import static dev.weftline.internal.testing.Frame.ping;
import static dev.weftline.internal.testing.Frame.settings;
import static dev.weftline.internal.testing.Frame.windowUpdate;
import static org.assertj.core.api.Assertions.assertThat;

import dev.weftline.internal.testing.Frame;
import dev.weftline.internal.testing.InMemoryLoop;
import dev.weftline.internal.testing.Invariants;
import dev.weftline.internal.testing.ScriptedPeer;
import dev.weftline.internal.testing.SocketLoop;
import java.time.Duration;
import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/// CVE-2019-9512, CVE-2019-9515, CVE-2019-9517: what wants an answer, from a peer that reads none.
/// At a rate that no budget objects to, so that only the memory it costs can stop it.
@ExtendWith(Invariants.class)
class UnreadAcknowledgementsTest {
  enum Question {
    PING,
    SETTINGS,
    MALFORMED_STREAM,
    REQUEST;

    Frame frame(ScriptedPeer peer) {
      return switch (this) {
        case PING -> ping(1);
        case SETTINGS -> settings();
        case MALFORMED_STREAM -> headers(peer.newStreamId(), Frame.fields(), END_STREAM);
        case REQUEST -> headers(peer.newStreamId(), "/dump/1000", END_STREAM);
      };
    }
  }

  @ParameterizedTest
  @EnumSource
  void answersThatAreNotReadAreBounded(Question question, InMemoryLoop loop) {
    loop.exchanges().forgets();
    var link = loop.connection(Http2Limits.DEFAULT);
    var attacker = new ScriptedPeer(link).shakesHands();
    link.stopsReading();
    for (int second = 0; second < 200 && attacker.isOpen(); second++) {
      for (int i = 0; i < 150; i++) attacker.sends(question.frame(attacker));
      assertThat(loop.bufferBytes()).isLessThan(512 << 10);
      assertThat(loop.exchanges().open()).isLessThanOrEqualTo(Http2Limits.DEFAULT.streamsMax());
      loop.passes(Duration.ofSeconds(1));
    }
    assertThat(attacker.isOpen()).isFalse();
    loop.peer().callsSuccessfully("/echo");
  }

  /// A peer that only pauses is no attacker: everything is there when it reads again.
  @Test
  void aPeerThatReadsLateGetsItsAnswers(InMemoryLoop loop) {
    var link = loop.connection(Http2Limits.DEFAULT);
    var peer = new ScriptedPeer(link).shakesHands();
    link.stopsReading();
    for (int i = 0; i < 500; i++) peer.sends(ping(i));
    peer.sends(headers(1, "/dump/100000", END_STREAM), headers(3, "/hello", END_STREAM));
    peer.sends(windowUpdate(0, 100_000), windowUpdate(1, 100_000));
    link.readsAgain();
    for (int i = 0; i < 500; i++) peer.expects(Frame.pingAck(i));
    assertThat(peer.receivesReply(3).body()).isEqualTo("hello");
    assertThat(peer.receivesReply(1).body()).hasSize(100_000);
  }

  @Test
  void othersOnTheLoopAreServedMeanwhile(SocketLoop loop) {
    var attacker = loop.peer();
    var other = loop.peer();
    var pings = new Frame[1_000];
    Arrays.fill(pings, ping(1));
    for (int round = 0; round < 30; round++) {
      attacker.sends(pings);
      other.callsSuccessfully("/echo");
    }
    attacker.expectsClose();
    other.callsSuccessfully("/echo");
    assertThat(loop.bufferBytes()).isLessThan(1 << 20);
  }
}
