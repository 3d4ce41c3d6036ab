package dev.weftline.internal.http2;

import static dev.weftline.internal.http2.ErrorCode.CANCEL;
import static dev.weftline.internal.http2.ErrorCode.ENHANCE_YOUR_CALM;
import static dev.weftline.internal.testing.Frame.END_STREAM;
import static dev.weftline.internal.testing.Frame.headers;
import static dev.weftline.internal.testing.Frame.request;
import static dev.weftline.internal.testing.Frame.rstStream;
import static org.assertj.core.api.Assertions.assertThat;

import dev.weftline.internal.testing.InMemoryLoop;
import dev.weftline.internal.testing.Invariants;
import dev.weftline.internal.testing.ScriptedPeer;
import dev.weftline.internal.testing.SocketLoop;
import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/// CVE-2023-44487: streams opened and reset at once, each costing the server a request and the
/// client nothing.
@ExtendWith(Invariants.class)
class RapidResetTest {
  @Test
  void aPeerThatOpensAndResetsWithoutEndIsClosed(InMemoryLoop loop) {
    var attacker = loop.peer();
    opensAndResets(attacker, 10_000);
    attacker.expectsGoAway(ENHANCE_YOUR_CALM);
    assertThat(loop.exchanges().total()).isEqualTo(Http2Limits.DEFAULT.streamsMax() + 1);
  }

  @Test
  void othersOnTheLoopAreServedMeanwhile(SocketLoop loop) {
    var attacker = loop.peer();
    var other = loop.peer();
    for (int round = 0; round < 20; round++) {
      opensAndResets(attacker, 100);
      other.callsSuccessfully("/echo");
    }
    attacker.expectsGoAway(ENHANCE_YOUR_CALM);
    other.callsSuccessfully("/echo");
    assertThat(loop.bufferBytes()).isLessThan(1 << 20);
  }

  /// Long-lived connections cancel calls legitimately, all their life.
  @Test
  void aPeerThatCancelsNowAndThenIsNotClosed(InMemoryLoop loop) {
    var peer = loop.peer();
    for (int second = 0; second < 30; second++) {
      opensAndResets(peer, AbuseBudget.RESETS_PER_SECOND_MAX);
      loop.passes(Duration.ofSeconds(1));
    }
    peer.callsSuccessfully("/echo");
    assertThat(loop.exchanges().total()).isEqualTo(30 * AbuseBudget.RESETS_PER_SECOND_MAX + 1);
  }

  /// A client that ends may give up everything it has under way.
  @Test
  void allOpenStreamsMayBeResetAtOnce(InMemoryLoop loop) {
    var peer = loop.peer();
    int streams = Http2Limits.DEFAULT.streamsMax();
    for (int i = 0; i < streams; i++) peer.sends(headers(2 * i + 1, "/silent", END_STREAM));
    for (int i = 0; i < streams; i++) peer.sends(rstStream(2 * i + 1, CANCEL));
    peer.callsSuccessfully("/echo");
  }

  /// What waits for a window is forgotten when its stream is reset, however many there are.
  @Test
  void resetStreamsThatWaitedForAWindowAreForgotten(InMemoryLoop loop) {
    loop.exchanges().forgets();
    var peer = loop.peer();
    peer.sends(headers(peer.newStreamId(), "/dump/65535", END_STREAM));
    long before = HeapProbe.usedBytes();
    for (int second = 0; second < 25; second++) {
      for (int i = 0; i < AbuseBudget.RESETS_PER_SECOND_MAX; i++) {
        int streamId = peer.newStreamId();
        var request = request("GET", "/dump/100").add("x", streamId + "x".repeat(4_000));
        peer.sends(headers(streamId, request, END_STREAM));
        peer.sends(rstStream(streamId, CANCEL));
      }
      peer.takesAll();
      loop.passes(Duration.ofSeconds(1));
    }
    assertThat(HeapProbe.usedBytes() - before).as("heap after 5,000 streams").isLessThan(8 << 20);
    assertThat(peer.isOpen()).isTrue();
  }

  private static void opensAndResets(ScriptedPeer peer, int streams) {
    for (int i = 0; i < streams; i++) {
      int streamId = peer.newStreamId();
      peer.sends(headers(streamId, "/silent", END_STREAM), rstStream(streamId, CANCEL));
    }
  }
}
