package dev.weftline.internal.http2;

import static dev.weftline.internal.testing.Frame.END_STREAM;
import static dev.weftline.internal.testing.Frame.headers;
import static dev.weftline.internal.testing.Frame.raw;
import static dev.weftline.internal.testing.Frame.request;
import static org.assertj.core.api.Assertions.assertThat;

import dev.weftline.internal.testing.InMemoryLoop;
import dev.weftline.internal.testing.Invariants;
import dev.weftline.internal.testing.ScriptedPeer;
import dev.weftline.internal.testing.SocketLoop;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/// CVE-2016-6581: one large entry in the table, named by one octet a thousand times over. 16 KiB on
/// the wire stand for 60 MiB of fields.
@ExtendWith(Invariants.class)
class HpackBombTest {
  /// `:method: GET`, `:scheme: http`, `:path: /` of the static table, and the newest dynamic entry.
  private static final String BOMB = "\u0082\u0086\u0084" + "\u00be".repeat(16_000);

  private static final int END_STREAM_AND_HEADERS = 5;

  @Test
  void aBombIsNotUnpacked(InMemoryLoop loop) {
    var attacker = loop.peer();
    plantsEntry(attacker);
    long before = HeapProbe.usedBytes();
    for (int id = 3; id < 203; id += 2) {
      attacker.sends(raw(1, END_STREAM_AND_HEADERS, id, BOMB));
      assertThat(attacker.receivesReply(id).headers().value(":status")).isEqualTo("431");
    }
    assertThat(HeapProbe.usedBytes() - before).isLessThan(8 << 20);
    assertThat(loop.exchanges().total()).as("the harmless first request only").isEqualTo(1);
    attacker.callsSuccessfully("/echo");
  }

  /// RFC 9113 §10.5.1: trailers can be a bomb too.
  @Test
  void aBombInTrailersIsNotUnpacked(InMemoryLoop loop) {
    var attacker = loop.peer();
    plantsEntry(attacker);
    attacker.sends(headers(3, "/silent", false));
    attacker.sends(raw(1, END_STREAM_AND_HEADERS, 3, "\u00be".repeat(16_000)));
    assertThat(attacker.takesAll()).anyMatch(f -> f.streamId() == 3);
    assertThat(loop.exchanges().last().trailers()).isNull();
    attacker.callsSuccessfully("/echo");
  }

  @Test
  void othersOnTheLoopAreServedMeanwhile(SocketLoop loop) {
    var attacker = loop.peer();
    var other = loop.peer();
    plantsEntry(attacker);
    for (int id = 3; id < 203; id += 2) {
      attacker.sends(raw(1, END_STREAM_AND_HEADERS, id, BOMB));
      other.callsSuccessfully("/echo");
    }
    assertThat(loop.bufferBytes()).isLessThan(1 << 20);
  }

  private static void plantsEntry(ScriptedPeer peer) {
    peer.sends(headers(1, request("GET", "/echo").add("x", "y".repeat(3_900)), END_STREAM));
    peer.receivesReply(1);
  }
}
