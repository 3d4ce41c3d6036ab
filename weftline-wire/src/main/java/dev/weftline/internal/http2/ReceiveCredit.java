package dev.weftline.internal.http2;

/// What one connection lets its peer send (RFC 9113 §6.9): the connection's own window, the windows
/// of its streams, how they grow with the bandwidth, and when credit goes back.
///
/// Confined to the loop; only `isStarved` may be asked from call threads.
///
/// Hot: runs per DATA frame.
final class ReceiveCredit {
  /// What all streams together may have unread: a stream that nobody reads must not stop the
  /// others.
  private static final int CONNECTION_WINDOW_BYTES = 1 << 20;

  /// While memory is tight: what every connection begins with (RFC 9113 §6.9.2), enough for its
  /// streams to go on one after the other.
  private static final int TIGHT_WINDOW_BYTES = 65_535;

  /// Credit crosses to the loop in pieces of at least this size, so that a stream of small messages
  /// does not cross each time.
  static final int CROSSING_BYTES_MIN = 16 << 10;

  private final FrameWriter writer;
  private final StreamTable streams;
  private final HeldBytes held;
  private final BandwidthEstimate bandwidth;
  private final ReceiveWindow window = new ReceiveWindow(Settings.INITIAL.windowBytes());
  private int streamWindowBytes; // for new streams
  private volatile boolean starved;

  ReceiveCredit(Http2Limits limits, FrameWriter writer, StreamTable streams, HeldBytes held) {
    this.writer = writer;
    this.streams = streams;
    this.held = held;
    this.streamWindowBytes = limits.windowBytes();
    this.bandwidth = new BandwidthEstimate(limits.windowBytes(), limits.windowBytesMax());
  }

  /// After our SETTINGS, which tell of the streams' windows: tells of the connection's.
  void open() {
    if (!held.isTight()) grow(Math.max(CONNECTION_WINDOW_BYTES, streamWindowBytes));
  }

  /// The window that a new stream begins with.
  int streamWindowBytes() {
    return streamWindowBytes;
  }

  /// DATA arrived. False when the peer sent more than the connection's window (RFC 9113 §6.9.1).
  boolean take(int bytes) {
    if (!window.take(bytes)) return false;
    held.add(bytes);
    if (bandwidth.receive(bytes)) writer.ping(BandwidthEstimate.PING, false);
    return true;
  }

  /// When the connection's window runs low: takes what call threads hold back, and has them tell at
  /// once until it is full again. Without it many streams, each below the threshold, could hold the
  /// whole window.
  void gather() {
    if (starved || window.bytesAvailable() >= window.size() / 4) return;
    starved = true;
    for (var stream : streams.all()) giveBack(stream, stream.takeCredit());
  }

  /// Whether call threads must tell at once what they used up. Any thread.
  boolean isStarved() {
    return starved;
  }

  /// The stream's handler, or padding, used up so many octets.
  void giveBack(Http2Stream stream, int bytes) {
    if (stream.state == StreamState.CLOSED || bytes == 0) return; // credited when it closed
    int increment = stream.receiveWindow.giveBack(bytes);
    if (increment > 0 && stream.state.receives()) writer.windowUpdate(stream.id, increment);
    giveBack(bytes);
  }

  /// Octets that no stream holds any more, for the connection alone.
  void giveBack(int bytes) {
    if (bytes == 0) return;
    held.add(-bytes);
    int increment = window.giveBack(bytes, held.isTight() ? TIGHT_WINDOW_BYTES : window.size());
    if (increment == 0) return;
    writer.windowUpdate(0, increment);
    starved = false;
  }

  /// The PING of [BandwidthEstimate] came back: all windows may grow.
  void pingAcknowledged() {
    int bytes = bandwidth.acknowledged();
    if (bytes <= streamWindowBytes || held.isTight()) return;
    streamWindowBytes = bytes;
    writer.settingsWindow(bytes);
    for (var stream : streams.all()) stream.receiveWindow.grow(bytes);
    if (bytes > window.size()) grow(bytes);
  }

  private void grow(int bytes) {
    int increment = window.grow(bytes);
    if (increment > 0) writer.windowUpdate(0, increment);
  }

  @Override
  public String toString() {
    return window.toString();
  }
}
