package dev.weftline.internal.http2;

import static dev.weftline.internal.testing.Frame.END_STREAM;
import static dev.weftline.internal.testing.Frame.data;
import static dev.weftline.internal.testing.Frame.headers;
import static dev.weftline.internal.testing.Frame.ping;
import static dev.weftline.internal.testing.Frame.windowUpdate;
import static org.assertj.core.api.Assertions.assertThat;

import dev.weftline.internal.testing.Frame;
import dev.weftline.internal.testing.InMemoryLoop;
import dev.weftline.internal.testing.Invariants;
import dev.weftline.internal.testing.ScriptedPeer;
import dev.weftline.internal.testing.SocketLoop;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/// The other side of every guard: honest streams of very many small messages look much like a
/// flood, and live. The clock stands still, so nothing is forgiven by time.
@ExtendWith(Invariants.class)
class ManySmallMessagesTest {
  /// Each message in its own DATA frame, each answered with credit for stream and connection.
  @Test
  void aFrameForEachMessageAndCreditForEachFrame(InMemoryLoop loop) {
    var peer = loop.peer();
    peer.sends(headers(1, "/echo"));
    peer.takesAll();
    for (int i = 0; i < 30_000; i++) {
      peer.sends(data(1, "tick."), windowUpdate(1, 5), windowUpdate(0, 5));
      var frames = peer.takesAll();
      if (!frames.contains(data(1, "tick."))) assertThat(frames).contains(data(1, "tick."));
    }
    peer.sends(data(1, "", END_STREAM));
    peer.expects(data(1, "", END_STREAM));
    assertThat(loop.exchanges().last().bodyBytes()).isEqualTo(150_000);
  }

  /// Many messages arrive in one read, as from a client that writes them in batches.
  @Test
  void threeHundredThousandMessagesInBatches(InMemoryLoop loop) {
    var peer = loop.peer();
    peer.sends(headers(1, "/echo"));
    var batch = new Frame[300];
    for (int i = 0; i < batch.length; i += 3) {
      batch[i] = data(1, "tick.");
      batch[i + 1] = windowUpdate(1, 5);
      batch[i + 2] = windowUpdate(0, 5);
    }
    for (int i = 0; i < 3_000; i++) {
      peer.sends(batch);
      peer.takesAll();
    }
    peer.sends(data(1, "", END_STREAM));
    peer.expects(data(1, "", END_STREAM));
    assertThat(loop.exchanges().last().bodyBytes()).isEqualTo(1_500_000);
  }

  /// grpc-go measures its bandwidth with a PING behind DATA, all the time.
  @Test
  void aClientThatPingsBehindEachDataFrameIsNotClosed(InMemoryLoop loop) {
    var peer = loop.peer();
    peer.sends(headers(1, "/flood/100000000", END_STREAM));
    int frames = 0;
    while (frames < 20_000) {
      for (var frame : peer.takesAll()) {
        if (!(frame instanceof Frame.Data data)) continue;
        frames++;
        int bytes = data.flowBytes();
        peer.sends(ping(frames), windowUpdate(0, Math.min(bytes, 50)), windowUpdate(1, bytes));
      }
    }
    assertThat(peer.goAwayCode()).isEqualTo(-1);
  }

  /// A client may send many empty messages' worth of trailing credit after the last message.
  @Test
  void aStreamOfUnaryCallsIsNotClosed(InMemoryLoop loop) {
    loop.exchanges().forgets();
    ScriptedPeer peer = loop.peer();
    for (int i = 0; i < 10_000; i++) {
      int id = peer.newStreamId();
      peer.sends(headers(id, "/hello"), data(id, "", END_STREAM), ping(i));
      peer.sends(windowUpdate(0, 5));
      if (i % 1_000 == 0) assertThat(peer.receivesReply(id).body()).isEqualTo("hello");
      peer.takesAll();
    }
    peer.callsSuccessfully("/echo");
  }

  @Test
  void aHundredThousandMessagesOverASocket(SocketLoop loop) {
    loop.stopsTheClock();
    var peer = loop.peer();
    peer.sends(headers(1, "/messages/100000", END_STREAM));
    assertThat(peer.givesCredit().receivesReply(1).body()).hasSize(500_000);
  }
}
