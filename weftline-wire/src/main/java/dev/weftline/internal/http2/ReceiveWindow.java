package dev.weftline.internal.http2;

/// What we still let the peer send, and when to give credit back (RFC 9113 §6.9). Confined to the
/// loop.
final class ReceiveWindow {
  private int size;
  private int bytesAvailable;
  private int bytesToGiveBack;

  ReceiveWindow(int size) {
    this.size = size;
    this.bytesAvailable = size;
  }

  /// What the peer may have under way at most.
  int size() {
    return size;
  }

  int bytesAvailable() {
    return bytesAvailable;
  }

  /// Octets the peer sent that `giveBack` has not been told of.
  int bytesUncredited() {
    return size - bytesAvailable - bytesToGiveBack;
  }

  /// False when the peer sent more than it may: a FLOW_CONTROL_ERROR (RFC 9113 §6.9.1).
  boolean take(int bytes) {
    if (bytes > bytesAvailable) return false;
    bytesAvailable -= bytes;
    return true;
  }

  /// The increment that the peer must now be told, or 0 when it can wait.
  ///
  /// Credit goes back at half a window: one WINDOW_UPDATE per 32 KiB instead of one per DATA frame.
  int giveBack(int bytes) {
    return giveBack(bytes, size);
  }

  /// The same where the peer is to have `availableMax` at most from now on, until that is no more
  /// so: what it has more than that is not taken from it, but not given again either.
  int giveBack(int bytes, int availableMax) {
    assert bytes <= bytesUncredited() : "gave back more than was received";
    bytesToGiveBack += bytes;
    if (availableMax >= size) {
      if (bytesToGiveBack < size / 2) return 0;
      return give(bytesToGiveBack);
    }
    if (bytesAvailable > availableMax / 2) return 0;
    return give(Math.min(bytesToGiveBack, availableMax - bytesAvailable));
  }

  private int give(int increment) {
    bytesToGiveBack -= increment;
    bytesAvailable += increment;
    return increment;
  }

  /// Lets the peer send `newSize` in all. For streams the peer learns it through
  /// SETTINGS_INITIAL_WINDOW_SIZE (RFC 9113 §6.9.2), for the connection through the increment
  /// returned here.
  int grow(int newSize) {
    int increment = newSize - size;
    assert increment >= 0;
    size = newSize;
    bytesAvailable += increment;
    return increment;
  }

  @Override
  public String toString() {
    return bytesAvailable + " of " + size + " bytes to receive";
  }
}
