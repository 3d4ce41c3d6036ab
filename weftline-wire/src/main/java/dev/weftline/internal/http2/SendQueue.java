package dev.weftline.internal.http2;

import java.util.ArrayDeque;
import org.jspecify.annotations.Nullable;

/// The streams that have something to write, served round robin, one frame a turn. Bounded by the
/// streams that may be open. Confined to the loop.
///
/// A stream that waits for its own window stands in no queue: its WINDOW_UPDATE brings it back.
/// Those that wait for the connection's window stand aside together, so that field sections, which
/// need no window (RFC 9113 §6.9), pass them.
final class SendQueue {
  private final ArrayDeque<Http2Stream> ready = new ArrayDeque<>(4);
  private @Nullable ArrayDeque<Http2Stream> waiting;

  /// At the end, unless it is queued already.
  void add(Http2Stream stream) {
    if (stream.queued) return;
    stream.queued = true;
    ready.add(stream);
  }

  /// The next stream whose turn it is; it is queued no more.
  @Nullable Http2Stream poll() {
    var stream = ready.poll();
    if (stream != null) stream.queued = false;
    return stream;
  }

  /// The stream is over. One that waits for the connection's window or for the socket would
  /// otherwise stay as long as the peer likes, and so would every other after it.
  void remove(Http2Stream stream) {
    if (!stream.queued) return;
    stream.queued = false;
    if (!ready.remove(stream) && waiting != null) waiting.remove(stream);
  }

  /// Until the connection's window opens.
  void setAside(Http2Stream stream) {
    if (waiting == null) waiting = new ArrayDeque<>();
    stream.queued = true;
    waiting.add(stream);
  }

  /// The connection's window opened.
  void resume() {
    if (waiting == null) return;
    ready.addAll(waiting);
    waiting = null;
  }
}
