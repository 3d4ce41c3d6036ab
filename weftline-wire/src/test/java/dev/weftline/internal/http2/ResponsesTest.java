package dev.weftline.internal.http2;

import static dev.weftline.internal.testing.Frame.END_STREAM;
import static dev.weftline.internal.testing.Frame.data;
import static dev.weftline.internal.testing.Frame.headers;
import static dev.weftline.internal.testing.Frame.rstStream;
import static dev.weftline.internal.testing.Frame.trailers;
import static org.assertj.core.api.Assertions.assertThat;

import dev.weftline.internal.http.ExchangeHandler.Close;
import dev.weftline.internal.http.Fields;
import dev.weftline.internal.testing.Frame;
import dev.weftline.internal.testing.InMemoryLoop;
import dev.weftline.internal.testing.Invariants;
import dev.weftline.internal.testing.ScriptedPeer;
import dev.weftline.internal.testing.SocketLoop;
import dev.weftline.internal.testing.TestExchanges;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/// What handlers send, as frames and as writes: in order, merged, one flush for each read batch.
@ExtendWith(Invariants.class)
class ResponsesTest {
  private InMemoryLoop.Connection link;
  private ScriptedPeer peer;

  @BeforeEach
  void connects(InMemoryLoop loop) {
    link = loop.connection(Http2Limits.DEFAULT);
    peer = new ScriptedPeer(link).shakesHands();
  }

  @Test
  void aWholeResponseIsThreeFrames() {
    peer.sends(headers(1, "/hello", END_STREAM));
    peer.expects(
        headers(1, TestExchanges.HEADERS, false),
        data(1, "hello"),
        trailers(1, TestExchanges.TRAILERS));
    peer.expectsNothing();
  }

  @Test
  void aResponseOfFieldsOnlyIsOneFrame(InMemoryLoop loop) {
    peer.sends(headers(1, "/nowhere", END_STREAM));
    peer.expects(headers(1, TestExchanges.NOT_FOUND, END_STREAM));
    peer.expectsNothing();
    assertThat(loop.exchanges().last().close()).isEqualTo(Close.COMPLETED);
  }

  /// Messages of one turn share a DATA frame, and the last one carries END_STREAM.
  @Test
  void whatIsSentInOneTurnSharesAFrame() {
    peer.sends(headers(1, "/echo"), data(1, "one "), data(1, "two "), data(1, "three", END_STREAM));
    peer.expects(headers(1, TestExchanges.HEADERS, false), data(1, "one two three", END_STREAM));
    peer.expectsNothing();
  }

  @Test
  void aThousandSmallMessagesAreAFewFrames() {
    peer.sends(headers(1, "/messages/1000", END_STREAM));
    var frames = peer.takesAll();
    assertThat(frames).hasSizeLessThanOrEqualTo(4);
    int octets = 0;
    for (var frame : frames) if (frame instanceof Frame.Data data) octets += data.octets().length();
    assertThat(octets).isEqualTo(5_000);
    assertThat(frames.getLast()).isEqualTo(trailers(1, TestExchanges.TRAILERS));
  }

  @Test
  void aReadBatchOfCallsIsAnsweredWithOneWriteAndOneFlush() {
    int writes = link.writes();
    int flushes = link.flushes();
    var frames = new ArrayList<Frame>();
    for (int id = 1; id < 101; id += 2) frames.add(headers(id, "/hello", END_STREAM));
    peer.sendsInReadsOf(200, frames.toArray(Frame[]::new));
    assertThat(link.flushes() - flushes).as("flushes").isEqualTo(1);
    assertThat(link.writes() - writes).as("writes").isEqualTo(1);
    for (int id = 1; id < 101; id += 2) peer.receivesReply(id);
  }

  @Test
  void acknowledgementsGoWithTheSameFlush() {
    int flushes = link.flushes();
    peer.sends(Frame.ping(1), Frame.settings(), headers(1, "/hello", END_STREAM), Frame.ping(2));
    assertThat(link.flushes() - flushes).isEqualTo(1);
    peer.expects(Frame.pingAck(1), Frame.settingsAck(), Frame.pingAck(2));
  }

  @Test
  void aReadThatAsksNothingIsNotAnswered() {
    int writes = link.writes();
    int flushes = link.flushes();
    peer.sends(Frame.windowUpdate(0, 100), Frame.priority(5, 0, 1));
    assertThat(link.writes()).isEqualTo(writes);
    assertThat(link.flushes()).isEqualTo(flushes);
  }

  /// Off a read, what one task sends goes in one flush too.
  @Test
  void whatATaskSendsIsFlushedOnce(InMemoryLoop loop) {
    peer.sends(headers(1, "/silent", END_STREAM));
    int flushes = link.flushes();
    var exchange = loop.exchanges().last().exchange();
    exchange.sendHeaders(TestExchanges.HEADERS);
    for (int i = 0; i < 10; i++) exchange.sendData(new byte[] {'x'});
    exchange.sendTrailers(Fields.EMPTY);
    assertThat(peer.receivesReply(1).body()).isEqualTo("x".repeat(10));
    assertThat(link.flushes() - flushes).isEqualTo(1);
  }

  @Test
  void largeBodiesTakeTurns() {
    peer.givesCredit();
    peer.sends(headers(1, "/dump/40000", END_STREAM), headers(3, "/dump/40000", END_STREAM));
    List<Integer> order = new ArrayList<>();
    for (var frame : peer.takesAll()) if (frame instanceof Frame.Data) order.add(frame.streamId());
    assertThat(order).startsWith(1, 3, 1, 3);
  }

  @Test
  void unsentBytesFallAsTheyAreWritten(InMemoryLoop loop) {
    peer.sends(headers(1, "/dump/100000", END_STREAM));
    var served = loop.exchanges().last();
    assertThat(served.exchange().unsentBytes()).isEqualTo(100_000 - 65_535);
    peer.sends(Frame.windowUpdate(0, 100_000), Frame.windowUpdate(1, 100_000));
    assertThat(served.exchange().unsentBytes()).isZero();
  }

  @Test
  void aResetDropsWhatWaits(InMemoryLoop loop) {
    peer.sends(headers(1, "/dump/100000", END_STREAM), rstStream(1, ErrorCode.CANCEL));
    var served = loop.exchanges().last();
    assertThat(served.exchange().unsentBytes()).isZero();
    peer.sends(Frame.windowUpdate(0, 1_000_000));
    assertThat(peer.takesAll()).noneMatch(Frame.Data.class::isInstance);
    peer.callsSuccessfully("/echo");
  }

  /// A peer that does not read: what the channel holds is bounded, the rest waits in its streams.
  @Test
  void aPeerThatDoesNotReadIsNotWrittenTo(InMemoryLoop loop) {
    peer.sends(
        Frame.settings(Frame.INITIAL_WINDOW_SIZE, 10_000_000), Frame.windowUpdate(0, 10_000_000));
    peer.takesAll();
    link.stopsReading();
    peer.sends(headers(1, "/dump/5000000", END_STREAM));
    assertThat(link.channel().unsafe().outboundBuffer().totalPendingWriteBytes())
        .isLessThan(256 << 10);
    assertThat(loop.bufferBytes()).isLessThan(512 << 10);
    link.readsAgain();
    assertThat(peer.receivesReply(1).body()).hasSize(5_000_000);
  }

  /// Our own bug, loud: the connection it happened on ends, and only that.
  @Test
  void aHandlerThatThrowsEndsItsConnectionAndNoOther(InMemoryLoop loop) {
    var other = loop.peer();
    peer.sends(headers(1, "/silent"), headers(3, "/throws"), data(3, "x"));
    peer.expectsGoAway(ErrorCode.INTERNAL_ERROR);
    assertThat(loop.exchanges().get(0).close()).isInstanceOf(Close.ConnectionLost.class);
    assertThat(loop.exchanges().get(1).close()).isInstanceOf(Close.ConnectionLost.class);
    other.callsSuccessfully("/echo");
  }

  /// The same in a task, where no read would notice.
  @Test
  void aHandlerThatThrowsInATaskEndsItsConnectionAndNoOther(InMemoryLoop loop) {
    var other = loop.peer();
    peer.sends(headers(1, "/throws", END_STREAM));
    peer.expectsGoAway(ErrorCode.INTERNAL_ERROR);
    other.callsSuccessfully("/echo");
  }

  /// The sending methods of an exchange may be called from any thread.
  @Test
  void anotherThreadMayAnswer(SocketLoop sockets) {
    var remote = sockets.peer();
    for (int i = 0; i < 200; i++) {
      assertThat(remote.callsSuccessfully("/thread").body()).isEqualTo("hello");
    }
  }

  @Test
  void manyThreadsMayAnswerAtOnce(SocketLoop sockets) {
    var remote = sockets.peer();
    var frames = new ArrayList<Frame>();
    for (int id = 1; id < 1_000; id += 2) frames.add(headers(id, "/thread", END_STREAM));
    remote.sends(frames.toArray(Frame[]::new));
    for (int id = 1; id < 1_000; id += 2) {
      assertThat(remote.receivesReply(id).body()).isEqualTo("hello");
    }
  }
}
