package dev.weftline.internal.http2;

import static dev.weftline.internal.http2.ErrorCode.FRAME_SIZE_ERROR;
import static dev.weftline.internal.http2.ErrorCode.NO_ERROR;
import static dev.weftline.internal.http2.ErrorCode.PROTOCOL_ERROR;
import static dev.weftline.internal.testing.Frame.END_STREAM;
import static dev.weftline.internal.testing.Frame.data;
import static dev.weftline.internal.testing.Frame.goAway;
import static dev.weftline.internal.testing.Frame.headers;
import static dev.weftline.internal.testing.Frame.pingAck;
import static dev.weftline.internal.testing.Frame.raw;
import static dev.weftline.internal.testing.Frame.windowUpdate;
import static org.assertj.core.api.Assertions.assertThat;

import dev.weftline.internal.http.ExchangeHandler.Close;
import dev.weftline.internal.http.Fields;
import dev.weftline.internal.testing.Frame;
import dev.weftline.internal.testing.InMemoryLoop;
import dev.weftline.internal.testing.Invariants;
import dev.weftline.internal.testing.ScriptedPeer;
import dev.weftline.internal.testing.SocketLoop;
import dev.weftline.internal.testing.TestExchanges;
import java.time.Duration;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/// RFC 9113 §6.8: how a connection ends, in peace and otherwise.
@ExtendWith(Invariants.class)
class GoAwayTest {
  private InMemoryLoop.Connection link;
  private ScriptedPeer peer;

  @BeforeEach
  void connects(InMemoryLoop loop) {
    link = loop.connection(Http2Limits.DEFAULT);
    peer = new ScriptedPeer(link).shakesHands();
    peer.ignoresPings();
  }

  /// RFC 9113 §6.8: first 2^31-1, then after a round trip the id that holds.
  @Test
  void aDrainSaysGoAwayTwiceWithARoundTripBetween() {
    peer.callsSuccessfully("/hello");
    peer.sends(headers(3, "/echo"));
    peer.expectsKind(Frame.Headers.class);
    link.engine().shutdown();
    peer.expects(goAway(Integer.MAX_VALUE, NO_ERROR));
    long octets = peer.expectsKind(Frame.Ping.class).octets();
    peer.expectsNothing();

    peer.sends(headers(5, "/hello", END_STREAM), pingAck(octets));
    assertThat(peer.expectsKind(Frame.GoAway.class).lastStreamId()).isEqualTo(5);
    assertThat(peer.receivesReply(5).body())
        .as("a call under way when we said so")
        .isEqualTo("hello");
    assertThat(peer.isOpen()).as("stream 3 is still open").isTrue();

    peer.sends(data(3, "late", END_STREAM));
    peer.expects(data(3, "late", END_STREAM));
    peer.expectsClose();
  }

  /// RFC 9113 §6.8: streams above the last id are ignored, frames for them as well.
  @Test
  void streamsAboveTheLastIdAreIgnored(InMemoryLoop loop) {
    drainsWithStream1Open();
    int before = loop.exchanges().total();
    peer.sends(headers(3, "/hello"), windowUpdate(3, 5), data(3, "x", END_STREAM));
    peer.expectsNothing();
    assertThat(loop.exchanges().total()).isEqualTo(before);
    peer.sends(data(1, "done", END_STREAM));
    peer.expects(data(1, "done", END_STREAM));
    peer.expectsClose();
  }

  /// RFC 9113 §4.3, §6.8: ignored field blocks change the table all the same.
  @Test
  void ignoredFieldBlocksStillChangeTheTable() {
    drainsWithStream1Open();
    var trailers = Frame.fields("x-made-up-by-stream-3", "value");
    peer.sends(headers(3, trailers, END_STREAM), Frame.trailers(1, trailers));
    peer.expects(Frame.trailers(1, trailers));
  }

  /// RFC 9113 §6.8: endpoints MUST NOT increase the value.
  @Test
  void anErrorAfterTheDrainDoesNotRaiseTheLastId() {
    drainsWithStream1Open();
    peer.sends(headers(3, "/hello", END_STREAM), windowUpdate(0, 0));
    assertThat(peer.expectsGoAway(PROTOCOL_ERROR).lastStreamId()).isEqualTo(1);
  }

  @Test
  void aPeerThatDoesNotAnswerThePingIsDrainedAllTheSame(InMemoryLoop loop) {
    link.engine().shutdown();
    peer.expects(goAway(Integer.MAX_VALUE, NO_ERROR));
    loop.passes(Duration.ofSeconds(5));
    peer.expectsKind(Frame.Ping.class);
    peer.expects(goAway(0, NO_ERROR));
    peer.expectsClose();
  }

  /// RFC 9113 §6.8: also a client whose first octets are still under way can know that none of its
  /// requests was worked on.
  @Test
  void aDrainBeforeThePrefaceSaysGoAwayToo(InMemoryLoop loop) {
    var early = loop.connection(Http2Limits.DEFAULT);
    var silent = new ScriptedPeer(early);
    early.engine().shutdown();
    silent.expectsKind(Frame.Settings.class);
    assertThat(silent.expectsGoAway(NO_ERROR).lastStreamId()).isZero();
  }

  @Test
  void drainingTwiceIsDrainingOnce() {
    peer.sends(headers(1, "/echo"));
    link.engine().shutdown();
    link.engine().shutdown();
    var frames = peer.takesAll().stream().filter(Frame.GoAway.class::isInstance).toList();
    assertThat(frames).hasSize(1);
  }

  /// RFC 9113 §6.8: after GOAWAY from the client its open streams finish.
  @Test
  void aClientThatSaysGoAwayStillGetsItsReplies() {
    peer.sends(headers(1, "/echo"), goAway(0, NO_ERROR), data(1, "x", END_STREAM));
    assertThat(peer.receivesReply(1).body()).isEqualTo("x");
  }

  @Test
  void aGoAwayThatIsTooShortEndsTheConnection() {
    peer.sends(raw(7, 0, 0, "\0\0\0\0\0\0\0"));
    peer.expectsGoAway(FRAME_SIZE_ERROR);
  }

  @Test
  void aGoAwayOnAStreamEndsTheConnection() {
    peer.sends(raw(7, 0, 1, "\0\0\0\0\0\0\0\0"));
    peer.expectsGoAway(PROTOCOL_ERROR);
  }

  /// RFC 9113 §5.4.1: the last stream that was worked on, so that the client knows what to try
  /// again.
  @Test
  void anErrorNamesTheLastStreamAndClosesTheOthers(InMemoryLoop loop) {
    peer.sends(headers(1, "/silent"), headers(5, "/silent"), windowUpdate(0, 0));
    assertThat(peer.expectsGoAway(PROTOCOL_ERROR).lastStreamId()).isEqualTo(5);
    assertThat(loop.exchanges().get(0).close()).isInstanceOf(Close.ConnectionLost.class);
    assertThat(loop.exchanges().get(1).close()).isInstanceOf(Close.ConnectionLost.class);
  }

  @Test
  void aPeerThatVanishesClosesItsExchanges(InMemoryLoop loop) {
    peer.sends(headers(1, "/silent"), headers(3, "/flood/1000000", END_STREAM));
    peer.closes();
    assertThat(loop.exchanges().get(0).close()).isInstanceOf(Close.ConnectionLost.class);
    assertThat(loop.exchanges().get(1).close()).isInstanceOf(Close.ConnectionLost.class);
  }

  /// What comes behind an error in the same read has no effect.
  @Test
  void nothingIsReadBehindAnError(InMemoryLoop loop) {
    peer.sends(windowUpdate(0, 0), headers(1, "/hello", END_STREAM));
    peer.expectsGoAway(PROTOCOL_ERROR);
    assertThat(loop.exchanges().total()).isZero();
  }

  /// Closing a socket with unread octets makes the kernel reset the connection and drop what it has
  /// not delivered: the end of the last reply.
  @Test
  void aDrainLosesNothingOfTheLastReplyWhatElseTheClientSends(SocketLoop sockets) {
    for (int round = 0; round < 5; round++) {
      var remote = sockets.peer();
      remote.sends(
          Frame.settings(Frame.INITIAL_WINDOW_SIZE, 10_000_000),
          windowUpdate(0, 10_000_000),
          headers(1, "/silent", END_STREAM),
          Frame.ping(-1));
      remote.expects(pingAck(-1));
      var exchange = sockets.exchanges().last().exchange();
      exchange.execute(((Http2Connection) exchange.connection())::shutdown);
      remote.expects(goAway(Integer.MAX_VALUE, NO_ERROR), goAway(1, NO_ERROR));
      exchange.respond(TestExchanges.HEADERS, new byte[3_000_000], Fields.EMPTY);
      int octets = 0;
      for (boolean ended = false; !ended; ) {
        remote.sends(Frame.ping(octets), Frame.priority(1, 0, 1));
        var data = remote.expectsLater(Frame.Data.class);
        octets += data.octets().length();
        ended = data.endStream();
      }
      assertThat(octets).isEqualTo(3_000_000);
    }
  }

  private void drainsWithStream1Open() {
    peer.sends(headers(1, "/echo"));
    peer.expectsKind(Frame.Headers.class);
    link.engine().shutdown();
    peer.expects(goAway(Integer.MAX_VALUE, NO_ERROR));
    peer.sends(pingAck(peer.expectsKind(Frame.Ping.class).octets()));
    peer.expects(goAway(1, NO_ERROR));
  }
}
