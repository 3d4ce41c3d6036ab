package dev.weftline.internal.http2;

import static dev.weftline.internal.http2.ErrorCode.ENHANCE_YOUR_CALM;
import static dev.weftline.internal.testing.Frame.END_STREAM;
import static dev.weftline.internal.testing.Frame.data;
import static dev.weftline.internal.testing.Frame.headers;
import static dev.weftline.internal.testing.Frame.raw;
import static dev.weftline.internal.testing.Frame.request;
import static dev.weftline.internal.testing.Frame.windowUpdate;
import static org.assertj.core.api.Assertions.assertThat;

import dev.weftline.internal.testing.Frame;
import dev.weftline.internal.testing.InMemoryLoop;
import dev.weftline.internal.testing.Invariants;
import dev.weftline.internal.testing.ScriptedPeer;
import dev.weftline.internal.testing.SocketLoop;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/// CVE-2025-8671: rapid reset, with the server led to send the resets. They count like the peer's
/// own.
@ExtendWith(Invariants.class)
class MadeYouResetTest {
  /// What makes a server reset an open stream.
  enum Provocation {
    WINDOW_UPDATE_OF_ZERO,
    WINDOW_OVERFLOW,
    DATA_AFTER_END_STREAM,
    HEADERS_AFTER_END_STREAM,
    PRIORITY_OF_WRONG_LENGTH,
    MORE_CONTENT_THAN_ANNOUNCED,
    MALFORMED_REQUEST,
    FIELDS_TOO_LARGE;

    Frame[] frames(int id) {
      var open = headers(id, "/silent", END_STREAM);
      return switch (this) {
        case WINDOW_UPDATE_OF_ZERO -> new Frame[] {open, windowUpdate(id, 0)};
        case WINDOW_OVERFLOW -> new Frame[] {open, windowUpdate(id, Integer.MAX_VALUE)};
        case DATA_AFTER_END_STREAM -> new Frame[] {open, data(id, "x")};
        case HEADERS_AFTER_END_STREAM -> new Frame[] {open, headers(id, "/silent", END_STREAM)};
        case PRIORITY_OF_WRONG_LENGTH -> new Frame[] {open, raw(2, 0, id, "1234")};
        case MORE_CONTENT_THAN_ANNOUNCED -> {
          var request = request("POST", "/silent").add("content-length", "0");
          yield new Frame[] {headers(id, request, false), data(id, "x")};
        }
        case MALFORMED_REQUEST ->
            new Frame[] {headers(id, request("GET", "/silent").add("upgrade", "x"), true)};
        case FIELDS_TOO_LARGE -> {
          var request = request("GET", "/silent").add("x", "y".repeat(17_000));
          yield new Frame[] {headers(id, request, true)};
        }
      };
    }
  }

  @ParameterizedTest
  @EnumSource
  void aPeerThatProvokesResetsWithoutEndIsClosed(Provocation provocation, InMemoryLoop loop) {
    var attacker = loop.peer();
    provokes(attacker, provocation, 2_000);
    attacker.expectsGoAway(ENHANCE_YOUR_CALM);
    assertThat(loop.exchanges().total()).isLessThanOrEqualTo(Http2Limits.DEFAULT.streamsMax() + 1);
    loop.peer().callsSuccessfully("/echo");
  }

  @ParameterizedTest
  @EnumSource(names = {"WINDOW_UPDATE_OF_ZERO", "MALFORMED_REQUEST"})
  void othersOnTheLoopAreServedMeanwhile(Provocation provocation, SocketLoop loop) {
    var attacker = loop.peer();
    var other = loop.peer();
    for (int round = 0; round < 20; round++) {
      provokes(attacker, provocation, 100);
      other.callsSuccessfully("/echo");
    }
    attacker.expectsGoAway(ENHANCE_YOUR_CALM);
    other.callsSuccessfully("/echo");
    assertThat(loop.bufferBytes()).isLessThan(1 << 20);
  }

  private static void provokes(ScriptedPeer peer, Provocation provocation, int times) {
    for (int i = 0; i < times; i++) peer.sends(provocation.frames(peer.newStreamId()));
  }
}
