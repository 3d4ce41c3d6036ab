package dev.weftline.server;

import static dev.weftline.internal.health.HealthCheckResponse.ServingStatus.NOT_SERVING;
import static dev.weftline.internal.health.HealthCheckResponse.ServingStatus.SERVICE_UNKNOWN;
import static dev.weftline.internal.health.HealthCheckResponse.ServingStatus.SERVING;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import com.google.rpc.ErrorInfo;
import com.google.rpc.RetryInfo;
import dev.weftline.CallException;
import dev.weftline.Service;
import dev.weftline.client.OutboundCall;
import dev.weftline.internal.health.HealthCheckRequest;
import dev.weftline.internal.health.HealthCheckResponse;
import dev.weftline.internal.health.HealthListRequest;
import dev.weftline.internal.health.HealthListResponse;
import dev.weftline.testing.EchoService;
import dev.weftline.testing.RunningServer;
import io.grpc.CallOptions;
import io.grpc.MethodDescriptor;
import io.grpc.StatusRuntimeException;
import io.grpc.protobuf.services.HealthStatusManager;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/// What a server says of its health, as it is said and as it is asked for.
@Timeout(60)
final class HealthTest {
  private static final String PROBE = "weftline.probe.Probe";
  private static final Duration SOON = Duration.ofMillis(10);

  private static RunningServer running() {
    return RunningServer.of(new EchoService());
  }

  @Test
  void aServerAndItsServicesServeFromTheStart() {
    try (var running = running()) {
      assertThat(check(running, "")).isEqualTo(SERVING);
      assertThat(check(running, PROBE)).isEqualTo(SERVING);
      assertThatThrownBy(() -> check(running, "nobody"))
          .isInstanceOf(StatusRuntimeException.class)
          .hasMessageContaining("NOT_FOUND: no service is called nobody");
    }
  }

  /// Neither waits for a thread: on a server that is asked for more than it can do, that is a queue
  /// of thousands.
  @Test
  void checksAndProbesAreAnsweredWhileEveryThreadIsBusy() throws Exception {
    var stop = new AtomicBoolean();
    var busy = new ArrayList<Thread>();
    try (var running = running();
        var http = HttpClient.newHttpClient()) {
      for (int i = 0; i < 4 * Runtime.getRuntime().availableProcessors(); i++) {
        busy.add(
            Thread.startVirtualThread(() -> {
              while (!stop.get()) Thread.onSpinWait();
            }));
      }
      var uri = URI.create("http://localhost:" + running.server().port() + "/healthz");
      var probe = HttpRequest.newBuilder(uri).timeout(Duration.ofSeconds(20)).build();
      for (int i = 0; i < 20; i++) {
        assertThat(check(running, "")).isEqualTo(SERVING);
        assertThat(http.send(probe, BodyHandlers.ofString()).body()).isEqualTo("SERVING\n");
      }
      assertThat(busy).allMatch(Thread::isAlive);
    } finally {
      stop.set(true);
    }
    for (var thread : busy) thread.join();
  }

  @Test
  void listTellsOfAll() {
    try (var running = running()) {
      running.server().health().set("printer", false);
      var statuses =
          OutboundCall.unary(
                  running.channel(),
                  HealthTest.<HealthListRequest, HealthListResponse>method("List"),
                  CallOptions.DEFAULT,
                  HealthListRequest.getDefaultInstance())
              .getStatusesMap();
      assertThat(statuses)
          .isEqualTo(
              Map.of(
                  "",
                  response(SERVING),
                  PROBE,
                  response(SERVING),
                  "printer",
                  response(NOT_SERVING)));
    }
  }

  @Test
  void aWatchSeesEachChangeAndNothingTwice() {
    try (var running = running();
        var watch = watch(running, PROBE)) {
      var seen = watch.iterator();
      assertThat(seen.next()).isEqualTo(response(SERVING));
      running.server().health().set("", false); // of others
      running.server().health().set(PROBE, true); // no news
      running.server().health().set(PROBE, false);
      assertThat(seen.next()).isEqualTo(response(NOT_SERVING));
      running.server().health().set(PROBE, true);
      assertThat(seen.next()).isEqualTo(response(SERVING));
    }
  }

  @Test
  void aWatchOfAServiceThatNobodyKnowsHearsWhenThatChanges() {
    try (var running = running();
        var watch = watch(running, "later")) {
      var seen = watch.iterator();
      assertThat(seen.next()).isEqualTo(response(SERVICE_UNKNOWN));
      running.server().health().set("later", true);
      assertThat(seen.next()).isEqualTo(response(SERVING));
    }
  }

  @Test
  void aDependencyThatIsMissingTurnsTheWholeServer() {
    var there = new AtomicBoolean();
    try (var running = running();
        var watch = watch(running, PROBE)) {
      var seen = watch.iterator();
      assertThat(seen.next()).isEqualTo(response(SERVING));
      var health = running.server().health();
      health.check(HealthCheck.of("database", there::get).withInterval(SOON));
      assertThat(seen.next()).isEqualTo(response(NOT_SERVING));
      assertThat(health.isServing(Health.SERVER)).isFalse();
      there.set(true);
      assertThat(seen.next()).isEqualTo(response(SERVING));
      assertThat(health.isServing(Health.SERVER)).isTrue();
    }
  }

  @Test
  void aDependencyOfOneServiceLeavesTheOthers() {
    try (var running = running()) {
      var health = running.server().health();
      health.check(
          HealthCheck.of(
                  "printer",
                  () -> {
                    throw new IllegalStateException("out of paper");
                  })
              .withService(PROBE)
              .withInterval(SOON));
      assertThat(check(running, PROBE)).isEqualTo(NOT_SERVING);
      assertThat(check(running, "")).isEqualTo(SERVING);
    }
  }

  /// The result is kept for the interval, and asking does not look.
  @Test
  void howOftenHealthIsAskedForMakesNoDifferenceToADependency() throws Exception {
    var looks = new AtomicInteger();
    try (var running = running();
        var watch = watch(running, "")) {
      running
          .server()
          .health()
          .check(
              HealthCheck.of("database", () -> looks.incrementAndGet() > 0)
                  .withInterval(Duration.ofHours(1)));
      for (var status : watch) {
        if (status.getStatus() == SERVING && looks.get() > 0) break;
      }
      for (int i = 0; i < 20; i++) assertThat(check(running, "")).isEqualTo(SERVING);
      assertThat(looks).hasValue(1);
    }
  }

  @Test
  void aLookThatTakesTooLongFailsAndIsInterruptedAndNoOtherIsBegunMeanwhile() throws Exception {
    var interrupted = new CountDownLatch(1);
    var leave = new CountDownLatch(1);
    var looks = new AtomicInteger();
    try (var running = running()) {
      var health = running.server().health();
      health.check(
          HealthCheck.of(
                  "tarpit",
                  () -> {
                    if (looks.incrementAndGet() > 1) return true;
                    try {
                      Thread.sleep(Duration.ofHours(1));
                    } catch (InterruptedException e) {
                      interrupted.countDown();
                      leave.await(); // does not listen
                    }
                    return true;
                  })
              .withInterval(SOON)
              .withTimeout(SOON));
      assertThat(interrupted.await(20, TimeUnit.SECONDS)).isTrue();
      assertThat(check(running, "")).isEqualTo(NOT_SERVING);
      assertThat(looks).hasValue(1);
      try (var watch = watch(running, "")) {
        leave.countDown();
        for (var status : watch) {
          if (status.getStatus() == SERVING) break;
        }
      }
      assertThat(looks).hasValueGreaterThan(1);
    }
  }

  @Test
  void healthCanBeSetBeforeTheStart() throws Exception {
    var server = Server.builder().port(0).signals(false).addService(new EchoService()).build();
    server.health().set(Health.SERVER, false);
    try (var _ = server.start()) {
      assertThat(server.health().isServing(Health.SERVER)).isFalse();
      assertThat(server.health().isServing(PROBE)).isTrue();
    }
  }

  @Test
  void aHealthServiceOfTheApplicationStandsInPlaceOfOurs() {
    var own = new HealthStatusManager();
    own.setStatus("", io.grpc.health.v1.HealthCheckResponse.ServingStatus.NOT_SERVING);
    try (var running =
        RunningServer.with(builder -> builder.addService(Service.of(own.getHealthService())))) {
      assertThat(check(running, "")).isEqualTo(NOT_SERVING);
      assertThat(running.server().health().isServing("")).isTrue();
    }
  }

  @Test
  void moreWatchesThanThereMayBeAreRefusedAndToldWhenToTryAgain() {
    var service = new HealthService(new Health(List.of()), 1).service();
    try (var running = RunningServer.with(builder -> builder.addService(service));
        var first = watch(running, "")) {
      assertThat(first.iterator().next()).isEqualTo(response(SERVING));
      StatusRuntimeException refusal;
      try (var second = watch(running, "")) {
        refusal =
            catchThrowableOfType(StatusRuntimeException.class, () -> second.iterator().next());
      }
      assertThat(refusal).hasMessageContaining("RESOURCE_EXHAUSTED: health is watched by 1 calls");
      assertThat(CallException.detail(refusal, ErrorInfo.class))
          .hasValueSatisfying(
              why -> assertThat(why.getReason()).isEqualTo("HEALTH_WATCHES_EXHAUSTED"));
      assertThat(CallException.detail(refusal, RetryInfo.class)).isPresent();
      assertThat(check(running, "")).isEqualTo(SERVING);
    }
  }

  private static HealthCheckResponse.ServingStatus check(RunningServer running, String service) {
    return OutboundCall.unary(
            running.channel(),
            HealthTest.<HealthCheckRequest, HealthCheckResponse>method("Check"),
            CallOptions.DEFAULT,
            request(service))
        .getStatus();
  }

  private static OutboundCall<HealthCheckRequest, HealthCheckResponse> watch(
      RunningServer running, String service) {
    return OutboundCall.open(
        running.channel(), method("Watch"), CallOptions.DEFAULT, request(service));
  }

  private static HealthCheckRequest request(String service) {
    return HealthCheckRequest.newBuilder().setService(service).build();
  }

  private static HealthCheckResponse response(HealthCheckResponse.ServingStatus status) {
    return HealthCheckResponse.newBuilder().setStatus(status).build();
  }

  /// As our own service has it: grpc-services knows no List.
  @SuppressWarnings({"unchecked", "TypeParameterUnusedInFormals"}) // by the name
  private static <ReqT, RespT> MethodDescriptor<ReqT, RespT> method(String name) {
    return new HealthService(new Health(List.of()), 1)
        .service().methods().stream()
            .map(method -> (MethodDescriptor<ReqT, RespT>) method.descriptor())
            .filter(method -> name.equals(method.getBareMethodName()))
            .findFirst()
            .orElseThrow();
  }
}
