package dev.weftline.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.weftline.tutorial.hello.GreeterGrpc;
import dev.weftline.tutorial.hello.HelloReply;
import dev.weftline.tutorial.hello.HelloRequest;
import io.grpc.Grpc;
import io.grpc.InsecureChannelCredentials;
import io.grpc.ManagedChannel;
import io.grpc.Status;
import io.grpc.StatusException;
import io.grpc.health.v1.HealthCheckRequest;
import io.grpc.health.v1.HealthCheckResponse.ServingStatus;
import io.grpc.health.v1.HealthGrpc;
import io.grpc.reflection.v1.ServerReflectionGrpc;
import io.grpc.reflection.v1.ServerReflectionRequest;
import io.grpc.reflection.v1.ServiceResponse;
import io.grpc.stub.BlockingClientCall;
import java.net.ServerSocket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@Timeout(60)
class DemoTest {
  @Nested
  class Running {
    private WeftProcess demo;
    private int port;
    private ManagedChannel channel;

    @BeforeEach
    void start() throws Exception {
      demo = WeftProcess.started("demo", "--port", "0");
      port = demo.port();
      channel =
          Grpc.newChannelBuilder("localhost:" + port, InsecureChannelCredentials.create()).build();
    }

    @AfterEach
    void stop() {
      channel.shutdownNow();
      demo.close();
    }

    @Test
    void healthIsServing() throws StatusException {
      var health = HealthGrpc.newBlockingV2Stub(channel);
      assertThat(health.check(HealthCheckRequest.getDefaultInstance()).getStatus())
          .isEqualTo(ServingStatus.SERVING);
    }

    @Test
    void metricsCountItsCalls() throws Exception {
      assertThat(
              GreeterGrpc.newBlockingV2Stub(channel)
                  .sayHello(HelloRequest.newBuilder().setName("Ada").build()))
          .isNotNull();
      var page =
          HttpRequest.newBuilder(URI.create("http://localhost:" + port + "/metrics")).build();
      try (var client = HttpClient.newHttpClient()) {
        assertThat(client.send(page, BodyHandlers.ofString()).body())
            .contains(
                "grpc_server_call_started_total{grpc_method=\"helloworld.Greeter/SayHello\"} 1.0");
      }
    }

    @Test
    void reflectionListsEveryService() throws Exception {
      var reflection = ServerReflectionGrpc.newBlockingV2Stub(channel).serverReflectionInfo();
      assertThat(reflection.write(ServerReflectionRequest.newBuilder().setListServices("").build()))
          .isTrue();
      assertThat(reflection.read().getListServicesResponse().getServiceList())
          .extracting(ServiceResponse::getName)
          .containsExactlyInAnyOrder(
              "chat.Chat",
              "grpc.health.v1.Health",
              "grpc.reflection.v1.ServerReflection",
              "grpc.reflection.v1alpha.ServerReflection",
              "helloworld.Greeter",
              "routeguide.RouteGuide",
              "users.UserManager");
      reflection.halfClose();
    }

    @Test
    void whatItSaysToTryWorks() throws Exception {
      var suggestions = demo.suggestions();
      assertThat(suggestions).hasSize(3);
      for (var suggestion : suggestions) {
        try (var weft = WeftProcess.started(suggestion.split(" ", -1))) {
          weft.endInput();
          var expected = suggestion.startsWith("chat") ? "room: " : "Hello World";
          assertThat(weft.out()).isNotEmpty().allMatch(line -> line.startsWith(expected));
          assertThat(weft.exitCode()).isZero();
        }
      }
    }

    @ParameterizedTest
    @ValueSource(strings = {"TERM", "INT"})
    void aSignalLetsACallInFlightFinishAndThenExitsWith0(String signal) throws Exception {
      var greetings = GreeterGrpc.newBlockingV2Stub(channel).sayHelloBidi();
      assertThat(greeted(greetings, "before")).isEqualTo("Hello before");

      demo.signal(signal);
      awaitRefusal();
      assertThat(demo.isAlive()).isTrue();
      assertThat(greeted(greetings, "during")).isEqualTo("Hello during");

      greetings.halfClose();
      assertThat(greetings.read()).as("the end of the stream").isNull();
      assertThat(demo.exitCode()).isZero();
      assertThat(demo.err()).filteredOn(line -> line.contains("INFO SIG" + signal)).hasSize(1);
      // A slow machine's first call may be reported with where it was, and that is no failure.
      assertThat(demo.err())
          .as("WARN and exceptions")
          .allMatch(line ->
              line.contains(" INFO ")
                  || line.contains(" has held its event loop for ")
                  || line.startsWith("\tat "));
    }

    @Test
    void aSecondSignalEndsTheCallsAtOnce() throws Exception {
      var greetings = GreeterGrpc.newBlockingV2Stub(channel).sayHelloBidi();
      assertThat(greeted(greetings, "before")).isEqualTo("Hello before");

      demo.signal("TERM");
      awaitRefusal();
      demo.signal("TERM");
      assertThat(demo.exitCode()).isEqualTo(3);
      assertThatThrownBy(greetings::read).isInstanceOf(StatusException.class);
    }

    @Test
    void aSignalEndsAnOpenChatWithAGoodbye() throws Exception {
      try (var ada = WeftProcess.started("chat", "localhost:" + port, "--name", "Ada")) {
        ada.awaitLine("welcome, Ada");
        demo.signal("TERM");
        assertThat(demo.exitCode()).isZero();
        assertThat(ada.exitCode()).isZero();
        assertThat(ada.out())
            .containsExactly(
                "room: the server closes, come back in a moment", "room: goodbye, Ada");
      }
    }

    /// Whoever connects after the signal finds nobody. Nobody has asked for health, so there is no
    /// lame duck to wait for.
    private void awaitRefusal() throws InterruptedException {
      var latecomer =
          Grpc.newChannelBuilder("localhost:" + port, InsecureChannelCredentials.create()).build();
      try {
        for (int attempt = 0; attempt < 100; attempt++) {
          try {
            greet(latecomer);
          } catch (StatusException e) {
            assertThat(e.getStatus().getCode()).isEqualTo(Status.Code.UNAVAILABLE);
            return;
          }
          Thread.sleep(50);
        }
        throw new AssertionError("still serving 5 s after the signal");
      } finally {
        latecomer.shutdownNow();
      }
    }
  }

  @Test
  void callsThatOutliveTheGraceTimeAreEnded() throws Exception {
    try (var demo = WeftProcess.started("demo", "--port", "0", "--grace", "1")) {
      var channel =
          Grpc.newChannelBuilder("localhost:" + demo.port(), InsecureChannelCredentials.create())
              .build();
      var greetings = GreeterGrpc.newBlockingV2Stub(channel).sayHelloBidi();
      assertThat(greeted(greetings, "before")).isEqualTo("Hello before");

      demo.signal("TERM");
      assertThat(demo.exitCode()).isEqualTo(3);
      assertThatThrownBy(greetings::read).isInstanceOf(StatusException.class);
      channel.shutdownNow();
    }
  }

  @Test
  void thePortComesFromTheEnvironmentWhenNoneIsGiven() throws Exception {
    try (var demo = WeftProcess.started(Map.of("PORT", "0"), "demo")) {
      assertThat(demo.port()).isPositive().isNotEqualTo(50051);
    }
  }

  @Test
  void aTakenPortIsOneLineAndExitCode2() throws Exception {
    try (var taken = new ServerSocket(0);
        var demo = WeftProcess.started("demo", "--port", "" + taken.getLocalPort())) {
      assertThat(demo.exitCode()).isEqualTo(2);
      assertThat(demo.err())
          .containsExactly(
              "weft demo: port %d is already in use on [::] (BindException): stop the other process or choose another port"
                  .formatted(taken.getLocalPort()));
    }
  }

  /// Two servers on one port would share its connections: nobody wants that of a demo.
  @Test
  void aSecondDemoFindsThePortTaken() throws Exception {
    try (var first = WeftProcess.started("demo", "--port", "0")) {
      int port = first.port();
      try (var second = WeftProcess.started("demo", "--port", "" + port)) {
        assertThat(second.exitCode()).isEqualTo(2);
        assertThat(second.err())
            .singleElement()
            .asString()
            .contains("port " + port + " is already in use");
      }
    }
  }

  @Test
  void aBadPortInTheEnvironmentIsOneLineAndExitCode2() throws Exception {
    try (var demo = WeftProcess.started(Map.of("PORT", "http"), "demo")) {
      assertThat(demo.exitCode()).isEqualTo(2);
      assertThat(demo.err())
          .singleElement()
          .asString()
          .contains("PORT", "'http' is not a port (0 to 65535)");
    }
  }

  private static void greet(ManagedChannel channel) throws StatusException {
    var greeter = GreeterGrpc.newBlockingV2Stub(channel).withDeadlineAfter(10, TimeUnit.SECONDS);
    assertThat(greeter.sayHello(HelloRequest.getDefaultInstance()).getMessage()).isNotEmpty();
  }

  private static String greeted(BlockingClientCall<HelloRequest, HelloReply> greetings, String name)
      throws Exception {
    assertThat(greetings.write(HelloRequest.newBuilder().setName(name).build())).isTrue();
    return greetings.read().getMessage();
  }
}
