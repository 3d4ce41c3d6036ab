package dev.weftline.internal.http2;

import static dev.weftline.internal.http2.ErrorCode.FRAME_SIZE_ERROR;
import static dev.weftline.internal.http2.ErrorCode.PROTOCOL_ERROR;
import static dev.weftline.internal.testing.Frame.ping;
import static dev.weftline.internal.testing.Frame.pingAck;
import static dev.weftline.internal.testing.Frame.raw;
import static dev.weftline.internal.testing.Frame.settings;

import dev.weftline.internal.testing.Invariants;
import dev.weftline.internal.testing.ScriptedPeer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/// RFC 9113 §6.7.
@ExtendWith(Invariants.class)
class PingTest {
  /// RFC 9113 §6.7: an acknowledgement carries the same octets.
  @Test
  void aPingIsAcknowledgedWithItsOctets(ScriptedPeer peer) {
    peer.sends(ping(0x1122_3344_5566_7788L));
    peer.expects(pingAck(0x1122_3344_5566_7788L));
    peer.expectsNothing();
  }

  @Test
  void pingsOfOneReadAreAcknowledgedInTheirOrder(ScriptedPeer peer) {
    peer.sends(ping(1), settings(), ping(-1), ping(2));
    peer.expects(pingAck(1), pingAck(-1), pingAck(2));
  }

  /// RFC 9113 §6.7: an acknowledgement is not answered, also one that nobody waits for.
  @Test
  void anUnaskedAcknowledgementIsIgnored(ScriptedPeer peer) {
    peer.sends(pingAck(7));
    peer.expectsNothing();
    peer.callsSuccessfully("/echo");
  }

  @Test
  void aPingOnAStreamEndsTheConnection(ScriptedPeer peer) {
    peer.sends(raw(6, 0, 1, "12345678"));
    peer.expectsGoAway(PROTOCOL_ERROR);
  }

  @Test
  void aPingOfAnotherLengthEndsTheConnection(ScriptedPeer peer) {
    peer.sends(raw(6, 0, 0, "123456789"));
    peer.expectsGoAway(FRAME_SIZE_ERROR);
  }

  /// RFC 9113 §4.1: undefined flags are ignored.
  @Test
  void undefinedFlagsOfAPingAreIgnored(ScriptedPeer peer) {
    peer.sends(raw(6, 0xfe, 0, "\0\0\0\0\0\0\0\1"));
    peer.expects(pingAck(1));
  }
}
