package dev.weftline.internal.http2;

import static dev.weftline.internal.http2.ErrorCode.REFUSED_STREAM;
import static dev.weftline.internal.testing.Frame.END_STREAM;
import static dev.weftline.internal.testing.Frame.INITIAL_WINDOW_SIZE;
import static dev.weftline.internal.testing.Frame.data;
import static dev.weftline.internal.testing.Frame.headers;
import static dev.weftline.internal.testing.Frame.rstStream;
import static dev.weftline.internal.testing.Frame.settings;
import static org.assertj.core.api.Assertions.assertThat;

import dev.weftline.internal.testing.Frame;
import dev.weftline.internal.testing.InMemoryLoop;
import dev.weftline.internal.testing.Invariants;
import dev.weftline.internal.testing.SocketLoop;
import dev.weftline.internal.testing.TestExchanges;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/// CVE-2019-9511, CVE-2019-9517: large replies are asked for and never let through.
@ExtendWith(Invariants.class)
class ZeroWindowStallTest {
  private static final Http2Limits LIMITS =
      new Http2Limits(50, 16 << 10, 65_535, 65_535, 10_000, 4_096);

  @Test
  void whatIsNotLetThroughIsBoundedByStreams(InMemoryLoop loop) {
    var attacker = loop.peer(LIMITS);
    attacker.sends(settings(INITIAL_WINDOW_SIZE, 0));
    for (int i = 0; i < 100; i++) {
      attacker.sends(headers(2 * i + 1, "/flood/1000000000", END_STREAM));
    }
    var frames = attacker.takesAll();
    assertThat(frames).noneMatch(Frame.Data.class::isInstance);
    assertThat(frames).contains(rstStream(101, REFUSED_STREAM));
    assertThat(loop.exchanges().total()).isEqualTo(50);
    for (int i = 0; i < 50; i++) {
      assertThat(loop.exchanges().get(i).exchange().unsentBytes())
          .isLessThan(TestExchanges.FLOOD_UNSENT_BYTES_MAX + 16_384);
    }
    assertThat(loop.bufferBytes()).isLessThan(64 << 10);
  }

  /// RFC 9113 §6.9.2: the stall may also come in the middle.
  @Test
  void aWindowTakenAwayHoldsEverythingBack(InMemoryLoop loop) {
    var attacker = loop.peer(LIMITS);
    for (int i = 0; i < 50; i++) {
      attacker.sends(headers(2 * i + 1, "/flood/1000000000", END_STREAM));
    }
    attacker.takesAll();
    attacker.sends(settings(INITIAL_WINDOW_SIZE, 0), Frame.windowUpdate(0, 1 << 30));
    assertThat(attacker.takesAll()).noneMatch(Frame.Data.class::isInstance);
    assertThat(loop.bufferBytes()).isLessThan(64 << 10);
  }

  /// A closed window of one connection is nothing to the others, and the requests of the same
  /// connection still get through.
  @Test
  void othersOnTheLoopAreServedMeanwhile(SocketLoop loop) {
    var attacker = loop.peer(LIMITS);
    attacker.sends(settings(INITIAL_WINDOW_SIZE, 0));
    for (int i = 0; i < 49; i++) {
      attacker.sends(headers(2 * i + 1, "/flood/1000000000", END_STREAM));
    }
    var other = loop.peer();
    for (int i = 0; i < 50; i++) other.callsSuccessfully("/echo");
    attacker.sends(headers(101, "/echo"), data(101, "", END_STREAM));
    assertThat(attacker.receivesReply(101).body()).isEmpty();
    assertThat(loop.bufferBytes()).isLessThan(1 << 20);
  }
}
