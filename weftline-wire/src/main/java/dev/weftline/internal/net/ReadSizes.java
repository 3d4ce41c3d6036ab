package dev.weftline.internal.net;

import io.netty.channel.ChannelConfig;
import io.netty.channel.DefaultMaxMessagesRecvByteBufAllocator;
import io.netty.channel.EventLoop;
import java.util.concurrent.TimeUnit;

/// How much of what a peer has sent a connection reads in one turn of its loop: one buffer, so that
/// a connection that has sent much while the loop was busy does not stand before all others, with
/// Netty's sixteen for a MiB.
///
/// Of each connection the buffer grows while it is filled. Of all connections of a loop it shrinks
/// while turns take long: what is read is worked on in the same turn, and a thousand requests of
/// code that is not compiled yet are half a second in which nobody else is heard, the balancer that
/// asks for our health among them. Netty's adaptive allocator knows sizes, and no time.
///
/// One for each loop, and only there.
final class ReadSizes extends DefaultMaxMessagesRecvByteBufAllocator {
  /// A few requests, the most that most reads find.
  private static final int BYTES_FIRST = 2 << 10;

  /// Two requests: less would be more system calls than work.
  private static final int BYTES_MIN = 256;

  /// What all connections together may read in any turn: a hundred requests, so that a few
  /// connections do not starve where turns are long for other reasons, such as a busy machine.
  private static final int TURN_BYTES_MIN = 16 << 10;

  /// Of one system call; more of it costs as much per octet.
  private static final int BYTES_MAX = 64 << 10;

  /// Longer turns make the next ones shorter. A health check waits for two of them at most, and
  /// balancers give it a second.
  private static final long TURN_NANOS_MAX = TimeUnit.MILLISECONDS.toNanos(10);

  /// The clock is read once for so many of them, beside the begin and the end of a turn.
  private static final int READS_BETWEEN_LOOKS = 4;

  /// A turn that took less of the longest than this leaves room for more.
  private static final int ROOM_SHARE = 4;

  /// Reads in a row that fill less than a quarter, before the next buffer is smaller.
  private static final int SMALL_MAX = 2;

  private static final int SMALL_SHARE = 4;

  private final EventLoop loop;
  private final Runnable turnEnds = this::turnEnds;
  private int bytesMax = BYTES_MAX;
  private int readsBefore = 1; // in the last turn

  // Of this turn.
  private int reads; // begun; 0 between turns
  private long beganNanos;
  private int most; // that one of them found
  private boolean late; // longer than it should be already

  ReadSizes(EventLoop loop) {
    super(1);
    this.loop = loop;
  }

  @Override
  public MaxMessageHandle newHandle() {
    return new Size();
  }

  /// A loop reads from all sockets that have something, and then does its tasks.
  private void readBegins() {
    if (reads++ == 0) {
      beganNanos = System.nanoTime();
      loop.execute(turnEnds);
    } else if (reads % READS_BETWEEN_LOOKS == 0) {
      late |= System.nanoTime() - beganNanos > TURN_NANOS_MAX;
    }
  }

  private void turnEnds() {
    long took = System.nanoTime() - beganNanos;
    if (took > TURN_NANOS_MAX) bytesMax = Math.max(BYTES_MIN, Math.min(bytesMax, most) / 2);
    else if (took < TURN_NANOS_MAX / ROOM_SHARE) bytesMax = Math.min(BYTES_MAX, 2 * bytesMax);
    readsBefore = reads;
    reads = 0;
    most = 0;
    late = false;
  }

  /// The share of each, by how many read in the last turn or have begun to in this one: those that
  /// have sent while the loop was busy may be many more than before.
  private int bytesLeast() {
    return Math.max(BYTES_MIN, TURN_BYTES_MIN / Math.max(readsBefore, reads));
  }

  /// Of one connection.
  private final class Size extends MaxMessageHandle {
    private int bytes = BYTES_FIRST;
    private int small;

    @Override
    public int guess() {
      return Math.min(bytes, late ? bytesLeast() : Math.max(bytesLeast(), bytesMax));
    }

    @Override
    public void reset(ChannelConfig config) {
      super.reset(config);
      readBegins();
    }

    @Override
    public void readComplete() {
      int read = totalBytesRead();
      most = Math.max(most, read);
      if (read >= bytes) bytes = Math.min(BYTES_MAX, 2 * bytes);
      small = read < bytes / SMALL_SHARE ? small + 1 : 0;
      if (small < SMALL_MAX) return;
      small = 0;
      bytes = Math.max(BYTES_FIRST, bytes / 2);
    }
  }
}
