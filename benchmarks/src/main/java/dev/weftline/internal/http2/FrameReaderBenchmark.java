package dev.weftline.internal.http2;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OperationsPerInvocation;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.Warmup;

/// What one frame costs before anything is done with it: a read batch of 16 small unary requests,
/// HEADERS and DATA each.
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Warmup(iterations = 3, time = 2)
@Measurement(iterations = 5, time = 2)
@Fork(1)
public class FrameReaderBenchmark {
  private static final int REQUESTS = 16;
  private static final int BLOCK_BYTES = 35;
  private static final int MESSAGE_BYTES = 17;

  private final ByteBuf batch = batch();
  private final FrameReader reader = new FrameReader(16 << 10);
  private final Sum sum = new Sum();

  private static ByteBuf batch() {
    var batch = Unpooled.directBuffer();
    for (int i = 0; i < REQUESTS; i++) {
      int streamId = 2 * i + 1;
      frame(batch, BLOCK_BYTES, FrameType.HEADERS, FrameType.END_HEADERS, streamId);
      frame(batch, MESSAGE_BYTES, FrameType.DATA, FrameType.END_STREAM, streamId);
    }
    return batch;
  }

  private static void frame(ByteBuf out, int length, int type, int flags, int streamId) {
    out.writeMedium(length).writeByte(type).writeByte(flags).writeInt(streamId).writeZero(length);
  }

  @Benchmark
  @OperationsPerInvocation(2 * REQUESTS)
  public long readFrames() throws Http2Exception {
    batch.readerIndex(0);
    while (reader.next(batch, sum)) {
      // Each call reads a frame.
    }
    return sum.octets;
  }

  /// Looks at what it is given, so that reading it cannot be left out.
  private static final class Sum implements FrameReader.Visitor {
    long octets;

    @Override
    public boolean beginData(int streamId, int length, int payload, boolean endStream) {
      octets += streamId;
      return true;
    }

    @Override
    public void data(ByteBuf in, int length) {
      octets += length;
      in.skipBytes(length);
    }

    @Override
    public void endData(boolean endStream) {
      octets++;
    }

    @Override
    public void headers(int streamId, ByteBuf block, boolean endStream) {
      octets += block.readableBytes();
      block.skipBytes(block.readableBytes());
    }

    @Override
    public void rstStream(int streamId, long code) {
      octets++;
    }

    @Override
    public void settings(ByteBuf payload, int length) {
      octets += length;
    }

    @Override
    public void settingsAck() {
      octets++;
    }

    @Override
    public void ping(long opaque, boolean ack) {
      octets++;
    }

    @Override
    public void goAway(int lastStreamId, long code) {
      octets++;
    }

    @Override
    public void windowUpdate(int streamId, int increment) {
      octets += increment;
    }

    @Override
    public void ignored(int type) {
      octets++;
    }
  }
}
