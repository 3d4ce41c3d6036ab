package dev.weftline.internal.http2;

import static dev.weftline.internal.http2.ErrorCode.COMPRESSION_ERROR;
import static dev.weftline.internal.http2.ErrorCode.ENHANCE_YOUR_CALM;
import static dev.weftline.internal.http2.ErrorCode.FRAME_SIZE_ERROR;
import static dev.weftline.internal.http2.ErrorCode.PROTOCOL_ERROR;
import static dev.weftline.internal.testing.Frame.END_STREAM;
import static dev.weftline.internal.testing.Frame.data;
import static dev.weftline.internal.testing.Frame.fields;
import static dev.weftline.internal.testing.Frame.headers;
import static dev.weftline.internal.testing.Frame.ping;
import static dev.weftline.internal.testing.Frame.raw;
import static dev.weftline.internal.testing.Frame.request;
import static dev.weftline.internal.testing.Frame.trailers;
import static org.assertj.core.api.Assertions.assertThat;

import dev.weftline.internal.http.Field;
import dev.weftline.internal.http.Fields;
import dev.weftline.internal.testing.Frame;
import dev.weftline.internal.testing.InMemoryLoop;
import dev.weftline.internal.testing.Invariants;
import dev.weftline.internal.testing.ScriptedPeer;
import java.util.Objects;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// RFC 9113 §4.3, §6.2, §6.10 and §8: field blocks, and the sections they carry.
@ExtendWith(Invariants.class)
class HeaderBlocksTest {
  private static final int HEADERS = 1;
  private static final int CONTINUATION = 9;
  private static final int END_HEADERS = 4;
  private static final int PADDED = 8;
  private static final int PRIORITY = 32;

  // Fragments.

  /// RFC 9113 §6.10.
  @ParameterizedTest
  @ValueSource(ints = {1, 2, 7, 40})
  void aFieldBlockMayComeInFragments(int fragmentBytes, InMemoryLoop loop, ScriptedPeer peer) {
    peer.splitsFieldBlocks(fragmentBytes);
    var request = fields(":method", "GET", ":scheme", "http", ":path", "/echo", "a", "b");
    peer.sendsInReadsOf(3, headers(1, request, END_STREAM));
    peer.receivesReply(1);
    assertThat(loop.exchanges().last().exchange().request()).isEqualTo(request);
  }

  @Test
  void emptyFragmentsAreTakenWithinReason(ScriptedPeer peer) {
    var block = peer.fieldBlock(request("GET", "/echo"));
    peer.sends(raw(HEADERS, 1, 1, ""), raw(CONTINUATION, 0, 1, ""), raw(CONTINUATION, 4, 1, block));
    peer.receivesReply(1);
  }

  /// RFC 9113 §6.10: nothing may come in between, on any stream.
  @ParameterizedTest
  @ValueSource(ints = {0, 1, 2, 3, 4, 6, 8, 0x20})
  void anyOtherFrameInsideAFieldBlockEndsTheConnection(int type, ScriptedPeer peer) {
    peer.sends(headers(1, "/silent"));
    peer.sends(raw(HEADERS, 0, 3, peer.fieldBlock(request("POST", "/echo"))));
    peer.sends(raw(type, 0, type == 4 || type == 6 ? 0 : 1, ""));
    peer.expectsGoAway(PROTOCOL_ERROR);
  }

  @Test
  void aContinuationOfAnotherStreamEndsTheConnection(ScriptedPeer peer) {
    peer.sends(headers(1, "/silent"));
    peer.sends(raw(HEADERS, 0, 3, peer.fieldBlock(request("POST", "/echo"))));
    peer.sends(raw(CONTINUATION, END_HEADERS, 1, ""));
    peer.expectsGoAway(PROTOCOL_ERROR);
  }

  @Test
  void aContinuationOfNothingEndsTheConnection(ScriptedPeer peer) {
    peer.sends(headers(1, "/silent"), raw(CONTINUATION, END_HEADERS, 1, ""));
    peer.expectsGoAway(PROTOCOL_ERROR);
  }

  /// RFC 9113 §6.2: padding and priority fields are no part of the block.
  @Test
  void paddingAndPriorityAreTakenOff(ScriptedPeer peer) {
    var block = peer.fieldBlock(request("GET", "/echo"));
    var payload = "\3" + "\0\0\0\1\20" + block + "\0\0\0";
    peer.sends(raw(HEADERS, 1 | END_HEADERS | PADDED | PRIORITY, 3, payload));
    assertThat(peer.receivesReply(3).headers().value(":status")).isEqualTo("200");
  }

  @Test
  void paddingMayFillTheFrame(ScriptedPeer peer) {
    var block = peer.fieldBlock(request("GET", "/echo"));
    peer.sends(raw(HEADERS, 1 | PADDED, 1, "\2\0\0"), raw(CONTINUATION, 4, 1, block));
    peer.receivesReply(1);
  }

  /// RFC 9113 §6.2: more padding than there is room for is a connection error.
  @Test
  void paddingLargerThanTheFrameEndsTheConnection(ScriptedPeer peer) {
    peer.sends(raw(HEADERS, END_HEADERS | PADDED, 1, "\5abcd"));
    peer.expectsGoAway(PROTOCOL_ERROR);
  }

  @Test
  void aFrameWithoutItsPriorityFieldsEndsTheConnection(ScriptedPeer peer) {
    peer.sends(raw(HEADERS, END_HEADERS | PRIORITY, 1, "\0\0\0\1"));
    peer.expectsGoAway(FRAME_SIZE_ERROR);
  }

  /// RFC 9113 §4.3: a block that does not decode breaks the connection's table.
  @Test
  void aBlockThatDoesNotDecodeEndsTheConnection(ScriptedPeer peer) {
    peer.sends(raw(HEADERS, END_HEADERS | 1, 1, "\u00ff\u00ff\u00ff\u00ff\u00ff\u00ff"));
    peer.expectsGoAway(COMPRESSION_ERROR);
  }

  @Test
  void aBlockThatIsCutOffEndsTheConnection(ScriptedPeer peer) {
    var block = peer.fieldBlock(fields(":method", "GET", "x-long", "value"));
    peer.sends(raw(HEADERS, END_HEADERS | 1, 1, block.substring(0, block.length() - 1)));
    peer.expectsGoAway(COMPRESSION_ERROR);
  }

  // Requests (RFC 9113 §8.2, §8.3). Each of these resets its stream, and no handler hears of it.

  @Test
  void aRequestWithoutAnyOfItsPseudoFieldsIsMalformed(InMemoryLoop loop, ScriptedPeer peer) {
    isMalformed(loop, peer, fields());
    isMalformed(loop, peer, fields(":method", "GET", ":scheme", "http"));
    isMalformed(loop, peer, fields(":method", "GET", ":path", "/"));
    isMalformed(loop, peer, fields(":scheme", "http", ":path", "/"));
  }

  @Test
  void pseudoFieldsThatDoNotBelongAreMalformed(InMemoryLoop loop, ScriptedPeer peer) {
    isMalformed(loop, peer, with(":status", "200"));
    isMalformed(loop, peer, with(":protocol", "websocket"));
    isMalformed(loop, peer, with(":", ""));
    isMalformed(loop, peer, with(":path", "/twice"));
    isMalformed(loop, peer, with(":method", "GET"));
    isMalformed(loop, peer, fields(":method", "GET", ":scheme", "http", ":path", ""));
  }

  /// RFC 9113 §8.3: pseudo-fields stand first.
  @Test
  void aPseudoFieldBehindARegularOneIsMalformed(InMemoryLoop loop, ScriptedPeer peer) {
    isMalformed(loop, peer, fields(":method", "GET", "a", "b", ":scheme", "http", ":path", "/"));
  }

  /// RFC 9113 §8.2: names are lower case, and tokens.
  @ParameterizedTest
  @ValueSource(strings = {"X-Upper", "", "a b", "a:b", "a\u007f", "a\u0080", "a\0", "(", "a\r\n"})
  void aNameThatIsNoneIsMalformed(String name, InMemoryLoop loop, ScriptedPeer peer) {
    isMalformed(loop, peer, with(name, "value"));
  }

  /// RFC 9113 §8.2.2.
  @ParameterizedTest
  @ValueSource(
      strings = {"connection", "proxy-connection", "keep-alive", "transfer-encoding", "upgrade"})
  void aFieldOfTheConnectionIsMalformed(String name, InMemoryLoop loop, ScriptedPeer peer) {
    isMalformed(loop, peer, with(name, "x"));
  }

  /// RFC 9113 §8.2.2: TE may say "trailers".
  @Test
  void teSaysTrailersOrNothing(InMemoryLoop loop, ScriptedPeer peer) {
    isMalformed(loop, peer, with("te", "gzip"));
    isMalformed(loop, peer, with("te", "trailers, gzip"));
    peer.sends(headers(peer.newStreamId(), with("te", "trailers"), END_STREAM));
    assertThat(loop.exchanges().total()).isEqualTo(1);
  }

  /// RFC 9113 §8.5: CONNECT has :authority and neither :scheme nor :path.
  @Test
  void connectWithAPathIsMalformed(InMemoryLoop loop, ScriptedPeer peer) {
    isMalformed(loop, peer, request("CONNECT", "/"));
    isMalformed(loop, peer, fields(":method", "CONNECT"));
    peer.sends(
        headers(peer.newStreamId(), fields(":method", "CONNECT", ":authority", "a:1"), END_STREAM));
    assertThat(loop.exchanges().total()).isEqualTo(1);
  }

  /// RFC 9110 §8.6.
  @ParameterizedTest
  @ValueSource(strings = {"", "-1", "+1", "1x", "1,1", "99999999999999999999", "0x1", "1.0"})
  void aContentLengthThatIsNoNumberIsMalformed(
      String length, InMemoryLoop loop, ScriptedPeer peer) {
    isMalformed(loop, peer, with("content-length", length));
  }

  /// RFC 9110 §8.6: two that differ are malformed.
  @Test
  void contentLengthsThatContradictAreMalformed(InMemoryLoop loop, ScriptedPeer peer) {
    var request = with("content-length", "1").add("content-length", "2");
    int streamId = peer.newStreamId();
    peer.sends(headers(streamId, request, false), data(streamId, "x", END_STREAM));
    peer.expectsReset(streamId, PROTOCOL_ERROR);
    assertThat(loop.exchanges().total()).isZero();
  }

  /// RFC 9113 §8.2.3: cookies may be cut up; fields keep their order and their repetition.
  @Test
  void fieldsArriveInTheirOrder(InMemoryLoop loop, ScriptedPeer peer) {
    var request = with("cookie", "a=1").add("x", "1").add("cookie", "b=2").add("x", "");
    peer.sends(headers(1, request, END_STREAM));
    assertThat(loop.exchanges().last().exchange().request()).isEqualTo(request);
  }

  /// RFC 9113 §8.2.1: obs-text is allowed; each octet survives.
  @Test
  void octetsAbove127SurviveInValues(InMemoryLoop loop, ScriptedPeer peer) {
    var request = with("x", "a\u00ff\u0080z");
    peer.sends(headers(1, request, END_STREAM));
    assertThat(loop.exchanges().last().exchange().request().value("x")).isEqualTo("a\u00ff\u0080z");
  }

  // Sizes.

  /// RFC 9113 §10.5.1: too large a section is answered, the connection goes on.
  @Test
  void aFieldSectionThatIsTooLargeIsAnswered431(InMemoryLoop loop) {
    var peer = loop.peer(limits(1_000));
    peer.sends(headers(1, with("x", "y".repeat(1_000)), END_STREAM));
    assertThat(peer.receivesReply(1).headers().value(":status")).isEqualTo("431");
    assertThat(loop.exchanges().total()).isZero();
    peer.callsSuccessfully("/echo");
  }

  /// RFC 9113 §6.5.2: octets of name and value, and 32 for each field.
  @Test
  void aFieldSectionAtTheLimitIsTaken(InMemoryLoop loop) {
    var request = with("x", "");
    int size = 0;
    for (int i = 0; i < request.size(); i++) size += request.get(i).size();
    var peer = loop.peer(limits(1_000));
    peer.sends(headers(1, with("x", "y".repeat(1_000 - size)), END_STREAM));
    assertThat(loop.exchanges().total()).isEqualTo(1);
    peer.sends(headers(3, with("x", "y".repeat(1_001 - size)), END_STREAM));
    assertThat(loop.exchanges().total()).isEqualTo(1);
  }

  /// RFC 9113 §4.3: also a section that is not kept changes the table.
  @Test
  void aSectionThatIsTooLargeStillChangesTheTable(InMemoryLoop loop) {
    var peer = loop.peer(limits(1_000));
    var request = with("x", "y".repeat(1_000)).add("z-behind", "the large one");
    peer.sends(headers(1, request, END_STREAM));
    peer.receivesReply(1);
    var next = with("z-behind", "the large one");
    peer.sends(headers(3, next, END_STREAM));
    assertThat(loop.exchanges().last().exchange().request()).isEqualTo(next);
  }

  @Test
  void trailersThatAreTooLargeResetTheStream(InMemoryLoop loop) {
    var peer = loop.peer(limits(1_000));
    peer.sends(headers(1, "/silent"), trailers(1, fields("x", "y".repeat(1_000))));
    peer.expectsReset(1, ENHANCE_YOUR_CALM);
    peer.callsSuccessfully("/echo");
  }

  /// Larger than what is even decoded.
  @Test
  void aFieldBlockFarAboveTheLimitEndsTheConnection(InMemoryLoop loop) {
    var peer = loop.peer(limits(1_000));
    peer.sends(headers(1, with("x", "y".repeat(60_000)), END_STREAM));
    peer.expectsGoAway(ENHANCE_YOUR_CALM);
  }

  // Trailers.

  @Test
  void trailersAreHandedUp(InMemoryLoop loop, ScriptedPeer peer) {
    peer.sends(headers(1, "/silent"), data(1, "x"), trailers(1, fields("a", "b", "c", "d")));
    assertThat(loop.exchanges().last().trailers()).isEqualTo(fields("a", "b", "c", "d"));
  }

  @Test
  void trailersAreSentAsTheyWereGiven(ScriptedPeer peer) {
    peer.sends(headers(1, "/echo"), data(1, "x"), trailers(1, fields("a-bin", "AQ")));
    var reply = peer.receivesReply(1);
    assertThat(reply.body()).isEqualTo("x");
    assertThat(reply.trailers()).isEqualTo(fields("a-bin", "AQ"));
  }

  /// RFC 9113 §8.1: a second section ends the stream.
  @Test
  void trailersThatEndNothingAreMalformed(ScriptedPeer peer) {
    peer.sends(headers(1, "/silent"), headers(1, fields("a", "b"), false));
    peer.expectsReset(1, PROTOCOL_ERROR);
    peer.callsSuccessfully("/echo");
  }

  /// RFC 9113 §8.1, §8.3.
  @Test
  void malformedTrailersResetTheStream(ScriptedPeer peer) {
    Fields[] malformed = {
      fields(":method", "GET"), fields("Upper", "x"), fields("connection", "x"), fields("a", "\n")
    };
    for (var section : malformed) {
      int streamId = peer.newStreamId();
      peer.sends(headers(streamId, "/silent"), trailers(streamId, section));
      peer.expectsReset(streamId, PROTOCOL_ERROR);
    }
    peer.callsSuccessfully("/echo");
  }

  // What we send.

  /// RFC 9113 §6.10: the peer joins the fragments; its referee sees that nothing comes between.
  @Test
  void aFieldSectionLargerThanAFrameIsSentInSeveral(InMemoryLoop loop, ScriptedPeer peer) {
    peer.sends(headers(1, "/silent", END_STREAM));
    var large = new Fields(300).add(Field.of(":status", "200"));
    for (int i = 0; i < 300; i++) large.add("x-" + i, "\u0001".repeat(200));
    loop.exchanges().last().exchange().sendHeadersOnly(large);
    assertThat(peer.receivesReply(1).headers()).isEqualTo(large);
    peer.sends(ping(1));
    peer.expects(Frame.pingAck(1));
  }

  private static void isMalformed(InMemoryLoop loop, ScriptedPeer peer, Fields request) {
    int before = loop.exchanges().total();
    int streamId = peer.newStreamId();
    peer.sends(headers(streamId, request, END_STREAM));
    peer.expectsReset(streamId, PROTOCOL_ERROR);
    assertThat(loop.exchanges().total()).as(request.toString()).isEqualTo(before);
  }

  private static Fields with(String name, String value) {
    return request("GET", "/nowhere").add(Objects.requireNonNull(name), value);
  }

  private static Http2Limits limits(int fieldBytesMax) {
    return new Http2Limits(100, fieldBytesMax, 65_535, 65_535, 10_000, 4_096);
  }
}
