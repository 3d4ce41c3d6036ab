package dev.weftline.server;

import static dev.weftline.testing.Probe.answer;
import static dev.weftline.testing.Probe.ask;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.weftline.probe.Answer;
import dev.weftline.probe.Ask;
import dev.weftline.probe.ProbeGrpc;
import dev.weftline.probe.ProbeGrpc.ProbeImplBase;
import dev.weftline.testing.EchoService;
import dev.weftline.testing.RunningServer;
import io.grpc.Grpc;
import io.grpc.InsecureServerCredentials;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.TlsChannelCredentials;
import io.grpc.TlsServerCredentials;
import io.grpc.health.v1.HealthCheckRequest;
import io.grpc.health.v1.HealthGrpc;
import io.grpc.netty.NegotiationType;
import io.grpc.netty.NettyChannelBuilder;
import io.grpc.stub.StreamObserver;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.nio.NioIoHandler;
import io.netty.channel.socket.nio.NioDomainSocketChannel;
import io.netty.pkitesting.CertificateBuilder;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.net.UnixDomainSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(30)
final class ServerTest {
  /// A service whose unary call waits until the test lets it go.
  private static final class SlowService extends ProbeImplBase {
    final CountDownLatch entered = new CountDownLatch(1);
    final CountDownLatch leave = new CountDownLatch(1);
    final CompletableFuture<String> end = new CompletableFuture<>();

    @Override
    public void unary(Ask ask, StreamObserver<Answer> observer) {
      entered.countDown();
      try {
        leave.await();
        end.complete("left");
      } catch (InterruptedException e) {
        end.complete("interrupted");
      }
      observer.onNext(answer(ask.getText()));
      observer.onCompleted();
    }
  }

  @Test
  void aGrpcJavaClientIsAnswered() {
    try (var running = RunningServer.of(new EchoService())) {
      assertThat(running.blocking().unary(ask("hello"))).isEqualTo(answer("hello"));
    }
  }

  /// RFC 7540 §3.2: the request that upgrades is answered on stream 1, and calls follow.
  @Test
  void aGrpcJavaClientThatUpgradesFromHttp1IsAnswered() {
    try (var running = RunningServer.of(new EchoService())) {
      var channel =
          NettyChannelBuilder.forAddress("127.0.0.1", running.server().port())
              .negotiationType(NegotiationType.PLAINTEXT_UPGRADE)
              .build();
      assertThat(ProbeGrpc.newBlockingStub(channel).unary(ask("up"))).isEqualTo(answer("up"));
      channel.shutdownNow();
    }
  }

  @Test
  void twoServersSharePortWhenBothAreTold() throws Exception {
    try (var first =
        Server.builder().port(0).reusePort(true).addService(new EchoService()).start()) {
      assertThatThrownBy(() -> Server.builder().port(first.port()).start())
          .hasMessageContaining("already in use");
      try (var second =
          Server.builder()
              .port(first.port())
              .reusePort(true)
              .addService(new EchoService())
              .start()) {
        assertThat(second.port()).isEqualTo(first.port());
      }
    }
  }

  /// One socket file instead of a port.
  @Test
  void aUnixDomainSocketIsServed(@TempDir Path directory) throws Exception {
    var socket = directory.resolve("probe.sock");
    try (var server =
        Server.builder()
            .address(UnixDomainSocketAddress.of(socket))
            .addService(new EchoService())
            .start()) {
      assertThat(server.addresses()).containsExactly(UnixDomainSocketAddress.of(socket));
      var loop = new MultiThreadIoEventLoopGroup(1, NioIoHandler.newFactory());
      var channel =
          NettyChannelBuilder.forAddress(UnixDomainSocketAddress.of(socket))
              .eventLoopGroup(loop)
              .channelType(NioDomainSocketChannel.class, UnixDomainSocketAddress.class)
              .usePlaintext()
              .build();
      assertThat(ProbeGrpc.newBlockingStub(channel).unary(ask("file"))).isEqualTo(answer("file"));
      channel.shutdownNow();
      loop.shutdownGracefully();
    }
  }

  @Test
  void whatWasServedAndRefusedIsCounted() {
    try (var running =
        RunningServer.with(builder -> builder.addService(new EchoService()).health(false))) {
      running.blocking().unary(ask("x"));
      assertThatThrownBy(() ->
              HealthGrpc.newBlockingStub(running.channel())
                  .check(HealthCheckRequest.getDefaultInstance()))
          .hasMessageContaining("UNIMPLEMENTED");
      var stats = running.server().stats();
      assertThat(stats.connections()).isEqualTo(1);
      assertThat(stats.callsStarted()).isEqualTo(1);
      assertThat(stats.callsSucceeded()).isEqualTo(1);
      assertThat(stats.callsFailed()).isZero();
      assertThat(stats.requestsRefused()).isEqualTo(1);
      assertThat(stats.rulesBroken()).isEmpty();
    }
  }

  @Test
  void grpcJavaFindsWeftlineByItself() throws Exception {
    var server =
        Grpc.newServerBuilderForPort(0, InsecureServerCredentials.create())
            .addService(new EchoService())
            .build();
    assertThat(server.getClass().getPackageName()).isEqualTo("dev.weftline.server");
    server.start();
    assertThat(server.getPort()).isPositive();
    assertThat(server.getServices()).hasSize(1);
    server.shutdown();
    assertThat(server.awaitTermination(5, TimeUnit.SECONDS)).isTrue();
    assertThat(server.isTerminated()).isTrue();
  }

  @Test
  void tlsWithGrpcJavasCredentials() throws Exception {
    var certificate =
        new CertificateBuilder()
            .subject("CN=localhost")
            .addSanDnsName("localhost")
            .setIsCertificateAuthority(true)
            .buildSelfSigned();
    var credentials =
        TlsServerCredentials.create(
            pem(certificate.getCertificatePEM()), pem(certificate.getPrivateKeyPEM()));
    try (var running =
        RunningServer.with(
            builder -> builder.addService(new EchoService()).credentials(credentials))) {
      var channel =
          Grpc.newChannelBuilder(
                  "localhost:" + running.server().port(),
                  TlsChannelCredentials.newBuilder()
                      .trustManager(pem(certificate.getCertificatePEM()))
                      .build())
              .build();
      try {
        assertThat(ProbeGrpc.newBlockingStub(channel).unary(ask("secret")))
            .isEqualTo(answer("secret"));
      } finally {
        channel.shutdownNow();
      }
    }
  }

  private static InputStream pem(String text) {
    return new ByteArrayInputStream(text.getBytes(StandardCharsets.US_ASCII));
  }

  @Test
  void aTakenPortIsOneSentence() {
    try (var running = RunningServer.of(new EchoService())) {
      int port = running.server().port();
      assertThatThrownBy(() -> Server.builder().port(port).start())
          .isInstanceOf(IOException.class)
          .hasMessageContaining("port " + port + " is already in use");
    }
  }

  @Test
  void drainLetsOpenCallsFinishAndRefusesNewOnes() throws Exception {
    var service = new SlowService();
    try (var running = RunningServer.of(service)) {
      var reply = ProbeGrpc.newFutureStub(running.channel()).unary(ask("last"));
      assertThat(service.entered.await(5, TimeUnit.SECONDS)).isTrue();
      running.server().drain();
      assertThat(running.server().awaitTermination(Duration.ofMillis(100))).isFalse();
      service.leave.countDown();
      assertThat(reply.get(5, TimeUnit.SECONDS)).isEqualTo(answer("last"));
      assertThat(running.server().awaitTermination(Duration.ofSeconds(5))).isTrue();
      assertThatThrownBy(() -> running.blocking().unary(ask("too late")))
          .isInstanceOfSatisfying(
              StatusRuntimeException.class,
              e -> assertThat(e.getStatus().getCode()).isEqualTo(Status.Code.UNAVAILABLE));
    }
  }

  @Test
  void callsLeftAfterTheGraceTimeEndWithUnavailable() throws Exception {
    var service = new SlowService();
    try (var running = RunningServer.of(service)) {
      var reply = ProbeGrpc.newFutureStub(running.channel()).unary(ask("never"));
      assertThat(service.entered.await(5, TimeUnit.SECONDS)).isTrue();
      running.server().shutdown(Duration.ofMillis(50));
      assertThatThrownBy(() -> reply.get(5, TimeUnit.SECONDS))
          .hasMessageContaining("UNAVAILABLE: the server is shutting down");
      assertThat(service.end.get(5, TimeUnit.SECONDS)).isEqualTo("interrupted");
    }
  }

  @Test
  void anOptionThatIsNotSupportedIsRefusedWithASentence() {
    var builder = WeftlineServerBuilder.forPort(0);
    assertThatThrownBy(() -> builder.maxConnectionAge(1, TimeUnit.MINUTES))
        .isInstanceOf(UnsupportedOperationException.class)
        .hasMessageContaining("maxConnectionAge is not supported");
  }

  @Test
  void anOversizeMessageNamesMethodSizeLimitAndSetting() {
    try (var running =
        RunningServer.with(builder ->
            builder
                .addService(new EchoService())
                .limits(Limits.DEFAULT.withMaxInboundMessageBytes(1_000)))) {
      assertThatThrownBy(() -> running.blocking().unary(ask("x".repeat(2_000))))
          .hasMessageContaining("RESOURCE_EXHAUSTED")
          .hasMessageContaining("weftline.probe.Probe/Unary")
          .hasMessageContaining("2003")
          .hasMessageContaining("1000")
          .hasMessageContaining("maxInboundMessageBytes");
      assertThat(running.blocking().unary(ask("small"))).isEqualTo(answer("small"));
    }
  }
}
