package dev.weftline.internal.http2;

import io.netty.util.collection.IntObjectHashMap;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// The open streams of one connection by id, and how the last ones to close did so: RFC 9113 §5.1
/// wants frames that come too late told apart. Confined to the loop.
final class StreamTable {
  /// How a stream that is in the table no more was closed.
  enum Closed {
    /// Both sides sent END_STREAM.
    COMPLETED,
    RESET_BY_PEER,
    /// RFC 9113 §5.4.2: the peer may not know yet; what it still sends is ignored.
    RESET_BY_US,
    /// Too long ago, or never opened (RFC 9113 §5.1.1).
    UNKNOWN
  }

  private static final Closed[] HOW = Closed.values();

  /// Remembered closings: enough for every stream that we may have reset within one round trip.
  private static final int REMEMBERED_MAX = 1_024;

  private static final int REMEMBERED_MIN = 8;

  private final IntObjectHashMap<Http2Stream> open = new IntObjectHashMap<>(8);
  private int lastId;

  // A ring of `id << 2 | how`, as long for a connection's start; doubled when it would forget a
  // reset of ours.
  private long[] remembered = {};
  private int next;

  @Nullable Http2Stream get(int streamId) {
    return open.get(streamId);
  }

  int size() {
    return open.size();
  }

  /// The highest id that the peer has opened, 0 before the first.
  int lastId() {
    return lastId;
  }

  /// Notes that the peer used this id, whether or not the stream is then accepted.
  void use(int streamId) {
    assert streamId > lastId;
    lastId = streamId;
  }

  void add(Http2Stream stream) {
    open.put(stream.id, stream);
  }

  void remove(int streamId, Closed how) {
    open.remove(streamId);
    remember(streamId, how);
  }

  void remember(int streamId, Closed how) {
    if (remembered.length < REMEMBERED_MIN) remembered = new long[REMEMBERED_MIN];
    if ((remembered[next] & 3) == Closed.RESET_BY_US.ordinal()
        && remembered.length < REMEMBERED_MAX) {
      int old = remembered.length;
      var longer = Arrays.copyOfRange(remembered, next, next + old * 2);
      System.arraycopy(remembered, 0, longer, old - next, next);
      Arrays.fill(longer, old, old * 2, 0);
      remembered = longer;
      next = old;
    }
    remembered[next] = (long) streamId << 2 | how.ordinal();
    next = (next + 1) % remembered.length;
  }

  /// How a stream that is not open was closed. For rare frames only: it looks through all it
  /// remembers.
  Closed howClosed(int streamId) {
    for (long entry : remembered) {
      if (entry >>> 2 == streamId) return HOW[(int) (entry & 3)];
    }
    return Closed.UNKNOWN;
  }

  /// Whether no stream of this id was ever used: a frame on it is a connection error (RFC 9113
  /// §5.1). Even ids are ours to open and we open none.
  boolean isIdle(int streamId) {
    return streamId > lastId || (streamId & 1) == 0;
  }

  /// A copy, so that streams may be closed on the way.
  List<Http2Stream> all() {
    return new ArrayList<>(open.values());
  }
}
