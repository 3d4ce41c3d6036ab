package dev.weftline.internal.http2;

import static dev.weftline.internal.http2.ErrorCode.CANCEL;
import static dev.weftline.internal.http2.ErrorCode.FLOW_CONTROL_ERROR;
import static dev.weftline.internal.http2.ErrorCode.FRAME_SIZE_ERROR;
import static dev.weftline.internal.http2.ErrorCode.PROTOCOL_ERROR;
import static dev.weftline.internal.testing.Frame.END_STREAM;
import static dev.weftline.internal.testing.Frame.INITIAL_WINDOW_SIZE;
import static dev.weftline.internal.testing.Frame.data;
import static dev.weftline.internal.testing.Frame.headers;
import static dev.weftline.internal.testing.Frame.paddedData;
import static dev.weftline.internal.testing.Frame.raw;
import static dev.weftline.internal.testing.Frame.rstStream;
import static dev.weftline.internal.testing.Frame.settings;
import static dev.weftline.internal.testing.Frame.settingsAck;
import static dev.weftline.internal.testing.Frame.windowUpdate;
import static org.assertj.core.api.Assertions.assertThat;

import dev.weftline.internal.testing.Frame;
import dev.weftline.internal.testing.InMemoryLoop;
import dev.weftline.internal.testing.Invariants;
import dev.weftline.internal.testing.ScriptedPeer;
import dev.weftline.internal.testing.SocketLoop;
import dev.weftline.internal.testing.TestExchanges;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/// RFC 9113 §5.2 and §6.9. That no DATA frame ever passes a window is checked by the peer's
/// referee, on every frame of every test.
@ExtendWith(Invariants.class)
class FlowControlTest {
  private static final Http2Limits FIXED_WINDOWS =
      new Http2Limits(1_000, 16 << 10, 65_535, 65_535, 10_000, 4_096);

  /// RFC 9113 §6.9.1: a window may not pass 2^31-1.
  @Test
  void overflowingAStreamWindowResetsThatStreamOnly(ScriptedPeer peer) {
    peer.sends(headers(1, "/silent"), windowUpdate(1, Integer.MAX_VALUE));
    peer.expects(rstStream(1, FLOW_CONTROL_ERROR));
    peer.callsSuccessfully("/echo");
  }

  @Test
  void overflowingTheConnectionsWindowEndsTheConnection(ScriptedPeer peer) {
    peer.sends(windowUpdate(0, Integer.MAX_VALUE));
    peer.expectsGoAway(FLOW_CONTROL_ERROR);
  }

  @Test
  void aWindowOfExactly2To31Minus1IsTaken(ScriptedPeer peer) {
    peer.sends(headers(1, "/silent"));
    peer.sends(windowUpdate(1, Integer.MAX_VALUE - 65_535));
    peer.sends(windowUpdate(0, Integer.MAX_VALUE - 65_535));
    peer.expectsNothing();
    peer.sends(windowUpdate(1, 1));
    peer.expects(rstStream(1, FLOW_CONTROL_ERROR));
  }

  /// RFC 9113 §6.9: an increment of 0 on a stream ends the stream.
  @Test
  void anIncrementOfZeroResetsTheStream(ScriptedPeer peer) {
    peer.sends(headers(1, "/silent"), windowUpdate(1, 0));
    peer.expects(rstStream(1, PROTOCOL_ERROR));
    peer.callsSuccessfully("/echo");
  }

  /// RFC 9113 §6.9: on stream 0 it ends the connection.
  @Test
  void anIncrementOfZeroOnTheConnectionEndsIt(ScriptedPeer peer) {
    peer.sends(windowUpdate(0, 0));
    peer.expectsGoAway(PROTOCOL_ERROR);
  }

  @Test
  void aWindowUpdateOfAnotherLengthEndsTheConnection(ScriptedPeer peer) {
    peer.sends(raw(8, 0, 0, "\0\0\1"));
    peer.expectsGoAway(FRAME_SIZE_ERROR);
  }

  /// RFC 9113 §6.9: the reserved bit of the increment is ignored.
  @Test
  void theReservedBitOfAnIncrementIsIgnored(ScriptedPeer peer) {
    peer.sends(headers(1, "/silent"), raw(8, 0, 1, "\u0080\0\0\1"));
    peer.expectsNothing();
  }

  @Test
  void dataWaitsForTheStreamsWindow(ScriptedPeer peer) {
    peer.sends(windowUpdate(0, 1_000_000), headers(1, "/dump/100000", END_STREAM));
    assertThat(octets(peer)).isEqualTo(65_535);
    peer.sends(windowUpdate(1, 10));
    assertThat(octets(peer)).isEqualTo(10);
    peer.sends(windowUpdate(1, 1_000_000));
    assertThat(octets(peer)).isEqualTo(100_000 - 65_535 - 10);
    assertThat(peer.allAnswered()).isTrue();
  }

  @Test
  void dataWaitsForTheConnectionsWindow(ScriptedPeer peer) {
    peer.sends(settings(INITIAL_WINDOW_SIZE, 1_000_000));
    peer.sends(headers(1, "/dump/50000", END_STREAM), headers(3, "/dump/50000", END_STREAM));
    assertThat(octets(peer)).isEqualTo(65_535);
    peer.sends(windowUpdate(0, 34_465));
    assertThat(octets(peer)).isEqualTo(34_465);
    assertThat(peer.allAnswered()).isTrue();
  }

  /// RFC 9113 §6.9: only DATA is subject to flow control.
  @Test
  void fieldSectionsPassAClosedConnectionWindow(ScriptedPeer peer) {
    peer.sends(settings(INITIAL_WINDOW_SIZE, 1_000_000));
    peer.sends(headers(1, "/dump/70000", END_STREAM));
    assertThat(octets(peer)).isEqualTo(65_535);
    peer.sends(headers(3, "/nowhere", END_STREAM), headers(5, "/echo", END_STREAM));
    peer.expects(
        headers(3, TestExchanges.NOT_FOUND, END_STREAM),
        headers(5, TestExchanges.HEADERS, END_STREAM));
  }

  /// RFC 9113 §6.9: an empty frame with END_STREAM may pass a closed window.
  @Test
  void theEndOfAnEmptyBodyPassesAClosedWindow(ScriptedPeer peer) {
    peer.sends(settings(INITIAL_WINDOW_SIZE, 0), headers(1, "/dump/0", END_STREAM));
    peer.expects(headers(1, TestExchanges.HEADERS, false), data(1, "", END_STREAM));
  }

  /// RFC 9113 §6.9.2: a smaller initial window may leave a window negative, and it must be waited
  /// until it is positive again.
  @Test
  void aWindowMadeNegativeBySettingsMustBeEarnedBack(ScriptedPeer peer) {
    peer.sends(windowUpdate(0, 1_000_000), headers(1, "/dump/100000", END_STREAM));
    assertThat(octets(peer)).isEqualTo(65_535);
    peer.sends(settings(INITIAL_WINDOW_SIZE, 35_535));
    peer.expects(settingsAck());
    peer.sends(windowUpdate(1, 30_000));
    assertThat(octets(peer)).as("at a window of 0").isZero();
    peer.sends(windowUpdate(1, 7));
    assertThat(octets(peer)).isEqualTo(7);
    peer.sends(settings(INITIAL_WINDOW_SIZE, 35_545));
    assertThat(octets(peer)).as("a larger initial window opens it too").isEqualTo(10);
  }

  /// RFC 9113 §6.9.2: the change bears on streams, not on the connection.
  @Test
  void settingsDoNotMoveTheConnectionsWindow(ScriptedPeer peer) {
    peer.sends(settings(INITIAL_WINDOW_SIZE, 1_000_000));
    peer.sends(headers(1, "/dump/100000", END_STREAM));
    assertThat(octets(peer)).isEqualTo(65_535);
  }

  @Test
  void streamsShareTheConnectionsWindowInTurns(ScriptedPeer peer) {
    peer.sends(
        headers(1, "/dump/60000", END_STREAM),
        headers(3, "/dump/60000", END_STREAM),
        headers(5, "/dump/60000", END_STREAM));
    int[] octets = new int[6];
    for (var frame : peer.takesAll()) {
      if (frame instanceof Frame.Data data) octets[data.streamId()] += data.octets().length();
    }
    assertThat(octets[1] + octets[3] + octets[5]).isEqualTo(65_535);
    assertThat(octets[1]).isBetween(16_384, 32_768);
    assertThat(octets[3]).isBetween(16_384, 32_768);
    assertThat(octets[5]).isBetween(16_383, 32_768);
  }

  /// A stream reset while it waits holds back nothing of the others.
  @Test
  void aResetStreamLeavesItsShareToTheOthers(ScriptedPeer peer) {
    peer.sends(settings(INITIAL_WINDOW_SIZE, 1_000_000));
    peer.sends(headers(1, "/dump/90000", END_STREAM), headers(3, "/dump/50000", END_STREAM));
    assertThat(octets(peer)).isEqualTo(65_535);
    peer.sends(rstStream(1, CANCEL), windowUpdate(0, 50_000));
    assertThat(octets(peer)).as("the rest of stream 3").isEqualTo(50_000 - 32_767);
    assertThat(peer.allAnswered()).isTrue();
  }

  // The other direction: what we let the peer send.

  @Test
  void creditComesBackAsTheHandlerConsumes(InMemoryLoop loop) {
    var peer = loop.peer(FIXED_WINDOWS);
    peer.sends(headers(1, "/silent"));
    for (int sent = 0; sent < 1_000_000; ) {
      int bytes = (int) Math.min(16_384, peer.maySend(1));
      assertThat(bytes).as("credit after " + sent + " octets").isPositive();
      peer.sends(data(1, "x".repeat(bytes)));
      sent += bytes;
    }
    assertThat(loop.exchanges().last().bodyBytes()).isGreaterThanOrEqualTo(1_000_000);
  }

  @Test
  void noCreditComesBackWhileNothingIsConsumed(InMemoryLoop loop) {
    var peer = loop.peer(FIXED_WINDOWS);
    peer.sends(headers(1, "/unread"));
    sendsAll(peer, 1, 65_535);
    assertThat(peer.maySend(1)).isZero();
    loop.exchanges().last().exchange().consumed(65_535);
    assertThat(peer.maySend(1)).isEqualTo(65_535);
  }

  /// RFC 9113 §5.2.2, §6.9.1: a handler that reads nothing holds up its own stream only.
  @Test
  void anUnreadStreamDoesNotHoldUpTheOthers(InMemoryLoop loop) {
    var peer = loop.peer(FIXED_WINDOWS);
    peer.sends(headers(1, "/unread"));
    sendsAll(peer, 1, 65_535);
    for (int i = 0; i < 100; i++) peer.callsSuccessfully("/echo");
  }

  /// RFC 9113 §6.9.1.
  @Test
  void dataPastTheStreamsWindowResetsTheStream(InMemoryLoop loop) {
    var peer = loop.peer(FIXED_WINDOWS);
    peer.sends(headers(1, "/unread"));
    sendsAll(peer, 1, 65_535);
    peer.sends(data(1, "x"));
    peer.expectsReset(1, FLOW_CONTROL_ERROR);
    peer.callsSuccessfully("/echo");
  }

  /// RFC 9113 §6.9.1: past the connection's window it is an error of the connection.
  @Test
  void dataPastTheConnectionsWindowEndsTheConnection(InMemoryLoop loop) {
    var peer = loop.peer(FIXED_WINDOWS);
    long left = 65_535;
    int streamId = 0;
    while (left == 65_535) {
      streamId = peer.newStreamId();
      peer.sends(headers(streamId, "/unread"));
      left = peer.maySend(streamId);
      sendsAll(peer, streamId, (int) left);
    }
    peer.expectsNothing();
    peer.sends(data(streamId, "x"));
    peer.expectsGoAway(FLOW_CONTROL_ERROR);
  }

  /// RFC 9113 §6.9.1: padding counts, and nobody above can consume it.
  @Test
  void paddingIsTakenFromTheWindowAndGivenBack(InMemoryLoop loop) {
    var peer = loop.peer(FIXED_WINDOWS);
    peer.sends(headers(1, "/unread"));
    for (int i = 0; i < 2_000; i++) {
      assertThat(peer.maySend(1)).isGreaterThanOrEqualTo(256);
      peer.sends(paddedData(1, "", 255, false));
      if (i % 100 == 0) peer.sends(data(1, "x"));
    }
    assertThat(loop.exchanges().last().bodyBytes()).isEqualTo(20);
  }

  /// RFC 9113 §6.9: what a stream that is over received is given back to the connection.
  @Test
  void theConnectionGetsBackWhatResetStreamsHeld(InMemoryLoop loop) {
    var peer = loop.peer(FIXED_WINDOWS);
    for (int i = 0; i < 100; i++) {
      int streamId = peer.newStreamId();
      peer.sends(headers(streamId, "/unread"));
      assertThat(peer.maySend(streamId)).as("stream " + streamId).isEqualTo(65_535);
      sendsAll(peer, streamId, 65_535);
      peer.sends(rstStream(streamId, CANCEL));
    }
  }

  /// RFC 9113 §5.1, §6.9: DATA on a stream that we reset still counts for the connection.
  @Test
  void dataOnAResetStreamIsGivenBackToTheConnection(InMemoryLoop loop) {
    var peer = loop.peer(FIXED_WINDOWS);
    peer.sends(headers(1, "/reset"));
    peer.expectsReset(1, ErrorCode.INTERNAL_ERROR);
    for (int i = 0; i < 100; i++) {
      peer.sends(data(1, "x".repeat(16_384)), data(1, "x".repeat(16_384)));
    }
    peer.callsSuccessfully("/echo");
    int streamId = peer.newStreamId();
    peer.sends(headers(streamId, "/unread"));
    assertThat(peer.maySend(streamId)).isEqualTo(65_535);
  }

  /// Windows grow with what a round trip brings, up to their limit (bandwidth-delay product).
  @Test
  void windowsGrowForAPeerThatFillsThem(InMemoryLoop loop) {
    var peer = loop.peer(new Http2Limits(100, 16 << 10, 65_535, 1 << 20, 10_000, 4_096));
    peer.ignoresPings();
    peer.sends(headers(1, "/silent"));
    for (int round = 0; round < 20; round++) {
      for (int sent = 0; sent < 4 << 20; ) {
        int bytes = (int) Math.min(16_384, peer.maySend(1));
        if (bytes == 0) break;
        peer.sends(data(1, "x".repeat(bytes)));
        sent += bytes;
      }
      for (var frame : peer.takesAll()) {
        if (frame instanceof Frame.Ping(long octets, _)) peer.sends(Frame.pingAck(octets));
      }
    }
    int streamId = peer.newStreamId();
    peer.sends(headers(streamId, "/unread"));
    assertThat(peer.maySend(streamId)).isEqualTo(1 << 20);
  }

  @Test
  void windowsDoNotGrowForAPeerOfSmallMessages(InMemoryLoop loop) {
    var peer = loop.peer();
    peer.sends(headers(1, "/silent"));
    for (int i = 0; i < 1_000; i++) {
      peer.sends(data(1, "x".repeat(500)));
      peer.takesAll();
    }
    int streamId = peer.newStreamId();
    peer.sends(headers(streamId, "/unread"));
    assertThat(peer.maySend(streamId)).isEqualTo(65_535);
  }

  /// Without a limit in the engine a handler may be told how much waits, and pace itself.
  @Test
  void aHandlerThatPacesItselfIsToldWhenItMayGoOn(InMemoryLoop loop) {
    var peer = loop.peer().givesCredit();
    peer.sends(headers(1, "/flood/3000000", END_STREAM));
    assertThat(peer.receivesReply(1).body()).hasSize(3_000_000);
    assertThat(loop.exchanges().last().unsentBytesSeen())
        .isLessThanOrEqualTo(TestExchanges.FLOOD_UNSENT_BYTES_MAX + 16_384);
  }

  /// Credit may be given from any thread.
  @Test
  void creditFromOtherThreadsComesBack(SocketLoop sockets) {
    var remote = sockets.peer(FIXED_WINDOWS);
    remote.sends(headers(1, "/late"));
    remote.sendsBody(1, 20_000_000);
    remote.sends(data(1, "", END_STREAM));
    assertThat(remote.receivesReply(1).body()).isEqualTo("hello");
  }

  /// Call threads hold small credit back; many streams together must not hold the whole window.
  @Test
  void manyStreamsOfSmallMessagesDoNotStarveTheConnection(SocketLoop sockets) {
    var remote = sockets.peer(FIXED_WINDOWS);
    for (int id = 1; id < 600; id += 2) remote.sends(headers(id, "/late"));
    for (int round = 0; round < 10; round++) {
      for (int id = 1; id < 600; id += 2) remote.sendsBody(id, 1_500);
    }
    for (int id = 1; id < 600; id += 2) {
      remote.sends(data(id, "", END_STREAM));
      assertThat(remote.receivesReply(id).body()).isEqualTo("hello");
    }
  }

  private static void sendsAll(ScriptedPeer peer, int streamId, int bytes) {
    for (int left = bytes; left > 0; ) {
      int part = Math.min(left, 16_384);
      peer.sends(data(streamId, "x".repeat(part)));
      left -= part;
    }
  }

  private static int octets(ScriptedPeer peer) {
    int octets = 0;
    for (var frame : peer.takesAll()) {
      if (frame instanceof Frame.Data data) octets += data.octets().length();
    }
    return octets;
  }
}
