package dev.weftline.server;

import static dev.weftline.testing.Probe.answer;
import static dev.weftline.testing.Probe.ask;
import static io.grpc.health.v1.HealthCheckResponse.ServingStatus.NOT_SERVING;
import static io.grpc.health.v1.HealthCheckResponse.ServingStatus.SERVING;
import static org.assertj.core.api.Assertions.assertThat;

import dev.weftline.client.OutboundCall;
import dev.weftline.probe.Answer;
import dev.weftline.probe.Ask;
import dev.weftline.probe.ProbeGrpc;
import io.grpc.CallOptions;
import io.grpc.Grpc;
import io.grpc.InsecureChannelCredentials;
import io.grpc.ManagedChannel;
import io.grpc.StatusRuntimeException;
import io.grpc.health.v1.HealthCheckRequest;
import io.grpc.health.v1.HealthGrpc;
import java.io.IOException;
import java.net.InetAddress;
import java.net.Socket;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/// What SIGTERM and SIGINT do to a process that serves.
@Timeout(120)
final class StopSignalsTest {
  private static final Duration LONG = Duration.ofSeconds(50);

  private final List<ManagedChannel> channels = new ArrayList<>();

  @AfterEach
  void close() {
    channels.forEach(ManagedChannel::shutdownNow);
  }

  private ManagedChannel channel(int port) {
    var channel =
        Grpc.newChannelBuilder("127.0.0.1:" + port, InsecureChannelCredentials.create()).build();
    channels.add(channel);
    return channel;
  }

  private static OutboundCall<Ask, Answer> chat(ManagedChannel channel) {
    var chat = OutboundCall.open(channel, ProbeGrpc.getChatMethod(), CallOptions.DEFAULT);
    chat.send(ask("in"));
    assertThat(chat.iterator().next()).isEqualTo(answer("in"));
    return chat;
  }

  @Test
  void healthIsSeenToChangeBeforeTheFirstConnectionIsRefused() throws Exception {
    try (var process = SignalledProcess.of(1, Duration.ofSeconds(2), LONG)) {
      var channel = channel(process.port(0));
      var watch =
          OutboundCall.open(
              channel,
              HealthGrpc.getWatchMethod(),
              CallOptions.DEFAULT,
              HealthCheckRequest.getDefaultInstance());
      var seen = watch.iterator();
      assertThat(seen.next().getStatus()).isEqualTo(SERVING);
      var refused = CompletableFuture.supplyAsync(() -> awaitRefusal(process.port(0)));

      process.signal("TERM");
      assertThat(seen.next().getStatus()).isEqualTo(NOT_SERVING);
      long changed = System.nanoTime();
      assertThat(refused.get() - changed).isPositive();

      assertThat(seen.hasNext()).isFalse();
      assertThat(process.exitCode()).isZero();
      assertThat(process.output().toList())
          .anyMatch(line -> line.contains("SIGTERM: draining"))
          .anyMatch(line -> line.contains(" 0 cut"))
          .anyMatch(line -> line.equals("the last work of main"));
    }
  }

  /// When a connection is refused, from the nanosecond clock.
  private static long awaitRefusal(int port) {
    for (; ; ) {
      try (var _ = new Socket(InetAddress.getLoopbackAddress(), port)) {
        Thread.sleep(10);
      } catch (IOException e) {
        return System.nanoTime();
      } catch (InterruptedException e) {
        throw new AssertionError(e);
      }
    }
  }

  @Test
  void callsThatAreCutAreCountedAndTheExitCodeIs3() throws Exception {
    try (var process = SignalledProcess.of(1, LONG, Duration.ofMillis(100))) {
      var channel = channel(process.port(0));
      assertThat(ProbeGrpc.newBlockingStub(channel).unary(ask("x"))).isEqualTo(answer("x"));
      try (var chat = chat(channel)) {
        process.signal("INT");
        assertThat(process.exitCode()).isEqualTo(3);
        assertThat(catchEnd(chat)).contains("UNAVAILABLE: the server is shutting down");
      }
      assertThat(process.output().toList())
          .anyMatch(line -> line.contains("SIGINT: draining"))
          .anyMatch(line -> line.contains("closed: 0 calls finished, 1 cut"));
    }
  }

  @Test
  void aSecondSignalClosesAllServersAtOnce() throws Exception {
    try (var process = SignalledProcess.of(2, LONG, LONG)) {
      var first = channel(process.port(0));
      try (var _ = chat(first);
          var _ = chat(channel(process.port(1)))) {
        assertThat(
                HealthGrpc.newBlockingStub(first)
                    .check(HealthCheckRequest.getDefaultInstance())
                    .getStatus())
            .isEqualTo(SERVING);
        process.signal("TERM");
        while (HealthGrpc.newBlockingStub(first)
                .check(HealthCheckRequest.getDefaultInstance())
                .getStatus()
            == SERVING) Thread.sleep(10);
        process.signal("TERM");
        assertThat(process.exitCode()).isEqualTo(3);
      }
      assertThat(process.output().filter(line -> line.contains("closed: 0 calls finished, 1 cut")))
          .hasSize(1);
    }
  }

  /// -Xrs: the JVM leaves signals alone, so nobody can take them; SIGTERM ends it the hard way.
  @Test
  void aJvmThatKeepsSignalsForItselfSaysSoAndServes() throws Exception {
    try (var process = SignalledProcess.of(1, LONG, LONG, "-Xrs")) {
      assertThat(ProbeGrpc.newBlockingStub(channel(process.port(0))).unary(ask("x")))
          .isEqualTo(answer("x"));
      process.signal("TERM");
      assertThat(process.exitCode()).isEqualTo(143);
      assertThat(process.output())
          .anyMatch(line -> line.contains("this JVM keeps signals for itself"));
    }
  }

  private static String catchEnd(OutboundCall<Ask, Answer> chat) {
    try {
      chat.iterator().forEachRemaining(_ -> {});
      return "in order";
    } catch (StatusRuntimeException e) {
      return String.valueOf(e.getMessage());
    }
  }
}
