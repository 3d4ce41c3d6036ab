package dev.weftline.benchmarks;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.weftline.benchmarks.peer.Peer;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/// A server in a process of its own, checked and measured as the comparison does it.
class PeerProcessTest {
  @TempDir Path logs;

  private PeerProcess.Launch launch(String... flags) {
    return new PeerProcess.Launch(System.getProperty("java.class.path"), List.of(flags), -1, logs);
  }

  @ParameterizedTest
  @EnumSource(names = {"WEFTLINE", "WEFTLINE_GRPC_JAVA", "FLOOR"})
  void answersRightlyAndTellsWhatItUses(Peer peer) throws IOException, InterruptedException {
    try (var server = PeerProcess.start(peer, launch("--enable-native-access=ALL-UNNAMED"))) {
      HelloCheck.check(peer, server.port());
      try (var connection = RawConnection.open(server.port())) {
        assertThat(connection.call(Scenario.UNARY_10K.path(), Scenario.UNARY_10K.body()))
            .isEqualTo((int) Scenario.UNARY_10K.replyBytes());
      }
      assertThat(server.cpuMicros()).isPositive();
      assertThat(server.memory().allocatedBytes()).isPositive();
      assertThat(server.collect().heapBytes()).isBetween(1L << 20, 64L << 20);
      assertThat(server.residentBytesMax()).isGreaterThan(1L << 20);
    }
  }

  @Test
  void aServerThatCannotStartSaysWhy() {
    assertThatThrownBy(() -> PeerProcess.start(Peer.FLOOR, launch("-Xmx1m")))
        .isInstanceOf(IOException.class)
        .hasMessageContaining("Too small maximum heap");
  }

  /// proc(5): the name of a thread may hold spaces and brackets.
  @Test
  void processorTimeIsFoundBehindAnyThreadName() {
    assertThat(PeerProcess.ticks("7 (C2 Comp) ire) S 1 1 1 0 -1 4194304 5 0 0 0 120 34 0 0 20 0"))
        .isEqualTo(154);
  }
}
