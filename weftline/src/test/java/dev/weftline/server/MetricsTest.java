package dev.weftline.server;

import static dev.weftline.testing.Probe.answer;
import static dev.weftline.testing.Probe.ask;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.google.protobuf.ByteString;
import dev.weftline.internal.call.CallCounters;
import dev.weftline.probe.Ask;
import dev.weftline.testing.EchoService;
import dev.weftline.testing.MemoryExchange;
import dev.weftline.testing.Probe;
import dev.weftline.testing.RunningServer;
import dev.weftline.testing.StraightProbe;
import io.grpc.CallOptions;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.stub.ClientCalls;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/// What a server counts: gRFC A66's instruments, and its own.
@Timeout(60)
final class MetricsTest {
  private static final String UNARY = "weftline.probe.Probe/Unary";

  private static MethodMetrics.Ended ended(RunningServer server, String method, Status.Code code) {
    return server.server().metrics().method(method).orElseThrow().ended().stream()
        .filter(ended -> ended.status() == code)
        .findFirst()
        .orElseThrow();
  }

  private static double measure(RunningServer server, String name) {
    return server.server().metrics().measure(name);
  }

  /// The bucket, by its upper bound, that the only value is in.
  private static double boundOfOnly(Histogram histogram) {
    assertThat(histogram.count()).isEqualTo(1);
    int bucket = histogram.counts().indexOf(1L);
    return bucket < histogram.bounds().size()
        ? histogram.bounds().get(bucket)
        : Double.POSITIVE_INFINITY;
  }

  @Test
  void callsAreCountedByMethodAndStatus() {
    var probe =
        StraightProbe.unary(ask -> {
          if (ask.getNumber() == 0) return answer("fine");
          throw Status.fromCodeValue(ask.getNumber()).asRuntimeException();
        });
    try (var server = RunningServer.with(builder -> builder.addService(probe.service()))) {
      for (int i = 0; i < 3; i++) server.blocking().unary(ask(0));
      for (int i = 0; i < 2; i++) {
        assertThatThrownBy(() -> server.blocking().unary(ask(Status.Code.NOT_FOUND.value())))
            .isInstanceOf(StatusRuntimeException.class);
      }
      var method = server.server().metrics().method(UNARY).orElseThrow();
      assertThat(method.started()).isEqualTo(5);
      assertThat(method.ended())
          .extracting(MethodMetrics.Ended::status)
          .containsExactly(Status.Code.OK, Status.Code.NOT_FOUND);
      assertThat(method.ended()).extracting(MethodMetrics.Ended::calls).containsExactly(3L, 2L);
      assertThat(server.server().stats().callsStarted()).isEqualTo(5);
      assertThat(server.server().stats().callsSucceeded()).isEqualTo(3);
      assertThat(server.server().stats().callsFailed()).isEqualTo(2);
    }
  }

  /// gRFC A66: sizes are those of the messages, compressed where they were, without prefixes; times
  /// are seconds.
  @Test
  void timesAndSizesFallIntoTheBucketsOfA66() {
    var probe =
        StraightProbe.unary(_ -> {
          Thread.sleep(21);
          return Probe.answerOf(5_000);
        });
    try (var server = RunningServer.with(builder -> builder.addService(probe.service()))) {
      var big = Ask.newBuilder().setBody(ByteString.copyFrom(new byte[1_500])).build();
      server.blocking().unary(big);
      var ended = ended(server, UNARY, Status.Code.OK);
      assertThat(ended.duration().bounds()).startsWith(0d, 0.00001, 0.00005).endsWith(50d, 100d);
      assertThat(ended.duration().bounds()).hasSize(41);
      assertThat(ended.duration().sum()).isBetween(0.021, 30d);
      assertThat(boundOfOnly(ended.duration())).isGreaterThanOrEqualTo(0.025);
      assertThat(ended.sent().bounds()).hasSize(14).startsWith(0d, 1024d).endsWith(4294967296d);
      assertThat(boundOfOnly(ended.received())).isEqualTo(2_048);
      assertThat(ended.received().sum()).isEqualTo(big.getSerializedSize());
      assertThat(boundOfOnly(ended.sent())).isEqualTo(16_384);
      assertThat(ended.sent().sum()).isEqualTo(Probe.answerOf(5_000).getSerializedSize());
    }
  }

  @Test
  void whatIsCompressedCountsCompressed() {
    try (var server = RunningServer.of(new EchoService())) {
      var zeroes = Ask.newBuilder().setBody(ByteString.copyFrom(new byte[100_000])).build();
      server.blocking().withCompression("gzip").unary(zeroes);
      var ended = ended(server, UNARY, Status.Code.OK);
      assertThat(ended.received().sum()).isBetween(1d, 2_000d);
      assertThat(ended.sent().sum()).isGreaterThan(100_000d);
    }
  }

  @Test
  void openCallsAreInFlight() throws Exception {
    var begun = new CountDownLatch(1);
    var release = new CountDownLatch(1);
    var probe =
        StraightProbe.unary(_ -> {
          begun.countDown();
          release.await();
          return answer("x");
        });
    try (var server = RunningServer.with(builder -> builder.addService(probe.service()))) {
      var reply =
          ClientCalls.futureUnaryCall(
              server
                  .channel()
                  .newCall(dev.weftline.probe.ProbeGrpc.getUnaryMethod(), CallOptions.DEFAULT),
              ask("x"));
      begun.await();
      assertThat(measure(server, "weftline.server.calls.in_flight")).isEqualTo(1);
      assertThat(measure(server, "weftline.server.connections.open")).isEqualTo(1);
      release.countDown();
      reply.get();
      assertThat(measure(server, "weftline.server.calls.in_flight")).isZero();
      assertThat(measure(server, "weftline.server.loop.cpu_time")).isPositive();
    }
  }

  /// Names that clients make up must not fill the memory, ours or that of whoever collects.
  @Test
  void tenThousandUnknownMethodsAreOneEntry() {
    var counters = new CallCounters();
    var router = Probe.router(counters, new EchoService());
    for (int i = 0; i < 10_000; i++) {
      MemoryExchange.open(router, MemoryExchange.request("/made.Up/Name" + i), true).await();
    }
    var methods = MethodMetrics.of(counters);
    assertThat(methods).extracting(MethodMetrics::method).containsExactly(MethodMetrics.OTHER);
    assertThat(methods.getFirst().started()).isEqualTo(10_000);
    assertThat(methods.getFirst().ended())
        .extracting(MethodMetrics.Ended::calls)
        .containsExactly(10_000L);
    assertThat(counters.refusedByReason())
        .containsOnly(java.util.Map.entry("UNKNOWN_METHOD", 10_000L));
  }

  @Test
  void refusalsAreCountedByTheirReasons() {
    var counters = new CallCounters();
    var router = Probe.router(counters, new EchoService());
    var request = MemoryExchange.request(Probe.UNARY).add("grpc-timeout", "soon");
    MemoryExchange.open(router, request, true).await();
    MemoryExchange.open(router, MemoryExchange.request(Probe.UNARY), true).await();
    var badPrefix = new byte[] {7, 0, 0, 0, 0};
    MemoryExchange.open(router, MemoryExchange.request(Probe.UNARY), false).data(badPrefix).await();
    var tooLarge = new byte[] {0, 1, 0, 0, 0};
    MemoryExchange.open(router, MemoryExchange.request(Probe.UNARY), false).data(tooLarge).await();
    assertThat(counters.refusedByReason().keySet())
        .isEqualTo(
            new java.util.TreeSet<>(
                List.of(
                    "MALFORMED_TIMEOUT",
                    "WRONG_CARDINALITY",
                    "MALFORMED_MESSAGE",
                    "MESSAGE_TOO_LARGE")));
    assertThat(counters.refused()).isEqualTo(4);
    // Each is a call of its method, started and ended.
    var method = MethodMetrics.of(counters).getFirst();
    assertThat(method.method()).isEqualTo(UNARY);
    assertThat(method.started()).isEqualTo(4);
    assertThat(method.ended().stream().mapToLong(MethodMetrics.Ended::calls).sum()).isEqualTo(4);
  }
}
