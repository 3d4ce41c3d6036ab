package dev.weftline.internal.http2;

import static dev.weftline.internal.http2.ErrorCode.ENHANCE_YOUR_CALM;
import static dev.weftline.internal.http2.Lifetime.FOREVER;
import static dev.weftline.internal.testing.Frame.END_STREAM;
import static dev.weftline.internal.testing.Frame.data;
import static dev.weftline.internal.testing.Frame.headers;
import static dev.weftline.internal.testing.Frame.ping;
import static dev.weftline.internal.testing.Frame.pingAck;
import static org.assertj.core.api.Assertions.assertThat;

import dev.weftline.internal.http.ConnectionEnd;
import dev.weftline.internal.http.ExchangeHandler.Close;
import dev.weftline.internal.testing.Frame;
import dev.weftline.internal.testing.InMemoryLoop;
import dev.weftline.internal.testing.Invariants;
import dev.weftline.internal.testing.ScriptedPeer;
import java.time.Duration;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/// gRPC's A8 and A9: PINGs of ours that find out whether the peer is there, and PINGs of the peer's
/// that come too often.
@ExtendWith(Invariants.class)
class KeepaliveTest {
  private static final Duration SECOND = Duration.ofSeconds(1);
  private static final Duration MINUTE = Duration.ofMinutes(1);

  /// A PING after a minute, gone after 20 s.
  private static final Lifetime PINGS =
      new Lifetime(MINUTE.toNanos(), 20 * SECOND.toNanos(), 0, true, FOREVER, FOREVER, FOREVER);

  private InMemoryLoop loop;

  @BeforeEach
  void on(InMemoryLoop loop) {
    this.loop = loop;
  }

  private ScriptedPeer peer(Lifetime lifetime) {
    return new ScriptedPeer(loop.connection(Http2Limits.DEFAULT, lifetime)).shakesHands();
  }

  /// Which client pings are permitted.
  private static Lifetime permits(Duration time, boolean idle) {
    return new Lifetime(FOREVER, FOREVER, time.toNanos(), idle, FOREVER, FOREVER, FOREVER);
  }

  private void passes(int seconds) {
    for (int i = 0; i < seconds; i++) loop.passes(SECOND);
  }

  @Test
  void aPeerThatSaysNothingIsPingedAndStaysWhenItAnswers() {
    var peer = peer(PINGS);
    peer.ignoresPings();
    for (int round = 0; round < 3; round++) {
      passes(58);
      assertThat(peer.takesAll()).noneMatch(Frame.Ping.class::isInstance);
      passes(18); // a quarter late at most
      peer.sends(pingAck(peer.expectsKind(Frame.Ping.class).octets()));
    }
    assertThat(peer.isOpen()).isTrue();
    assertThat(loop.exchanges().endings()).isEmpty();
  }

  @Test
  void aPeerThatDoesNotAnswerIsGone() {
    var peer = peer(PINGS);
    peer.ignoresPings();
    peer.sends(headers(1, "/echo"));
    passes(77);
    peer.expectsLater(Frame.Ping.class);
    passes(14);
    assertThat(peer.isOpen()).isTrue();
    passes(8);
    assertThat(peer.isOpen()).isFalse();
    assertThat(loop.exchanges().endings()).containsExactly(ConnectionEnd.KEEPALIVE_TIMEOUT);
    assertThat(loop.exchanges().get(0).close()).isInstanceOf(Close.ConnectionLost.class);
  }

  /// A8: the timeout runs out "not receiving any bytes".
  @Test
  void whateverComesIsASignOfLife() {
    var peer = peer(PINGS);
    peer.ignoresPings();
    passes(77);
    peer.expectsKind(Frame.Ping.class);
    passes(10);
    peer.sends(Frame.priority(1, 0, 1));
    passes(40);
    assertThat(peer.isOpen()).isTrue();
  }

  @Test
  void aPeerThatIsHeardIsNotPinged() {
    var peer = peer(PINGS);
    for (int i = 0; i < 30; i++) {
      passes(10);
      peer.sends(Frame.priority(1, 0, 1));
      assertThat(peer.takesAll()).noneMatch(Frame.Ping.class::isInstance);
    }
  }

  /// A8: three that come too early, with nothing between them, after the first.
  @Test
  void pingsThatComeTooOftenEndTheConnection() {
    var peer = peer(permits(MINUTE, true));
    for (int i = 0; i < 3; i++) {
      peer.sends(ping(i));
      peer.expects(pingAck(i));
      passes(10);
    }
    peer.sends(ping(4));
    assertThat(peer.expectsGoAway(ENHANCE_YOUR_CALM).debug()).isEqualTo("too_many_pings");
    assertThat(loop.exchanges().endings()).containsExactly(ConnectionEnd.TOO_MANY_PINGS);
  }

  @Test
  void pingsAtThePermittedRateMayGoOn() {
    var peer = peer(permits(MINUTE, true));
    for (int i = 0; i < 50; i++) {
      peer.sends(ping(i));
      peer.expects(pingAck(i));
      passes(60);
    }
  }

  /// A8: without calls, and without permission, two hours.
  @Test
  void idlePingsNeedPermission() {
    var peer = peer(permits(MINUTE, false));
    for (int i = 0; i < 3; i++) {
      peer.sends(ping(i));
      peer.expects(pingAck(i));
      passes(60);
    }
    peer.sends(ping(4));
    peer.expectsGoAway(ENHANCE_YOUR_CALM);

    var working = peer(permits(MINUTE, false));
    working.sends(headers(1, "/silent"));
    for (int i = 0; i < 10; i++) {
      working.sends(ping(i));
      working.expects(pingAck(i));
      passes(60);
    }
  }

  /// A8: what measures the bandwidth pings with each DATA frame it reads.
  @Test
  void pingsThatGoWithDataAreFree() {
    var peer = peer(permits(MINUTE, false)).givesCredit();
    peer.sends(headers(1, "/echo"));
    peer.expectsKind(Frame.Headers.class);
    for (int i = 0; i < 200; i++) {
      peer.sends(data(1, "x"));
      peer.expects(data(1, "x"));
      peer.sends(ping(i));
      peer.expects(pingAck(i));
    }
  }

  /// nghttpx makes sure of an idle connection before it sends a request on it; the replies may take
  /// long.
  @Test
  void aPingBeforeEachRequestIsFree() {
    var peer = peer(permits(MINUTE, false));
    for (int i = 0; i < 50; i++) {
      peer.sends(ping(i));
      peer.expects(pingAck(i));
      peer.sends(headers(2 * i + 1, "/silent", END_STREAM));
      passes(2);
    }
  }
}
