package dev.weftline.benchmarks;

import static org.assertj.core.api.Assertions.assertThat;

import dev.weftline.benchmarks.peer.Peer;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.function.LongSupplier;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// On a busy machine time lies and allocation does not: what a server allocates for one unary call
/// besides the protobuf messages, all of it: connection, stream, call, thread.
///
/// In a JVM of its own, with the first JIT compiler only: it allocates what the code says, and the
/// figure is the same in every run. The second one leaves out what it can prove useless, between 20
/// and 250 bytes of it, and differs from run to run.
///
/// It prints what it found: a better figure is recorded here. 80 of the bytes are the call's
/// account of its times and sizes.
class CallAllocationTest {
  /// Two messages of 32 bytes, which share a ByteString of 24 and its bytes, 32: with compressed
  /// references, by the layout of the classes.
  private static final long MESSAGE_BYTES = 120;

  /// Around the recorded figures.
  private static final double TOLERANCE = 0.10;

  private static final int CALLS = 16_000;
  private static final int AT_ONCE = 16;
  private static final int ROUNDS_MIN = 8;
  private static final int QUIET_ROUNDS = 4;
  private static final int ROUNDS_MAX = 80;

  @TempDir Path logs;

  @ParameterizedTest
  @CsvSource({"weftline, 1912", "weftline-grpc-java, 1960"})
  void aUnaryCallCostsWhatIsRecorded(String peer, long recorded) throws IOException {
    var flags = new ArrayList<>(PeerProcess.FLAGS);
    flags.add("-XX:TieredStopAtLevel=1");
    var launch = new PeerProcess.Launch(System.getProperty("java.class.path"), flags, -1, logs);
    try (var server = PeerProcess.start(Peer.of(peer), launch);
        var connection = RawConnection.open(server.port())) {
      long found = least(() -> perCall(server, connection)) - MESSAGE_BYTES;
      System.getLogger(CallAllocationTest.class.getName())
          .log(System.Logger.Level.INFO, "bytes per unary call, {0}: {1}", peer, found);
      assertThat((double) found)
          .as("bytes per unary call, %s", peer)
          .isBetween(recorded * (1 - TOLERANCE), recorded * (1 + TOLERANCE));
    }
  }

  private static long perCall(PeerProcess server, RawConnection connection) {
    try {
      long before = server.memory().allocatedBytes();
      for (int i = 0; i < CALLS; i += AT_ONCE) {
        connection.calls(Scenario.UNARY_8X16.path(), Scenario.UNARY_8X16.body(), AT_ONCE);
      }
      return (server.memory().allocatedBytes() - before) / CALLS;
    } catch (IOException e) {
      throw new AssertionError(e);
    }
  }

  /// The least of as many rounds as it takes until they bring nothing new: the JIT compiler takes
  /// its time.
  private static long least(LongSupplier round) {
    long least = Long.MAX_VALUE;
    for (int i = 0, quiet = 0; i < ROUNDS_MAX && (i < ROUNDS_MIN || quiet < QUIET_ROUNDS); i++) {
      long found = round.getAsLong();
      quiet = found < least - least / 100 ? 0 : quiet + 1;
      least = Math.min(least, found);
    }
    return least;
  }
}
