package dev.weftline.internal.http2;

import static dev.weftline.internal.http2.ErrorCode.CANCEL;
import static dev.weftline.internal.http2.ErrorCode.FRAME_SIZE_ERROR;
import static dev.weftline.internal.http2.ErrorCode.INTERNAL_ERROR;
import static dev.weftline.internal.http2.ErrorCode.NO_ERROR;
import static dev.weftline.internal.http2.ErrorCode.PROTOCOL_ERROR;
import static dev.weftline.internal.http2.ErrorCode.REFUSED_STREAM;
import static dev.weftline.internal.http2.ErrorCode.STREAM_CLOSED;
import static dev.weftline.internal.testing.Frame.END_STREAM;
import static dev.weftline.internal.testing.Frame.data;
import static dev.weftline.internal.testing.Frame.fields;
import static dev.weftline.internal.testing.Frame.headers;
import static dev.weftline.internal.testing.Frame.priority;
import static dev.weftline.internal.testing.Frame.raw;
import static dev.weftline.internal.testing.Frame.rstStream;
import static dev.weftline.internal.testing.Frame.trailers;
import static dev.weftline.internal.testing.Frame.windowUpdate;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.weftline.internal.http.ExchangeHandler.Close;
import dev.weftline.internal.http.Fields;
import dev.weftline.internal.testing.Frame;
import dev.weftline.internal.testing.InMemoryLoop;
import dev.weftline.internal.testing.Invariants;
import dev.weftline.internal.testing.ScriptedPeer;
import dev.weftline.internal.testing.TestExchanges;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/// RFC 9113 §5.1: what a stream may receive, and when.
@ExtendWith(Invariants.class)
class StreamStatesTest {
  @ParameterizedTest
  @CsvSource(
      textBlock =
          """
          # state,            next
          OPEN,               HALF_CLOSED_REMOTE
          HALF_CLOSED_LOCAL,  CLOSED
          """)
  void receivingEndStream(StreamState state, StreamState next) throws Http2Exception {
    assertThat(state.receiveEndStream(1)).isEqualTo(next);
  }

  @ParameterizedTest
  @CsvSource(
      textBlock =
          """
          # state,            next
          OPEN,               HALF_CLOSED_LOCAL
          HALF_CLOSED_REMOTE, CLOSED
          """)
  void sendingEndStream(StreamState state, StreamState next) {
    assertThat(state.sendEndStream()).isEqualTo(next);
  }

  @ParameterizedTest
  @EnumSource(names = {"IDLE", "HALF_CLOSED_LOCAL", "CLOSED"})
  void sendingEndStreamTwiceIsOurOwnBug(StreamState state) {
    assertThatThrownBy(state::sendEndStream).isInstanceOf(IllegalStateException.class);
  }

  @ParameterizedTest
  @CsvSource(
      textBlock =
          """
          # state,            with END_STREAM,    without (none: an error)
          IDLE,               HALF_CLOSED_REMOTE, OPEN
          OPEN,               HALF_CLOSED_REMOTE, none
          HALF_CLOSED_LOCAL,  CLOSED,             none
          HALF_CLOSED_REMOTE, none,               none
          CLOSED,             none,               none
          """)
  void receivingHeaders(StreamState state, String ended, String open) throws Http2Exception {
    checkHeaders(state, true, ended);
    checkHeaders(state, false, open);
  }

  private static void checkHeaders(StreamState state, boolean end, String next)
      throws Http2Exception {
    if (next.equals("none")) {
      assertThatThrownBy(() -> state.receiveHeaders(1, end))
          .isInstanceOf(Http2Exception.StreamError.class);
    } else {
      assertThat(state.receiveHeaders(1, end)).isEqualTo(StreamState.valueOf(next));
    }
  }

  // Idle.

  @ParameterizedTest
  @CsvSource(
      textBlock =
          """
          # §5.1: on idle only HEADERS and PRIORITY; type, payload octets
          0, 1
          3, 4
          8, 4
          """)
  void anythingButHeadersOnAnIdleStreamEndsTheConnection(int type, int length, ScriptedPeer peer) {
    peer.sends(raw(type, 0, 5, "\1".repeat(length)));
    peer.expectsGoAway(PROTOCOL_ERROR);
  }

  /// RFC 9113 §5.1.1: a server opens streams with even ids, and we open none.
  @ParameterizedTest
  @CsvSource({"1", "0", "3", "8"})
  void anythingOnAnEvenStreamEndsTheConnection(int type, ScriptedPeer peer) {
    peer.callsSuccessfully("/hello");
    peer.callsSuccessfully("/hello");
    var payload = type == 1 ? peer.fieldBlock(Frame.request("POST", "/echo")) : "\1\1\1\1";
    peer.sends(raw(type, 4, 2, payload));
    peer.expectsGoAway(PROTOCOL_ERROR);
  }

  /// RFC 9113 §5.3.2: PRIORITY is deprecated, may come on any stream and does nothing.
  @Test
  void priorityIsIgnoredInEveryState(ScriptedPeer peer) {
    peer.sends(priority(9, 0, 16), headers(1, "/echo"), priority(1, 3, 255), data(1, "x"));
    peer.sends(data(1, "y", END_STREAM), priority(1, 3, 0), priority(2, 1, 0));
    assertThat(peer.receivesReply(1).body()).isEqualTo("xy");
    peer.expectsNothing();
    peer.callsSuccessfully("/hello");
  }

  /// RFC 9113 §6.3.
  @Test
  void aPriorityOfAnotherLengthResetsItsStream(ScriptedPeer peer) {
    peer.sends(headers(1, "/silent"), raw(2, 0, 1, "\0\0\0\0"));
    peer.expectsReset(1, FRAME_SIZE_ERROR);
    peer.callsSuccessfully("/echo");
  }

  @Test
  void priorityOnStream0EndsTheConnection(ScriptedPeer peer) {
    peer.sends(priority(0, 1, 1));
    peer.expectsGoAway(PROTOCOL_ERROR);
  }

  /// RFC 9113 §5.1.1: ids grow; what lies between is closed unused.
  @Test
  void anIdBelowTheLastEndsTheConnection(ScriptedPeer peer) {
    peer.sends(headers(5, "/hello", END_STREAM));
    peer.receivesReply(5);
    peer.sends(headers(3, "/hello", END_STREAM));
    peer.expectsGoAway(PROTOCOL_ERROR);
  }

  @Test
  void idsMayBeSkipped(ScriptedPeer peer) {
    peer.sends(headers(7, "/hello", END_STREAM), headers(0x7fff_ffff, "/hello", END_STREAM));
    assertThat(peer.receivesReply(7).body()).isEqualTo("hello");
    assertThat(peer.receivesReply(0x7fff_ffff).body()).isEqualTo("hello");
  }

  /// RFC 9113 §4.1: the reserved bit of a stream id is ignored.
  @Test
  void theReservedBitOfAStreamIdIsIgnored(ScriptedPeer peer) {
    peer.sends(headers(1, "/echo"), raw(0, 1, 0x8000_0001, "x"));
    assertThat(peer.receivesReply(1).body()).isEqualTo("x");
  }

  @ParameterizedTest
  @CsvSource({"0", "1", "3", "9"})
  void streamFramesOnStream0EndTheConnection(int type, ScriptedPeer peer) {
    peer.sends(raw(type, 4, 0, "\0\0\0\0"));
    peer.expectsGoAway(PROTOCOL_ERROR);
  }

  // Half-closed (remote).

  /// RFC 9113 §5.1: only WINDOW_UPDATE, PRIORITY and RST_STREAM.
  @Test
  void dataAfterEndStreamResetsTheStream(ScriptedPeer peer) {
    peer.sends(headers(1, "/silent", END_STREAM), data(1, "x"));
    peer.expectsReset(1, STREAM_CLOSED);
    peer.callsSuccessfully("/echo");
  }

  @Test
  void headersAfterEndStreamResetTheStream(ScriptedPeer peer) {
    peer.sends(headers(1, "/silent", END_STREAM), trailers(1, fields("a", "b")));
    peer.expectsReset(1, STREAM_CLOSED);
    peer.callsSuccessfully("/echo");
  }

  @Test
  void whatAHalfClosedStreamMayReceiveIsTaken(ScriptedPeer peer, InMemoryLoop loop) {
    peer.sends(headers(1, "/silent", END_STREAM));
    peer.sends(windowUpdate(1, 1), priority(1, 0, 1), rstStream(1, CANCEL));
    peer.expectsNothing();
    assertThat(loop.exchanges().last().close()).isEqualTo(new Close.ResetByPeer(CANCEL.code()));
  }

  // Closed.

  /// RFC 9113 §5.1: after both sides ended, a connection or stream error STREAM_CLOSED.
  @Test
  void dataOnACompletedStreamIsAnError(ScriptedPeer peer) {
    peer.sends(headers(1, "/hello", END_STREAM));
    peer.receivesReply(1);
    peer.sends(data(1, "x"));
    peer.expectsReset(1, STREAM_CLOSED);
    peer.callsSuccessfully("/echo");
  }

  @Test
  void headersOnACompletedStreamEndTheConnection(ScriptedPeer peer) {
    peer.sends(headers(1, "/hello", END_STREAM));
    peer.receivesReply(1);
    peer.sends(headers(1, "/hello", END_STREAM));
    peer.expectsGoAway(STREAM_CLOSED);
  }

  /// RFC 9113 §5.1: these may come for a short time after the end.
  @Test
  void lateWindowUpdatesAndResetsAreIgnored(ScriptedPeer peer) {
    peer.sends(headers(1, "/hello", END_STREAM));
    peer.receivesReply(1);
    peer.sends(windowUpdate(1, 10), rstStream(1, CANCEL), priority(1, 0, 1));
    peer.expectsNothing();
    peer.callsSuccessfully("/echo");
  }

  /// RFC 9113 §5.1: after RST_STREAM from the peer, more from it is a STREAM_CLOSED.
  @Test
  void dataBehindThePeersResetIsAnError(ScriptedPeer peer) {
    peer.sends(headers(1, "/silent"), rstStream(1, CANCEL), data(1, "x"));
    peer.expectsReset(1, STREAM_CLOSED);
    peer.callsSuccessfully("/echo");
  }

  /// RFC 9113 §5.1: what the peer sent before it saw our RST_STREAM is ignored.
  @Test
  void whatIsUnderWayWhenWeResetIsIgnored(ScriptedPeer peer) {
    peer.sends(headers(1, "/reset"));
    peer.expectsReset(1, INTERNAL_ERROR);
    peer.sends(
        data(1, "x"), windowUpdate(1, 5), trailers(1, fields("a", "b")), rstStream(1, CANCEL));
    peer.expectsNothing();
    peer.callsSuccessfully("/echo");
  }

  /// RFC 9113 §5.4.2: within one round trip a busy connection serves very many other streams.
  @Test
  void whatIsUnderWayWhenWeResetIsIgnoredHoweverMuchIsServedMeanwhile(ScriptedPeer peer) {
    peer.sends(headers(1, "/reset"));
    peer.expectsReset(1, INTERNAL_ERROR);
    for (int call = 0; call < 2_000; call++) peer.callsSuccessfully("/echo");
    peer.sends(data(1, "x", END_STREAM), trailers(1, fields("a", "b")));
    peer.expectsNothing();
  }

  /// RFC 9113 §6.4: RST_STREAM is not answered with RST_STREAM.
  @Test
  void aResetIsNotAnswered(ScriptedPeer peer, InMemoryLoop loop) {
    peer.sends(headers(1, "/echo"), rstStream(1, CANCEL));
    assertThat(peer.takesAll()).noneMatch(Frame.RstStream.class::isInstance);
    assertThat(loop.exchanges().last().close()).isEqualTo(new Close.ResetByPeer(CANCEL.code()));
  }

  /// RFC 9113 §7: unknown codes trigger nothing special.
  @Test
  void aResetWithAnUnknownCodeIsAReset(ScriptedPeer peer, InMemoryLoop loop) {
    peer.sends(headers(1, "/silent"), new Frame.RstStream(1, 0xffff_ffffL));
    assertThat(loop.exchanges().last().close()).isEqualTo(new Close.ResetByPeer(0xffff_ffffL));
  }

  @Test
  void aResetOfAnotherLengthEndsTheConnection(ScriptedPeer peer) {
    peer.sends(headers(1, "/silent"), raw(3, 0, 1, "\0\0\0"));
    peer.expectsGoAway(FRAME_SIZE_ERROR);
  }

  /// RFC 9113 §8.1: a response that is whole before the request is, is followed by NO_ERROR.
  @Test
  void anAnswerBeforeTheEndOfTheRequestIsKeptAndTheRestNotWanted(
      ScriptedPeer peer, InMemoryLoop loop) {
    peer.sends(headers(1, "/early"));
    var reply = peer.receivesReply(1);
    assertThat(reply.body()).isEqualTo("early");
    peer.expectsReset(1, NO_ERROR);
    assertThat(loop.exchanges().last().close()).isEqualTo(Close.COMPLETED);
    peer.sends(data(1, "still under way", END_STREAM));
    peer.expectsNothing();
  }

  /// A sender may not know yet that the response was ended beside it, as by a deadline.
  @Test
  void whatIsSentBehindTheEndOfAResponseIsDropped(ScriptedPeer peer, InMemoryLoop loop) {
    peer.sends(headers(1, "/behind", END_STREAM));
    assertThat(peer.receivesReply(1).body()).isEqualTo("whole");
    peer.expectsNothing();
    assertThat(loop.exchanges().last().close()).isEqualTo(Close.COMPLETED);
  }

  // How many.

  /// RFC 9113 §5.1.2: too many streams are refused, each alone.
  @Test
  void streamsAboveTheLimitAreRefused(InMemoryLoop loop) {
    var peer = loop.peer(new Http2Limits(2, 16 << 10, 65_535, 65_535, 10_000, 4_096));
    peer.sends(headers(1, "/echo"), headers(3, "/silent"), headers(5, "/echo"));
    peer.sends(headers(7, "/echo", END_STREAM));
    assertThat(peer.takesAll())
        .contains(rstStream(5, REFUSED_STREAM), rstStream(7, REFUSED_STREAM))
        .contains(headers(1, TestExchanges.HEADERS, false));
    peer.sends(data(1, "x", END_STREAM));
    assertThat(peer.takesAll()).contains(data(1, "x", END_STREAM));
    peer.callsSuccessfully("/echo");
  }

  /// RFC 9113 §4.3: the field block of a refused stream changes the table all the same.
  @Test
  void refusedFieldBlocksStillChangeTheTable(InMemoryLoop loop) {
    var peer = loop.peer(new Http2Limits(1, 16 << 10, 65_535, 65_535, 10_000, 4_096));
    var trailers = fields("x-first-seen-when-refused", "value");
    var request = Frame.request("POST", "/echo");
    for (int i = 0; i < trailers.size(); i++) request.add(trailers.get(i));
    peer.sends(headers(1, "/echo"), headers(3, request, END_STREAM), trailers(1, trailers));
    assertThat(peer.takesAll()).contains(trailers(1, trailers), rstStream(3, REFUSED_STREAM));
  }

  @Test
  void aHandlerThatResetsEndsItsStreamOnly(ScriptedPeer peer, InMemoryLoop loop) {
    peer.sends(headers(1, "/reset"));
    peer.expectsReset(1, INTERNAL_ERROR);
    assertThat(loop.exchanges().last().close()).isInstanceOf(Close.ResetLocally.class);
    peer.callsSuccessfully("/echo");
  }

  /// What is sent after the end is dropped.
  @Test
  void sendingOnAnExchangeThatIsOverDoesNothing(ScriptedPeer peer, InMemoryLoop loop) {
    peer.sends(headers(1, "/silent"), rstStream(1, CANCEL));
    var exchange = loop.exchanges().last().exchange();
    exchange.sendHeaders(TestExchanges.HEADERS);
    exchange.sendData(new byte[10]);
    exchange.sendTrailers(Fields.EMPTY);
    exchange.reset(CANCEL.code());
    exchange.consumed(0);
    loop.passes(java.time.Duration.ofMillis(1));
    peer.expectsNothing();
    assertThat(exchange.unsentBytes()).isZero();
  }

  /// RFC 9113 §4.1: frames of unknown type are ignored, on any stream.
  @Test
  void unknownFramesAreIgnored(ScriptedPeer peer) {
    peer.sends(raw(0x20, 0xff, 0, "abc"), headers(1, "/echo"), raw(0xff, 0, 1, ""));
    peer.sends(raw(0x0b, 0, 99, "x".repeat(1_000)), data(1, "x", END_STREAM));
    assertThat(peer.receivesReply(1).body()).isEqualTo("x");
  }

  /// RFC 9113 §8.4: a client cannot push.
  @Test
  void aPushPromiseEndsTheConnection(ScriptedPeer peer) {
    peer.sends(headers(1, "/echo"));
    peer.sends(raw(5, 4, 1, "\0\0\0\2" + peer.fieldBlock(Frame.request("GET", "/"))));
    peer.expectsGoAway(PROTOCOL_ERROR);
  }
}
