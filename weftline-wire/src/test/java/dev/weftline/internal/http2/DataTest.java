package dev.weftline.internal.http2;

import static dev.weftline.internal.http2.ErrorCode.FRAME_SIZE_ERROR;
import static dev.weftline.internal.http2.ErrorCode.PROTOCOL_ERROR;
import static dev.weftline.internal.testing.Frame.END_STREAM;
import static dev.weftline.internal.testing.Frame.data;
import static dev.weftline.internal.testing.Frame.fields;
import static dev.weftline.internal.testing.Frame.headers;
import static dev.weftline.internal.testing.Frame.paddedData;
import static dev.weftline.internal.testing.Frame.raw;
import static dev.weftline.internal.testing.Frame.request;
import static dev.weftline.internal.testing.Frame.trailers;
import static org.assertj.core.api.Assertions.assertThat;

import dev.weftline.internal.testing.Frame;
import dev.weftline.internal.testing.InMemoryLoop;
import dev.weftline.internal.testing.Invariants;
import dev.weftline.internal.testing.ScriptedPeer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/// RFC 9113 §6.1 and §8.1.1: bodies.
@ExtendWith(Invariants.class)
class DataTest {
  @ParameterizedTest
  @ValueSource(ints = {1, 2, 8, 9, 10, 11, 100})
  void aBodyIsTheSameHoweverItsReadsAreCut(int bytesPerRead, ScriptedPeer peer) {
    peer.sendsInReadsOf(
        bytesPerRead,
        headers(1, "/echo"),
        data(1, "one "),
        data(1, ""),
        paddedData(1, "two ", 3, false),
        paddedData(1, "", 0, false),
        headers(3, "/echo", END_STREAM),
        paddedData(1, "three", 255, END_STREAM));
    assertThat(peer.receivesReply(1).body()).isEqualTo("one two three");
    peer.receivesReply(3);
  }

  @Test
  void paddingIsNoPartOfTheBody(ScriptedPeer peer, InMemoryLoop loop) {
    peer.sends(headers(1, "/silent"), paddedData(1, "body", 200, false));
    assertThat(loop.exchanges().last().body()).isEqualTo("body");
  }

  /// RFC 9113 §6.1: padding of the payload's length or more is a connection error.
  @Test
  void paddingLargerThanTheFrameEndsTheConnection(ScriptedPeer peer) {
    peer.sends(headers(1, "/silent"), raw(0, 8, 1, "\4abc"));
    peer.expectsGoAway(PROTOCOL_ERROR);
  }

  @Test
  void aPaddedFrameWithoutPadLengthEndsTheConnection(ScriptedPeer peer) {
    peer.sends(headers(1, "/silent"), raw(0, 8, 1, ""));
    peer.expectsGoAway(FRAME_SIZE_ERROR);
  }

  /// We never pad: some peers refuse it.
  @Test
  void whatWeSendIsNotPadded(ScriptedPeer peer) {
    peer.sends(headers(1, "/echo"), paddedData(1, "x", 10, END_STREAM));
    peer.expectsKind(Frame.Headers.class);
    peer.expects(data(1, "x", END_STREAM));
  }

  @Test
  void anEmptyBodyEndsWithAnEmptyFrame(ScriptedPeer peer, InMemoryLoop loop) {
    peer.sends(headers(1, "/echo"), data(1, "", END_STREAM));
    assertThat(peer.receivesReply(1).body()).isEmpty();
    assertThat(loop.exchanges().last().endOfRequest()).isTrue();
  }

  // RFC 9113 §8.1.1: content-length.

  @ParameterizedTest
  @CsvSource(
      textBlock =
          """
          # announced, sent
          0,           0
          3,           3
          """)
  void aBodyAsLongAsAnnouncedIsTaken(int announced, int sent, ScriptedPeer peer) {
    var request = request("POST", "/echo").add("content-length", String.valueOf(announced));
    peer.sends(headers(1, request, false), data(1, "x".repeat(sent), END_STREAM));
    assertThat(peer.receivesReply(1).body()).hasSize(sent);
  }

  @ParameterizedTest
  @CsvSource(
      textBlock =
          """
          # announced, sent
          0,           1
          3,           2
          3,           4
          3,           0
          """)
  void aBodyOfAnotherLengthResetsTheStream(int announced, int sent, ScriptedPeer peer) {
    var request = request("POST", "/silent").add("content-length", String.valueOf(announced));
    peer.sends(headers(1, request, false), data(1, "x".repeat(sent), END_STREAM));
    peer.expectsReset(1, PROTOCOL_ERROR);
    peer.callsSuccessfully("/echo");
  }

  @Test
  void paddingDoesNotCountAsContent(ScriptedPeer peer) {
    var request = request("POST", "/echo").add("content-length", "3");
    peer.sends(headers(1, request, false), paddedData(1, "abc", 77, END_STREAM));
    assertThat(peer.receivesReply(1).body()).isEqualTo("abc");
  }

  @Test
  void trailersBeforeTheAnnouncedLengthResetTheStream(ScriptedPeer peer) {
    var request = request("POST", "/silent").add("content-length", "3");
    peer.sends(headers(1, request, false), data(1, "ab"), trailers(1, fields("a", "b")));
    peer.expectsReset(1, PROTOCOL_ERROR);
  }

  @Test
  void aRequestThatAnnouncesABodyAndHasNoneIsMalformed(ScriptedPeer peer, InMemoryLoop loop) {
    var request = request("POST", "/silent").add("content-length", "3");
    peer.sends(headers(1, request, END_STREAM));
    peer.expectsReset(1, PROTOCOL_ERROR);
    assertThat(loop.exchanges().total()).isZero();
  }

  /// A handler may be told of its reset in the middle of a frame, and hears nothing afterwards.
  @Test
  void aStreamThatEndsInTheMiddleOfAFrameSkipsItsRest(ScriptedPeer peer, InMemoryLoop loop) {
    peer.sends(headers(1, "/silent"));
    var frame = "\0\0\u00c8\0\0\0\0\0\1" + "x".repeat(200);
    peer.sendsRaw(frame.substring(0, 100));
    loop.exchanges().last().exchange().reset(ErrorCode.CANCEL.code());
    peer.takesAll();
    peer.sendsRaw(frame.substring(100));
    peer.callsSuccessfully("/echo");
    assertThat(loop.exchanges().get(0).body()).hasSize(91);
  }
}
