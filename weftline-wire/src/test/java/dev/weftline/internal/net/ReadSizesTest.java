package dev.weftline.internal.net;

import static org.assertj.core.api.Assertions.assertThat;

import io.netty.channel.DefaultEventLoop;
import io.netty.channel.RecvByteBufAllocator.ExtendedHandle;
import io.netty.channel.embedded.EmbeddedChannel;
import java.util.concurrent.TimeUnit;
import java.util.function.IntSupplier;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/// How much a connection reads in a turn.
final class ReadSizesTest {
  private final DefaultEventLoop loop = new DefaultEventLoop();
  private final ReadSizes sizes = new ReadSizes(loop);
  private final EmbeddedChannel channel = new EmbeddedChannel();
  private final ExtendedHandle connection = sizes.newHandle();

  @AfterEach
  void end() {
    channel.finishAndReleaseAll();
    loop.shutdownGracefully(0, 1, TimeUnit.SECONDS).awaitUninterruptibly();
  }

  /// One turn, in which the connection finds its whole buffer filled. Returns what that held.
  private int turn(IntSupplier work) throws Exception {
    int read = loop.submit(work::getAsInt).get();
    loop.submit(() -> {}).get(); // the turn has ended
    return read;
  }

  private int readFilled() {
    connection.reset(channel.config());
    int bytes = connection.guess();
    connection.attemptedBytesRead(bytes);
    connection.lastBytesRead(bytes);
    connection.incMessagesRead(1);
    assertThat(connection.continueReading()).as("the next one is another connection's").isFalse();
    connection.readComplete();
    return bytes;
  }

  @Test
  void aBufferThatIsFilledGrowsToSixtyFourKibibytes() throws Exception {
    assertThat(turn(this::readFilled)).isEqualTo(2 << 10);
    assertThat(turn(this::readFilled)).isEqualTo(4 << 10);
    for (int i = 0; i < 5; i++) turn(this::readFilled);
    assertThat(turn(this::readFilled)).isEqualTo(64 << 10);
  }

  @Test
  void aLongTurnMakesTheNextReadsOfAllConnectionsSmaller() throws Exception {
    for (int i = 0; i < 8; i++) turn(this::readFilled);
    int before = turn(() -> afterwards(readFilled()));
    assertThat(before).isEqualTo(64 << 10);
    assertThat(sizes.newHandle().guess()).isEqualTo(2 << 10);
    assertThat(connection.guess()).isEqualTo(32 << 10);
    for (int i = 0; i < 20; i++) turn(() -> afterwards(readFilled()));
    assertThat(connection.guess()).as("the only one still makes progress").isEqualTo(16 << 10);
  }

  @Test
  void manyConnectionsShareWhatALongTurnMayRead() throws Exception {
    for (int i = 0; i < 20; i++) turn(() -> afterwards(readFilledByEach(64)));
    assertThat(connection.guess()).isEqualTo(256);
  }

  private int readFilledByEach(int connections) {
    int read = 0;
    for (int i = 0; i < connections; i++) read = readFilled();
    return read;
  }

  private static int afterwards(int read) {
    try {
      Thread.sleep(12); // what was read is worked on
    } catch (InterruptedException e) {
      throw new IllegalStateException(e);
    }
    return read;
  }

  @Test
  void whoComesLateInALongTurnReadsLittle() throws Exception {
    turn(() -> readFilledByEach(64));
    assertThat(turn(() -> readFilledByEachAfterALongOne(8))).isEqualTo(256);
  }

  @Test
  void whoComesLateAmongManyReadsLittleAfterAQuietTurnToo() throws Exception {
    turn(this::readFilled);
    assertThat(turn(() -> readFilledByEachAfterALongOne(63))).isEqualTo(256);
  }

  private int readFilledByEachAfterALongOne(int connections) {
    afterwards(readFilled());
    return readFilledByEach(connections);
  }
}
