package dev.weftline.internal.testing;

import static org.assertj.core.api.Assertions.assertThat;

import dev.weftline.internal.http.Fields;
import dev.weftline.internal.http2.ErrorCode;
import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Iterator;
import java.util.List;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/// An HTTP/2 client that does exactly what the test says, right or wrong, and compares what it
/// gets. A [Referee] watches all of it. Confined to the test's thread.
///
/// From the handshake on it acknowledges the engine's SETTINGS and answers its PINGs; everything
/// else is the test's.
public final class ScriptedPeer {
  /// RFC 9113 §3.4.
  public static final String PREFACE = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

  private final Link link;
  private final PeerCodec codec = new PeerCodec();
  private final Referee referee = new Referee();
  private final ArrayDeque<Frame> received = new ArrayDeque<>();
  private boolean answersPings = true;
  private boolean acknowledgesSettings;
  private boolean givesCredit;
  private int nextStreamId = 1;
  private long goAwayCode = -1;

  public ScriptedPeer(Link link) {
    this.link = link;
  }

  /// Sends preface and SETTINGS, and expects the engine's SETTINGS and its acknowledgement.
  public ScriptedPeer shakesHands(Frame.Setting... settings) {
    acknowledgesSettings = true;
    sendsBytes(PREFACE);
    sends(new Frame.Settings(List.of(settings)));
    nextWhere(Frame.Settings.class::isInstance);
    nextWhere(Frame.SettingsAck.class::isInstance);
    return this;
  }

  /// As after `101 Switching Protocols` (RFC 7540 §3.2): stream 1 is taken, half-closed by us.
  public ScriptedPeer wasUpgraded() {
    referee.upgraded();
    nextStreamId = 3;
    return this;
  }

  /// From now on the engine's PINGs stay unanswered.
  public void ignoresPings() {
    answersPings = false;
  }

  /// From now on each DATA frame is answered with as much credit, for stream and connection.
  public ScriptedPeer givesCredit() {
    givesCredit = true;
    return this;
  }

  /// Field blocks longer than this go as HEADERS and CONTINUATION frames.
  public void splitsFieldBlocks(int fragmentBytes) {
    codec.fragmentBytes(fragmentBytes);
  }

  /// The largest HPACK table the engine may use from its next field block on; goes with our
  /// SETTINGS_HEADER_TABLE_SIZE.
  public void decodesWithTableOf(int bytes) {
    codec.decodingTableBytes(bytes);
  }

  /// Sends all `frames` in one read.
  public void sends(Frame... frames) {
    link.write(written(frames));
  }

  /// Sends all `frames` in one read batch, in reads of `bytesPerRead`.
  public void sendsInReadsOf(int bytesPerRead, Frame... frames) {
    var bytes = written(frames);
    var reads = new ArrayList<byte[]>();
    for (int at = 0; at < bytes.length; at += bytesPerRead) {
      reads.add(Arrays.copyOfRange(bytes, at, Math.min(bytes.length, at + bytesPerRead)));
    }
    link.write(reads.toArray(byte[][]::new));
  }

  /// Sends DATA frames of `bytes` octets in all, waiting for credit as often as it takes.
  public void sendsBody(int streamId, int bytes) {
    for (int left = bytes; left > 0; ) {
      int part = (int) Math.min(Math.min(left, 16_384), referee.weMaySend(streamId));
      if (part > 0) {
        sends(Frame.data(streamId, "x".repeat(part)));
        left -= part;
      } else if (!readsMore()) {
        throw new AssertionError("no credit for stream " + streamId + ", " + left + " octets left");
      }
    }
  }

  /// The bytes of `frames`, which the caller now sends.
  private byte[] written(Frame... frames) {
    for (var frame : frames) {
      referee.sent(frame);
      if (frame instanceof Frame.Headers
          || frame instanceof Frame.Raw raw && raw.type() == PeerCodec.HEADERS) {
        nextStreamId = Math.max(nextStreamId, frame.streamId() + 2);
      }
    }
    return codec.encode(frames);
  }

  /// Sends octets that need not be frames. The referee no longer knows which streams exist.
  public void sendsRaw(String octets) {
    referee.lenient();
    sendsBytes(octets);
  }

  public void sendsRaw(byte[] octets) {
    referee.lenient();
    link.write(octets);
  }

  private void sendsBytes(String octets) {
    link.write(octets.getBytes(StandardCharsets.ISO_8859_1));
  }

  /// The field block of a section, in octets, for a `Raw` frame that is sent next.
  public String fieldBlock(Fields fields) {
    return codec.encodeBlock(fields);
  }

  /// How much DATA this peer may send on a stream now, by both windows.
  public long maySend(int streamId) {
    reads();
    return referee.weMaySend(streamId);
  }

  /// How much DATA the engine may send on a stream now, by both windows.
  public long engineMaySend(int streamId) {
    return referee.engineMaySend(streamId);
  }

  /// Expects `frames` next, in this order. Between them SETTINGS acknowledgements, WINDOW_UPDATE
  /// frames and PINGs of the engine are passed over, except where they are expected.
  public void expects(Frame... frames) {
    for (var frame : frames) {
      assertThat(next(frame.getClass())).as("next frame").isEqualTo(frame);
    }
  }

  /// The next frame, which is of this kind.
  public <F extends Frame> F expectsKind(Class<F> kind) {
    var frame = next(kind);
    assertThat(frame).as("next frame").isInstanceOf(kind);
    return kind.cast(frame);
  }

  /// The next frame of this kind; others before it stay.
  public <F extends Frame> F expectsLater(Class<F> kind) {
    return kind.cast(nextWhere(kind::isInstance));
  }

  public void expectsReset(int streamId, ErrorCode code) {
    expects(Frame.rstStream(streamId, code));
  }

  /// Expects the connection to end with this code: GOAWAY, now or after what was still on its way,
  /// and a close.
  public Frame.GoAway expectsGoAway(ErrorCode code) {
    while (true) {
      var frame = poll();
      if (frame == null) throw new AssertionError("no GOAWAY, and nothing else comes");
      if (frame instanceof Frame.GoAway goAway) {
        assertThat(ErrorCode.of(goAway.code())).as(goAway.toString()).isEqualTo(code);
        expectsClose();
        return goAway;
      }
    }
  }

  /// Expects the engine to close; whatever it still sent is dropped.
  public void expectsClose() {
    while (poll() != null) {}
    link.lingers();
    while (poll() != null) {}
    assertThat(link.isOpen()).as("open").isFalse();
  }

  /// Expects nothing but acknowledgements, credit and PINGs to be there. In memory only.
  public void expectsNothing() {
    reads();
    received.removeIf(frame -> isNoise(frame, Frame.class));
    assertThat(received).as("frames nobody expected").isEmpty();
  }

  /// All frames that are there and were not yet expected, noise included.
  public List<Frame> takesAll() {
    reads();
    var frames = List.copyOf(received);
    received.clear();
    return frames;
  }

  public boolean isOpen() {
    reads();
    return link.isOpen();
  }

  public void closes() {
    link.close();
  }

  /// The code of the GOAWAY that came, as far as was read; -1 before one came.
  public long goAwayCode() {
    reads();
    return goAwayCode;
  }

  /// Whether every request of this peer was answered to its end, or reset.
  public boolean allAnswered() {
    reads();
    return referee.allAnswered();
  }

  /// A stream id that was not used yet.
  public int newStreamId() {
    int id = nextStreamId;
    nextStreamId += 2;
    return id;
  }

  /// Makes a whole request with a small body, and expects `:status` 200 to the end.
  public Reply callsSuccessfully(String path) {
    int streamId = newStreamId();
    sends(Frame.headers(streamId, path), Frame.data(streamId, "hello", Frame.END_STREAM));
    var reply = receivesReply(streamId);
    assertThat(reply.headers().value(":status")).isEqualTo("200");
    if (path.equals("/echo")) assertThat(reply.body()).isEqualTo("hello");
    return reply;
  }

  /// What a stream is answered, up to END_STREAM. Frames of other streams stay.
  public Reply receivesReply(int streamId) {
    Predicate<Frame> ofStream =
        frame -> frame.streamId() == streamId && !(frame instanceof Frame.WindowUpdate);
    if (!(nextWhere(ofStream) instanceof Frame.Headers headers)) {
      throw new AssertionError("a reply that does not begin with HEADERS");
    }
    if (headers.endStream()) return new Reply(headers.fields(), "", Fields.EMPTY);
    var body = new StringBuilder();
    while (true) {
      switch (nextWhere(ofStream)) {
        case Frame.Headers trailers -> {
          return new Reply(headers.fields(), body.toString(), trailers.fields());
        }
        case Frame.Data data -> {
          body.append(data.octets());
          if (data.endStream()) return new Reply(headers.fields(), body.toString(), Fields.EMPTY);
        }
        case Frame other -> throw new AssertionError("in a reply: " + other);
      }
    }
  }

  public record Reply(Fields headers, String body, Fields trailers) {}

  private Frame next(Class<? extends Frame> kind) {
    return nextWhere(frame -> !isNoise(frame, kind));
  }

  /// Noise in front of the frame is dropped only up to it, other frames stay.
  private Frame nextWhere(Predicate<Frame> wanted) {
    while (true) {
      for (Iterator<Frame> frames = received.iterator(); frames.hasNext(); ) {
        var frame = frames.next();
        if (wanted.test(frame)) {
          frames.remove();
          return frame;
        }
        if (frame instanceof Frame.GoAway && goAwayCode > 0) {
          throw new AssertionError("the connection ended: " + frame);
        }
      }
      if (!readsMore()) {
        throw new AssertionError(
            "nothing comes any more" + (link.isOpen() ? "" : ", closed") + ", left: " + received);
      }
    }
  }

  private static boolean isNoise(Frame frame, Class<?> expected) {
    if (expected.isInstance(frame) && expected != Frame.class) return false;
    return switch (frame) {
      case Frame.SettingsAck _, Frame.WindowUpdate _ -> true;
      case Frame.Ping ping -> !ping.ack();
      default -> false;
    };
  }

  private @Nullable Frame poll() {
    while (received.isEmpty()) {
      if (!readsMore()) return null;
    }
    return received.poll();
  }

  /// Reads what is there; on a socket, the wait for the first bytes included.
  private void reads() {
    if (link.isImmediate()) {
      while (readsMore()) {}
    }
  }

  private boolean readsMore() {
    var bytes = link.read();
    if (bytes == null) return false;
    codec.decode(bytes, this::receives);
    return true;
  }

  private void receives(Frame frame) {
    referee.received(frame);
    received.add(frame);
    switch (frame) {
      case Frame.Settings settings -> {
        for (var setting : settings.settings()) {
          if (setting.id() == Frame.HEADER_TABLE_SIZE) codec.encodingTableBytes(setting.value());
        }
        if (acknowledgesSettings) sends(Frame.settingsAck());
      }
      case Frame.Ping(long octets, boolean ack) -> {
        if (!ack && answersPings) sends(Frame.pingAck(octets));
      }
      case Frame.Data data -> {
        if (givesCredit && data.flowBytes() > 0) {
          sends(
              Frame.windowUpdate(0, data.flowBytes()),
              Frame.windowUpdate(data.streamId(), data.flowBytes()));
        }
      }
      case Frame.GoAway goAway -> goAwayCode = goAway.code();
      default -> {}
    }
  }
}
