package dev.weftline.internal.http2;

import static dev.weftline.internal.http2.ErrorCode.NO_ERROR;
import static dev.weftline.internal.http2.Lifetime.FOREVER;
import static dev.weftline.internal.testing.Frame.END_STREAM;
import static dev.weftline.internal.testing.Frame.data;
import static dev.weftline.internal.testing.Frame.headers;
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

/// gRPC's A9: connections that are idle or old are drained (RFC 9113 §6.8).
@ExtendWith(Invariants.class)
class ConnectionAgeTest {
  private static final Duration SECOND = Duration.ofSeconds(1);

  private InMemoryLoop loop;

  @BeforeEach
  void on(InMemoryLoop loop) {
    this.loop = loop;
  }

  private ScriptedPeer peer(Lifetime lifetime) {
    return new ScriptedPeer(loop.connection(Http2Limits.DEFAULT, lifetime)).shakesHands();
  }

  private static Lifetime idle(int seconds) {
    return new Lifetime(FOREVER, FOREVER, 0, true, seconds * SECOND.toNanos(), FOREVER, FOREVER);
  }

  private static Lifetime age(int seconds, long graceNanos) {
    return new Lifetime(FOREVER, FOREVER, 0, true, FOREVER, seconds * SECOND.toNanos(), graceNanos);
  }

  private void passes(int seconds) {
    for (int i = 0; i < seconds; i++) loop.passes(SECOND);
  }

  private static void expectsGoAway(ScriptedPeer peer, int lastId, String debug) {
    var goAway = peer.expectsLater(Frame.GoAway.class);
    assertThat(goAway.code()).isEqualTo(NO_ERROR.code());
    assertThat(goAway.lastStreamId()).isEqualTo(lastId);
    assertThat(goAway.debug()).isEqualTo(debug);
  }

  @Test
  void aConnectionWithoutStreamsIsDrained() {
    var peer = peer(idle(100));
    passes(98);
    assertThat(peer.takesAll()).noneMatch(Frame.GoAway.class::isInstance);
    passes(27);
    expectsGoAway(peer, Integer.MAX_VALUE, "max_idle");
    expectsGoAway(peer, 0, "max_idle");
    peer.expectsClose();
    assertThat(loop.exchanges().endings()).containsExactly(ConnectionEnd.MAX_IDLE);
  }

  @Test
  void anOpenStreamKeepsAConnection() {
    var peer = peer(idle(100));
    peer.sends(headers(1, "/echo"));
    passes(1_000);
    assertThat(peer.takesAll()).noneMatch(Frame.GoAway.class::isInstance);
    peer.sends(data(1, "x", END_STREAM));
    passes(98);
    assertThat(peer.takesAll()).noneMatch(Frame.GoAway.class::isInstance);
    passes(27);
    expectsGoAway(peer, Integer.MAX_VALUE, "max_idle");
  }

  @Test
  void shortCallsKeepAConnection() {
    var peer = peer(idle(100));
    for (int i = 0; i < 10; i++) {
      passes(90);
      peer.callsSuccessfully("/echo");
    }
  }

  @Test
  void anOldConnectionIsDrainedAndItsStreamsFinish() {
    var peer = peer(age(1_000, FOREVER));
    peer.sends(headers(1, "/echo"));
    passes(899);
    assertThat(peer.takesAll()).noneMatch(Frame.GoAway.class::isInstance);
    passes(202);
    expectsGoAway(peer, Integer.MAX_VALUE, "max_age");
    expectsGoAway(peer, 1, "max_age");
    passes(10_000);
    peer.sends(data(1, "late", END_STREAM));
    peer.expects(data(1, "late", END_STREAM));
    peer.expectsClose();
    assertThat(loop.exchanges().get(0).close()).isEqualTo(Close.COMPLETED);
    assertThat(loop.exchanges().endings()).containsExactly(ConnectionEnd.MAX_AGE);
  }

  @Test
  void theGraceOfAnOldConnectionEndsItsStreams() {
    var peer = peer(age(1_000, 30 * SECOND.toNanos()));
    peer.sends(headers(1, "/echo"));
    peer.expectsKind(Frame.Headers.class);
    for (int i = 0; i < 220 && peer.goAwayCode() < 0; i++) passes(i == 0 ? 890 : 1);
    expectsGoAway(peer, Integer.MAX_VALUE, "max_age");
    expectsGoAway(peer, 1, "max_age");
    passes(28);
    assertThat(peer.isOpen()).isTrue();
    passes(3);
    peer.expectsClose();
    assertThat(loop.exchanges().get(0).close()).isInstanceOf(Close.ConnectionLost.class);
  }

  /// A9: a tenth, lest connections that came together leave together.
  @Test
  void agesDiffer() {
    var lifetime = age(1_000, FOREVER);
    var peers = new ScriptedPeer[20];
    for (int i = 0; i < peers.length; i++) peers[i] = peer(lifetime);
    int ended = 0;
    int seconds = 0; // in which some ended
    for (int second = 0; second < 1_110; second++) {
      passes(1);
      int now = loop.exchanges().endings().size();
      if (now > ended) seconds++;
      ended = now;
    }
    assertThat(ended).isEqualTo(peers.length);
    assertThat(seconds).isGreaterThan(5);
  }
}
