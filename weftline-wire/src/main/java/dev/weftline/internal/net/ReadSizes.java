package dev.weftline.internal.net;

import io.netty.channel.ChannelConfig;
import io.netty.channel.DefaultMaxMessagesRecvByteBufAllocator;
import io.netty.channel.EventLoop;
import java.util.concurrent.TimeUnit;

/// How much of what a peer has sent a connection reads before it is the others' turn: one buffer,
/// so that a connection that has sent much while the loop was busy does not stand before all
/// others, with Netty's sixteen for a MiB.
///
/// Of each connection the buffer grows while it is filled. Of all connections of a loop it shrinks
/// while a round takes long, in which each that has something reads once: what is read is worked on
/// before others read, and a thousand requests of code that is not compiled yet are half a second
/// in which nobody else is heard, the balancer that asks for our health among them. Netty's
/// adaptive allocator knows sizes, and no time.
///
/// One for each loop, and only there.
final class ReadSizes extends DefaultMaxMessagesRecvByteBufAllocator {
  /// A few requests, the most that most reads find.
  private static final int BYTES_FIRST = 2 << 10;

  /// Two requests: less would be more system calls than work.
  private static final int BYTES_MIN = 256;

  /// What all connections together may read in any round: a hundred requests, so that a few
  /// connections do not starve where rounds are long for other reasons, such as a busy machine.
  private static final int ROUND_BYTES_MIN = 16 << 10;

  /// Of one system call; more of it costs as much per octet.
  private static final int BYTES_MAX = 64 << 10;

  /// Longer rounds make the next ones shorter. A health check waits for one, and balancers give it
  /// a second.
  private static final long ROUND_NANOS_MAX = TimeUnit.MILLISECONDS.toNanos(10);

  /// The clock is read once for so many of them, beside the begin and the end of a batch.
  private static final int READS_BETWEEN_LOOKS = 4;

  /// A round that took less of the longest than this leaves room for more.
  private static final int ROOM_SHARE = 4;

  /// Reads in a row that fill less than a quarter, before the next buffer is smaller.
  private static final int SMALL_MAX = 2;

  private static final int SMALL_SHARE = 4;

  private final EventLoop loop;
  private final Runnable batchEnds = this::batchEnds;
  private int bytesMax = BYTES_MAX;
  private int readsBefore = 1; // in the last round

  // Of this round.
  private long round;
  private int reads;
  private long busyNanos; // in its batches that have ended
  private int most; // that one of the reads found
  private boolean late; // longer than it should be already

  // Of this batch.
  private int readsInBatch; // begun; 0 between batches
  private long beganNanos;

  ReadSizes(EventLoop loop) {
    super(1);
    this.loop = loop;
  }

  @Override
  public MaxMessageHandle newHandle() {
    return new Size();
  }

  /// A loop reads from a [batch][Transport#EVENTS_MAX] of the sockets that have something, and then
  /// does its tasks. Between batches it may sleep, which is no part of a round.
  private void readBegins() {
    reads++;
    if (readsInBatch++ == 0) {
      beganNanos = System.nanoTime();
      loop.execute(batchEnds);
    } else if (readsInBatch % READS_BETWEEN_LOOKS == 0) {
      late |= busyNanos + System.nanoTime() - beganNanos > ROUND_NANOS_MAX;
    }
  }

  private void batchEnds() {
    busyNanos += System.nanoTime() - beganNanos;
    late |= busyNanos > ROUND_NANOS_MAX;
    readsInBatch = 0;
  }

  /// Somebody reads again.
  private void roundEnds() {
    if (readsInBatch > 0) {
      long now = System.nanoTime();
      busyNanos += now - beganNanos;
      late |= busyNanos > ROUND_NANOS_MAX;
      beganNanos = now;
    }
    if (late) bytesMax = Math.max(BYTES_MIN, Math.min(bytesMax, most) / 2);
    else if (busyNanos < ROUND_NANOS_MAX / ROOM_SHARE) bytesMax = Math.min(BYTES_MAX, 2 * bytesMax);
    readsBefore = reads;
    round++;
    reads = 0;
    busyNanos = 0;
    most = 0;
    late = false;
  }

  /// The share of each, by how many read in the last round or have begun to in this one: those that
  /// have sent while the loop was busy may be many more than before.
  private int bytesLeast() {
    return Math.max(BYTES_MIN, ROUND_BYTES_MIN / Math.max(readsBefore, reads));
  }

  /// Of one connection.
  private final class Size extends MaxMessageHandle {
    private int bytes = BYTES_FIRST;
    private int small;
    private long lastRound = -1; // in which it has read

    @Override
    public int guess() {
      return Math.min(bytes, late ? bytesLeast() : Math.max(bytesLeast(), bytesMax));
    }

    @Override
    public void reset(ChannelConfig config) {
      super.reset(config);
      if (lastRound == round) roundEnds();
      lastRound = round;
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
