package dev.weftline.internal.net;

import static org.assertj.core.api.Assertions.assertThat;

import io.netty.channel.DefaultEventLoop;
import io.netty.channel.RecvByteBufAllocator.ExtendedHandle;
import io.netty.channel.embedded.EmbeddedChannel;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.function.IntSupplier;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/// How much a connection reads before it is the others' turn.
final class ReadSizesTest {
  private final DefaultEventLoop loop = new DefaultEventLoop();
  private final ReadSizes sizes = new ReadSizes(loop);
  private final EmbeddedChannel channel = new EmbeddedChannel();
  private final ExtendedHandle connection = sizes.newHandle();
  private final List<ExtendedHandle> others =
      Stream.generate(() -> (ExtendedHandle) sizes.newHandle()).limit(63).toList();

  @AfterEach
  void end() {
    channel.finishAndReleaseAll();
    loop.shutdownGracefully(0, 1, TimeUnit.SECONDS).awaitUninterruptibly();
  }

  /// One batch of a loop. Returns what the last connection read.
  private int batch(IntSupplier reads) throws Exception {
    int read = loop.submit(reads::getAsInt).get();
    loop.submit(() -> {}).get(); // the batch has ended
    return read;
  }

  /// The connection finds its whole buffer filled. Returns what that held.
  private int readFilled(ExtendedHandle connection) {
    connection.reset(channel.config());
    int bytes = connection.guess();
    connection.attemptedBytesRead(bytes);
    connection.lastBytesRead(bytes);
    connection.incMessagesRead(1);
    assertThat(connection.continueReading()).as("the next one is another connection's").isFalse();
    connection.readComplete();
    return bytes;
  }

  private int readFilled() {
    return readFilled(connection);
  }

  private int readFilledSlowly() {
    return worked(readFilled());
  }

  private int readFilledByOthers(int from, int to) {
    return others.subList(from, to).stream()
        .mapToInt(this::readFilled)
        .reduce((_, it) -> it)
        .orElseThrow();
  }

  private static int worked(int read) {
    try {
      Thread.sleep(12); // what was read is worked on
    } catch (InterruptedException e) {
      throw new IllegalStateException(e);
    }
    return read;
  }

  @Test
  void aBufferThatIsFilledGrowsToSixtyFourKibibytes() throws Exception {
    assertThat(batch(this::readFilled)).isEqualTo(2 << 10);
    assertThat(batch(this::readFilled)).isEqualTo(4 << 10);
    for (int i = 0; i < 5; i++) batch(this::readFilled);
    assertThat(batch(this::readFilled)).isEqualTo(64 << 10);
  }

  @Test
  void aLongRoundMakesTheNextReadsOfAllConnectionsSmaller() throws Exception {
    for (int i = 0; i < 8; i++) batch(this::readFilled);
    assertThat(batch(this::readFilledSlowly)).isEqualTo(64 << 10);
    assertThat(batch(this::readFilledSlowly)).isEqualTo(32 << 10);
    for (int i = 0; i < 20; i++) batch(this::readFilledSlowly);
    assertThat(batch(this::readFilled)).as("the only one still makes progress").isEqualTo(16 << 10);
  }

  @Test
  void manyConnectionsShareWhatALongRoundMayRead() throws Exception {
    for (int i = 0; i < 20; i++) {
      batch(this::readFilledSlowly);
      batch(() -> readFilledByOthers(0, 63));
    }
    assertThat(batch(this::readFilled)).isEqualTo(256);
  }

  @Test
  void whoComesLateInALongRoundReadsLittle() throws Exception {
    for (int i = 0; i < 2; i++) {
      batch(this::readFilled);
      batch(() -> readFilledByOthers(0, 63));
    }
    batch(this::readFilledSlowly);
    assertThat(batch(() -> readFilledByOthers(0, 1))).as("in the next batch").isEqualTo(256);
  }

  @Test
  void whoComesLateAmongManyReadsLittleAfterAQuietRoundToo() throws Exception {
    batch(this::readFilled);
    int last =
        batch(() -> {
          readFilledSlowly();
          return readFilledByOthers(0, 63);
        });
    assertThat(last).isEqualTo(256);
  }

  /// A round is what the loop works, and not what it sleeps.
  @Test
  void timeBetweenBatchesDoesNotMakeARoundLong() throws Exception {
    for (int i = 0; i < 8; i++) {
      batch(this::readFilled);
      Thread.sleep(12);
    }
    assertThat(batch(this::readFilled)).isEqualTo(64 << 10);
  }
}
