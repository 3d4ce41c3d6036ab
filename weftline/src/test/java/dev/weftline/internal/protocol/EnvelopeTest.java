package dev.weftline.internal.protocol;

import static org.assertj.core.api.Assertions.assertThat;

import io.grpc.Status;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.lang.management.ManagementFactory;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

final class EnvelopeTest {
  private static final int LIMIT = 1 << 20;

  private final Received received = new Received();
  private final Envelope envelope = new Envelope("pkg.Service/Method", LIMIT);

  private static final class Received implements Envelope.Receiver {
    final List<byte[]> messages = new ArrayList<>();
    final List<Boolean> flags = new ArrayList<>();

    @Override
    public @Nullable Status receiveMessage(boolean compressed, ByteBuf data, int length) {
      var message = new byte[length];
      data.readBytes(message);
      return receiveMessage(compressed, message);
    }

    @Override
    public @Nullable Status receiveMessage(boolean compressed, byte[] message) {
      messages.add(message);
      flags.add(compressed);
      return null;
    }
  }

  private @Nullable Status read(byte... bytes) {
    return envelope.read(Unpooled.wrappedBuffer(bytes), bytes.length, received);
  }

  @Test
  void manyMessagesInOneDelivery() {
    assertThat(
            read(
                (byte) 0, (byte) 0, (byte) 0, (byte) 0, (byte) 1, (byte) 7, (byte) 1, (byte) 0,
                (byte) 0, (byte) 0, (byte) 0))
        .isNull();
    assertThat(received.messages).hasSize(2);
    assertThat(received.messages.get(0)).containsExactly(7);
    assertThat(received.messages.get(1)).isEmpty();
    assertThat(received.flags).containsExactly(false, true);
    assertThat(envelope.isAtBoundary()).isTrue();
  }

  /// Any cut of any sequence of messages gives the same messages.
  @Test
  void cutsAnywhereChangeNothing() {
    long seed = System.nanoTime();
    var random = new Random(seed);
    for (int round = 0; round < 200; round++) {
      var sent = new ArrayList<byte[]>();
      var wire = Unpooled.buffer();
      for (int i = random.nextInt(6); i >= 0; i--) {
        var message = new byte[random.nextInt(3) == 0 ? random.nextInt(20_000) : random.nextInt(8)];
        random.nextBytes(message);
        sent.add(message);
        wire.writeByte(0).writeInt(message.length).writeBytes(message);
      }
      received.messages.clear();
      while (wire.isReadable()) {
        int part = 1 + random.nextInt(Math.min(wire.readableBytes(), 9_000));
        int before = wire.readerIndex();
        assertThat(envelope.read(wire, part, received)).isNull();
        assertThat(wire.readerIndex()).as("seed " + seed).isEqualTo(before + part);
      }
      assertThat(envelope.isAtBoundary()).isTrue();
      assertThat(received.messages).hasSameSizeAs(sent);
      for (int i = 0; i < sent.size(); i++) {
        assertThat(received.messages.get(i)).as("seed " + seed).isEqualTo(sent.get(i));
      }
    }
  }

  /// Garbage ends in a status or in messages, never in an exception.
  @Test
  void garbageNeverThrows() {
    long seed = System.nanoTime();
    var random = new Random(seed);
    for (int round = 0; round < 2_000; round++) {
      var fresh = new Envelope("pkg.Service/Method", LIMIT);
      var garbage = new byte[random.nextInt(64)];
      random.nextBytes(garbage);
      if (garbage.length > 0) garbage[0] &= 1;
      var fault = fresh.read(Unpooled.wrappedBuffer(garbage), garbage.length, received);
      if (fault != null) {
        assertThat(fault.getCode())
            .as("seed " + seed)
            .isIn(Status.Code.INTERNAL, Status.Code.RESOURCE_EXHAUSTED);
      }
    }
  }

  @Test
  void aFlagOtherThanZeroOrOneIsInternal() {
    var fault = read((byte) 2, (byte) 0, (byte) 0, (byte) 0, (byte) 0);
    if (fault == null) throw new AssertionError("accepted");
    assertThat(fault.getCode()).isEqualTo(Status.Code.INTERNAL);
  }

  @Test
  void aLengthPast2GiBIsTooLargeAndNotNegative() {
    var fault = read((byte) 0, (byte) 0xff, (byte) 0xff, (byte) 0xff, (byte) 0xff);
    if (fault == null) throw new AssertionError("accepted");
    assertThat(fault.getCode()).isEqualTo(Status.Code.RESOURCE_EXHAUSTED);
    assertThat(fault.getDescription()).contains("4294967295").contains("pkg.Service/Method");
  }

  /// A prefix costs the peer 5 bytes; it must not cost us what it announces.
  @Test
  void anAnnouncedLengthAllocatesNothingLikeIt() {
    var envelopes = new Envelope[1_000];
    Arrays.setAll(envelopes, _ -> new Envelope("pkg.Service/Method", LIMIT));
    long before = allocatedBytes();
    for (var one : envelopes) {
      assertThat(one.read(Unpooled.wrappedBuffer(new byte[] {0, 0, 0x0f, 0, 0, 1}), 6, received))
          .isNull();
    }
    assertThat(allocatedBytes() - before).isLessThan(1_000 * 16 << 10);
  }

  private static long allocatedBytes() {
    var threads = (com.sun.management.ThreadMXBean) ManagementFactory.getThreadMXBean();
    return threads.getThreadAllocatedBytes(Thread.currentThread().threadId());
  }

  @Test
  void theEndInsideAPrefixOrMessageIsNoBoundary() {
    assertThat(read((byte) 0)).isNull();
    assertThat(envelope.isAtBoundary()).isFalse();
    assertThat(read((byte) 0, (byte) 0, (byte) 0, (byte) 2, (byte) 9)).isNull();
    assertThat(envelope.isAtBoundary()).isFalse();
    assertThat(envelope.unfinishedBytes()).isEqualTo(6);
    assertThat(read((byte) 9)).isNull();
    assertThat(envelope.isAtBoundary()).isTrue();
  }
}
