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

  /// Streams we reset that are remembered: as many as may be within one round trip. What the peer
  /// still sends on them is no fault of its, however much else was served meanwhile.
  private static final int RESET_BY_US_MAX = 1_024;

  /// Other closings that are remembered, to name the right fault of a peer that breaks the rules.
  private static final int OTHERS_MAX = 16;

  private final IntObjectHashMap<Http2Stream> open = new IntObjectHashMap<>(8);
  private int lastId;

  private final Closings resetByUs = new Closings(RESET_BY_US_MAX);
  private final Closings others = new Closings(OTHERS_MAX);

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
    (how == Closed.RESET_BY_US ? resetByUs : others).add(streamId, how);
  }

  /// How a stream that is not open was closed. For rare frames only: it looks through all it
  /// remembers.
  Closed howClosed(int streamId) {
    var how = resetByUs.find(streamId);
    return how != Closed.UNKNOWN ? how : others.find(streamId);
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

  /// The last closings, the oldest overwritten first; no memory before the first.
  private static final class Closings {
    private static final int MIN = 8;
    private static final long[] NONE = {};

    private final int max;
    private long[] ring = NONE; // `id << 2 | how`
    private int next;

    Closings(int max) {
      this.max = max;
    }

    void add(int streamId, Closed how) {
      if (next == ring.length) {
        if (next < max) {
          ring = Arrays.copyOf(ring, Math.max(MIN, next * 2));
        } else {
          next = 0;
        }
      }
      ring[next++] = (long) streamId << 2 | how.ordinal();
    }

    Closed find(int streamId) {
      for (long entry : ring) {
        if (entry >>> 2 == streamId) return HOW[(int) (entry & 3)];
      }
      return Closed.UNKNOWN;
    }
  }
}
