package dev.weftline.internal.http2;

/// What the peer still lets us send (RFC 9113 §6.9). Negative after SETTINGS shrinks it (§6.9.2).
/// Confined to the loop.
final class SendWindow {
  private int bytesAvailable;

  SendWindow(int bytesAvailable) {
    this.bytesAvailable = bytesAvailable;
  }

  /// Never negative.
  int bytesAvailable() {
    return Math.max(0, bytesAvailable);
  }

  void take(int bytes) {
    assert bytes <= bytesAvailable : bytes + " of " + bytesAvailable;
    bytesAvailable -= bytes;
  }

  /// WINDOW_UPDATE, or a changed SETTINGS_INITIAL_WINDOW_SIZE when `bytes` may be negative.
  /// Refuses, changing nothing, what would pass 2^31-1 (RFC 9113 §6.9.1).
  boolean give(int bytes) {
    long sum = (long) bytesAvailable + bytes;
    if (sum > Integer.MAX_VALUE) return false;
    bytesAvailable = (int) sum;
    return true;
  }

  @Override
  public String toString() {
    return bytesAvailable + " bytes to send";
  }
}
