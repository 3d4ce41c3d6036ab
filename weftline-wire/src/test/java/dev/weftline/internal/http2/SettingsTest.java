package dev.weftline.internal.http2;

import static dev.weftline.internal.http2.ErrorCode.FLOW_CONTROL_ERROR;
import static dev.weftline.internal.http2.ErrorCode.FRAME_SIZE_ERROR;
import static dev.weftline.internal.http2.ErrorCode.PROTOCOL_ERROR;
import static dev.weftline.internal.http2.ErrorCode.SETTINGS_TIMEOUT;
import static dev.weftline.internal.testing.Frame.END_STREAM;
import static dev.weftline.internal.testing.Frame.HEADER_TABLE_SIZE;
import static dev.weftline.internal.testing.Frame.INITIAL_WINDOW_SIZE;
import static dev.weftline.internal.testing.Frame.MAX_CONCURRENT_STREAMS;
import static dev.weftline.internal.testing.Frame.MAX_FRAME_SIZE;
import static dev.weftline.internal.testing.Frame.MAX_HEADER_LIST_SIZE;
import static dev.weftline.internal.testing.Frame.data;
import static dev.weftline.internal.testing.Frame.headers;
import static dev.weftline.internal.testing.Frame.raw;
import static dev.weftline.internal.testing.Frame.settings;
import static dev.weftline.internal.testing.Frame.settingsAck;
import static org.assertj.core.api.Assertions.assertThat;

import dev.weftline.internal.testing.Frame;
import dev.weftline.internal.testing.InMemoryLoop;
import dev.weftline.internal.testing.Invariants;
import dev.weftline.internal.testing.ScriptedPeer;
import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// RFC 9113 §3.4 and §6.5.
@ExtendWith(Invariants.class)
class SettingsTest {
  /// RFC 9113 §3.4: the server's preface is its SETTINGS, which need not wait for the client's.
  @Test
  void ourSettingsComeBeforeThePeerSaysAnything(InMemoryLoop loop) {
    var limits = new Http2Limits(77, 9_000, 20_000, 20_000, 1_000, 2_048);
    var settings = loop.silentPeer(limits).expectsKind(Frame.Settings.class).settings();
    assertThat(settings)
        .contains(
            new Frame.Setting(MAX_CONCURRENT_STREAMS, 77),
            new Frame.Setting(MAX_HEADER_LIST_SIZE, 9_000),
            new Frame.Setting(INITIAL_WINDOW_SIZE, 20_000),
            new Frame.Setting(HEADER_TABLE_SIZE, 2_048));
  }

  /// RFC 9113 §3.4: the first frame is SETTINGS.
  @Test
  void anotherFirstFrameEndsTheConnection(InMemoryLoop loop) {
    var peer = loop.silentPeer(Http2Limits.DEFAULT);
    peer.sendsRaw(ScriptedPeer.PREFACE);
    peer.sends(Frame.ping(1));
    peer.expectsGoAway(PROTOCOL_ERROR);
  }

  @Test
  void aRequestBeforeSettingsEndsTheConnection(InMemoryLoop loop) {
    var peer = loop.silentPeer(Http2Limits.DEFAULT);
    peer.sendsRaw(ScriptedPeer.PREFACE);
    peer.sends(headers(1, "/hello", END_STREAM));
    peer.expectsGoAway(PROTOCOL_ERROR);
    assertThat(loop.exchanges().total()).isZero();
  }

  /// RFC 9113 §3.4: anything but the preface is a connection error.
  @Test
  void anotherPrefaceEndsTheConnection(InMemoryLoop loop) {
    var peer = loop.silentPeer(Http2Limits.DEFAULT);
    peer.sendsRaw("GET / HTTP/1.1\r\nhost: localhost\r\n\r\n");
    peer.expectsGoAway(PROTOCOL_ERROR);
  }

  @Test
  void thePrefaceMayComeOctetByOctet(InMemoryLoop loop) {
    var peer = loop.silentPeer(Http2Limits.DEFAULT);
    for (char octet : ScriptedPeer.PREFACE.toCharArray()) peer.sendsRaw(String.valueOf(octet));
    peer.sendsInReadsOf(1, settings());
    peer.expectsKind(Frame.Settings.class);
    peer.expects(settingsAck());
    peer.callsSuccessfully("/echo");
  }

  /// RFC 9113 §6.5.3: each SETTINGS frame is acknowledged.
  @Test
  void eachSettingsFrameIsAcknowledged(ScriptedPeer peer) {
    peer.sends(settings(), settings(MAX_CONCURRENT_STREAMS, 1), settings());
    peer.expects(settingsAck(), settingsAck(), settingsAck());
    peer.expectsNothing();
  }

  /// RFC 9113 §6.5.2: an endpoint that receives a SETTINGS frame with any unknown identifier
  /// ignores it.
  @Test
  void unknownSettingsAreIgnored(ScriptedPeer peer) {
    peer.sends(settings(0x1a1a, 0xffff_ffffL));
    peer.expects(settingsAck());
    peer.callsSuccessfully("/echo");
  }

  /// RFC 9113 §6.5.3: values are applied in the order in which they stand.
  @Test
  void theLastOfTwoValuesHolds(ScriptedPeer peer) {
    peer.sends(settings(INITIAL_WINDOW_SIZE, 1, INITIAL_WINDOW_SIZE, 3));
    peer.expects(settingsAck());
    peer.sends(headers(1, "/dump/5", END_STREAM));
    peer.expectsKind(Frame.Headers.class);
    assertThat(peer.expectsKind(Frame.Data.class).octets()).hasSize(3);
    peer.expectsNothing();
    peer.sends(Frame.windowUpdate(1, 2));
    assertThat(peer.expectsKind(Frame.Data.class).octets()).hasSize(2);
  }

  @ParameterizedTest
  @CsvSource(
      textBlock =
          """
          # §6.5.2 setting, value,  code
          2,          2,          PROTOCOL_ERROR
          4,          2147483648, FLOW_CONTROL_ERROR
          5,          16383,      PROTOCOL_ERROR
          5,          16777216,   PROTOCOL_ERROR
          """)
  void aValueOutOfRangeEndsTheConnection(
      int setting, long value, ErrorCode code, ScriptedPeer peer) {
    peer.sends(settings(setting, value));
    peer.expectsGoAway(code);
  }

  @ParameterizedTest
  @CsvSource(
      textBlock =
          """
          # §6.5.2 setting, value
          1,          4294967295
          1,          0
          2,          0
          2,          1
          3,          4294967295
          3,          0
          4,          2147483647
          5,          16777215
          6,          4294967295
          """)
  void aValueAtItsBoundIsTaken(int setting, long value, ScriptedPeer peer) {
    peer.sends(settings(setting, value));
    peer.expects(settingsAck());
    peer.callsSuccessfully("/echo");
  }

  /// RFC 9113 §6.5: a length that is no multiple of six is a connection error.
  @Test
  void aBrokenEntryEndsTheConnection(ScriptedPeer peer) {
    peer.sends(raw(4, 0, 0, "\0\1\0\0\0"));
    peer.expectsGoAway(FRAME_SIZE_ERROR);
  }

  @Test
  void settingsOnAStreamEndTheConnection(ScriptedPeer peer) {
    peer.sends(raw(4, 0, 1, ""));
    peer.expectsGoAway(PROTOCOL_ERROR);
  }

  /// RFC 9113 §6.5: an acknowledgement is empty.
  @Test
  void anAcknowledgementWithAPayloadEndsTheConnection(ScriptedPeer peer) {
    peer.sends(raw(4, 1, 0, "\0\1\0\0\0\0"));
    peer.expectsGoAway(FRAME_SIZE_ERROR);
  }

  /// RFC 7541 §4.2: the encoder follows the peer's table size, and says so in its next block.
  @Test
  void fieldBlocksFollowThePeersTableSize(InMemoryLoop loop) {
    var peer = loop.silentPeer(Http2Limits.DEFAULT);
    peer.decodesWithTableOf(0);
    peer.shakesHands(new Frame.Setting(HEADER_TABLE_SIZE, 0));
    for (int i = 0; i < 3; i++) peer.callsSuccessfully("/hello");
    peer.decodesWithTableOf(4_096);
    peer.sends(settings(HEADER_TABLE_SIZE, 4_096));
    peer.expects(settingsAck());
    for (int i = 0; i < 3; i++) peer.callsSuccessfully("/hello");
  }

  /// RFC 9113 §4.2: frames no larger than the peer allows, and it allows 16 KiB at least.
  @Test
  void dataFramesKeepToThePeersFrameSize(ScriptedPeer peer) {
    peer.sends(settings(MAX_FRAME_SIZE, 16_384));
    peer.expects(settingsAck());
    peer.sends(headers(1, "/dump/50000", END_STREAM));
    assertThat(peer.receivesReply(1).body()).hasSize(50_000);
  }

  /// RFC 9113 §4.2: SETTINGS_MAX_FRAME_SIZE is 16384, since we announce no other.
  @Test
  void aFrameLargerThanAnnouncedEndsTheConnection(ScriptedPeer peer) {
    peer.sends(headers(1, "/echo"));
    peer.sends(data(1, "x".repeat(16_385)));
    peer.expectsGoAway(FRAME_SIZE_ERROR);
  }

  @Test
  void aFrameAsLargeAsAnnouncedIsTaken(ScriptedPeer peer) {
    peer.sends(headers(1, "/echo"));
    peer.sends(data(1, "x".repeat(16_384), END_STREAM));
    assertThat(peer.receivesReply(1).body()).hasSize(16_384);
  }

  /// RFC 9113 §6.5.3: who does not acknowledge in time may be closed; who never sends any is.
  @Test
  void aPeerWithoutSettingsIsClosedAfterTheHandshakeTime(InMemoryLoop loop) {
    var peer = loop.silentPeer(Http2Limits.DEFAULT);
    loop.passes(Duration.ofMillis(Http2Limits.DEFAULT.handshakeMillis() - 1));
    assertThat(peer.isOpen()).isTrue();
    loop.passes(Duration.ofMillis(2));
    peer.expectsGoAway(SETTINGS_TIMEOUT);
  }

  @Test
  void aPeerThatShookHandsMayBeSilentLonger(InMemoryLoop loop) {
    var peer = loop.peer();
    loop.passes(Duration.ofHours(1));
    peer.callsSuccessfully("/hello");
  }

  /// RFC 9113 §6.9.2: a window change past 2^31-1 is an error of the connection.
  @Test
  void aWindowSettingThatOverflowsAStreamEndsTheConnection(ScriptedPeer peer) {
    peer.sends(headers(1, "/silent"), Frame.windowUpdate(1, 1_000_000));
    peer.sends(settings(INITIAL_WINDOW_SIZE, Integer.MAX_VALUE));
    peer.expectsGoAway(FLOW_CONTROL_ERROR);
  }
}
