package dev.weftline.internal.protocol;

import io.grpc.Status;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
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

/// What finding a message costs: 100 small ones in one delivery, and the same cut where it hurts.
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Warmup(iterations = 3, time = 2)
@Measurement(iterations = 5, time = 2)
@Fork(1)
public class EnvelopeBenchmark {
  private static final int MESSAGES = 100;
  private static final int MESSAGE_BYTES = 12;

  /// Divides no message and no prefix evenly, so that both get cut.
  private static final int PIECE_BYTES = 19;

  private final ByteBuf data = messages();
  private final Envelope envelope = new Envelope("benchmark/Say", 4 << 20);
  private final Sum sum = new Sum();

  private static ByteBuf messages() {
    var data = Unpooled.directBuffer();
    for (int i = 0; i < MESSAGES; i++) {
      data.writeByte(0).writeInt(MESSAGE_BYTES).writeZero(MESSAGE_BYTES);
    }
    return data;
  }

  @Benchmark
  @OperationsPerInvocation(MESSAGES)
  public long wholeMessages() {
    data.readerIndex(0);
    check(envelope.read(data, data.readableBytes(), sum));
    return sum.octets;
  }

  @Benchmark
  @OperationsPerInvocation(MESSAGES)
  public long messagesInPieces() {
    data.readerIndex(0);
    while (data.isReadable()) {
      check(envelope.read(data, Math.min(PIECE_BYTES, data.readableBytes()), sum));
    }
    return sum.octets;
  }

  private static void check(@Nullable Status fault) {
    if (fault != null) {
      throw new IllegalStateException(fault.toString());
    }
  }

  private static final class Sum implements Envelope.Receiver {
    long octets;

    @Override
    public @Nullable Status receiveMessage(boolean compressed, ByteBuf message, int length) {
      octets += length;
      message.skipBytes(length);
      return null;
    }

    @Override
    public @Nullable Status receiveMessage(boolean compressed, byte[] message) {
      octets += message.length;
      return null;
    }
  }
}
