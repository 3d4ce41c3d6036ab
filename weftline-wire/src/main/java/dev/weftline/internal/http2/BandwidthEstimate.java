package dev.weftline.internal.http2;

/// How large the receive windows must be so that they never hold up a peer that may send: the
/// bandwidth-delay product, measured as the octets that arrive between a PING of ours and its
/// acknowledgement. Confined to the loop.
///
/// Windows start small, so that a connection that carries small messages costs little, and double
/// as long as a round trip brings two thirds of one. No PING is sent before half a window has
/// arrived, and none once the windows are as large as allowed.
final class BandwidthEstimate {
  /// Marks our PING: any value that a peer would not choose.
  static final long PING = 0x5745_4654_4244_5031L; // "WEFTBDP1"

  private final int windowBytesMax;
  private int windowBytes;
  private int bytesBeforePing;
  private int bytesInRoundTrip;
  private boolean pinging;

  BandwidthEstimate(int windowBytes, int windowBytesMax) {
    this.windowBytes = windowBytes;
    this.windowBytesMax = windowBytesMax;
  }

  /// DATA arrived. True when a PING must now be sent.
  boolean receive(int bytes) {
    if (windowBytes >= windowBytesMax) return false;
    if (pinging) {
      bytesInRoundTrip = Math.min(windowBytesMax, bytesInRoundTrip + bytes);
      return false;
    }
    bytesBeforePing += bytes;
    if (bytesBeforePing < windowBytes / 2) return false;
    bytesBeforePing = 0;
    bytesInRoundTrip = 0;
    pinging = true;
    return true;
  }

  /// Our PING came back. The new window, or 0 when the present one is large enough.
  int acknowledged() {
    if (!pinging) return 0;
    pinging = false;
    if (bytesInRoundTrip < windowBytes / 3 * 2) return 0;
    windowBytes = (int) Math.min(windowBytesMax, 2L * bytesInRoundTrip);
    return windowBytes;
  }
}
