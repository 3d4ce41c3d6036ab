package dev.weftline.internal.http2;

import static dev.weftline.internal.http2.ErrorCode.FLOW_CONTROL_ERROR;
import static dev.weftline.internal.http2.ErrorCode.PROTOCOL_ERROR;
import static dev.weftline.internal.testing.Frame.END_STREAM;
import static dev.weftline.internal.testing.Frame.data;
import static dev.weftline.internal.testing.Frame.headers;
import static dev.weftline.internal.testing.Frame.request;
import static org.assertj.core.api.Assertions.assertThat;

import dev.weftline.internal.testing.Frame;
import dev.weftline.internal.testing.InMemoryLoop;
import dev.weftline.internal.testing.Invariants;
import dev.weftline.internal.testing.ScriptedPeer;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/// RFC 7540 §3.2: the engine behind `101 Switching Protocols`. RFC 9113 §3.1 dropped it; clients
/// that do it are still met.
@ExtendWith(Invariants.class)
class UpgradeTest {
  private InMemoryLoop.Connection link;
  private ScriptedPeer peer;

  @BeforeEach
  void connects(InMemoryLoop loop) {
    link = loop.connection(Http2Limits.DEFAULT);
    peer = new ScriptedPeer(link).wasUpgraded();
  }

  @Test
  void theUpgradedRequestIsStream1() {
    link.engine().upgraded(request("GET", "/hello"), new byte[0]);
    peer.expectsKind(Frame.Settings.class);
    assertThat(peer.receivesReply(1).body()).isEqualTo("hello");
  }

  /// RFC 7540 §3.2.1: HTTP2-Settings holds as if a SETTINGS frame had brought it.
  @Test
  void theSettingsOfTheUpgradeHold() {
    link.engine().upgraded(request("GET", "/dump/10"), new byte[] {0, 4, 0, 0, 0, 4});
    peer.expectsKind(Frame.Settings.class);
    peer.expectsKind(Frame.Headers.class);
    assertThat(peer.expectsKind(Frame.Data.class).octets()).hasSize(4);
    peer.expectsNothing();
  }

  /// RFC 7540 §3.2: the client then sends its preface, and goes on.
  @Test
  void theClientGoesOnWithItsPreface() {
    link.engine().upgraded(request("GET", "/hello"), new byte[0]);
    peer.shakesHands();
    peer.callsSuccessfully("/echo");
    assertThat(peer.receivesReply(1).body()).isEqualTo("hello");
  }

  /// RFC 7540 §3.2: stream 1 is half-closed on the client's side.
  @Test
  void stream1TakesNoBody() {
    link.engine().upgraded(request("GET", "/silent"), new byte[0]);
    peer.shakesHands();
    peer.sends(data(1, "x", END_STREAM));
    peer.expectsReset(1, ErrorCode.STREAM_CLOSED);
  }

  @Test
  void stream1IsTaken() {
    link.engine().upgraded(request("GET", "/hello"), new byte[0]);
    peer.shakesHands();
    peer.receivesReply(1);
    peer.sends(headers(1, "/hello", END_STREAM));
    peer.expectsGoAway(ErrorCode.STREAM_CLOSED);
  }

  @Test
  void settingsThatAreNoneEndTheConnection() {
    link.engine().upgraded(request("GET", "/hello"), new byte[5]);
    peer.expectsGoAway(PROTOCOL_ERROR);
  }

  @Test
  void settingsOutOfRangeEndTheConnection() {
    link.engine().upgraded(request("GET", "/hello"), new byte[] {0, 4, -1, -1, -1, -1});
    peer.expectsGoAway(FLOW_CONTROL_ERROR);
  }

  @Test
  void aClientThatGoesAwayBeforeItsPrefaceClosesItsExchange(InMemoryLoop loop) {
    link.engine().upgraded(request("GET", "/silent"), new byte[0]);
    peer.closes();
    assertThat(loop.exchanges().last().close()).isNotNull();
  }
}
