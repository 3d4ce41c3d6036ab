package dev.weftline.server;

import static dev.weftline.testing.Probe.answer;
import static dev.weftline.testing.Probe.ask;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.weftline.Call;
import dev.weftline.Service;
import dev.weftline.probe.Answer;
import dev.weftline.probe.ProbeGrpc;
import dev.weftline.testing.EchoService;
import dev.weftline.testing.RunningServer;
import dev.weftline.testing.StraightProbe;
import io.grpc.Grpc;
import io.grpc.InsecureChannelCredentials;
import io.grpc.ManagedChannel;
import io.grpc.Metadata;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.stub.MetadataUtils;
import io.grpc.stub.StreamObserver;
import java.io.DataInputStream;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/// What becomes of connections, as grpc-java's client and its user see it.
@Timeout(60)
final class ConnectionsTest {
  private static final String PREFACE = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\4\0\0\0\0\0";
  private static final String PING = "\0\0\10\6\0\0\0\0\0weftline";

  private static RunningServer with(ConnectionLimits limits) {
    return RunningServer.with(builder -> builder.addService(new EchoService()).connections(limits));
  }

  private static ManagedChannel anotherChannel(int port) {
    return Grpc.newChannelBuilder("127.0.0.1:" + port, InsecureChannelCredentials.create()).build();
  }

  private static String code(Throwable e) {
    return Status.fromThrowable(e).getCode().name();
  }

  /// gRPC's A9: clients move to new connections, and no call fails for it.
  @Test
  void connectionsGrowOldUnderCallsAndNoneFails() {
    var limits = ConnectionLimits.DEFAULT.withAgeMax(Duration.ofMillis(300));
    try (var running = with(limits)) {
      int calls = 0;
      while (running.server().stats().connectionsEnded().getOrDefault("MAX_AGE", 0L) < 4) {
        assertThat(running.blocking().unary(ask("hello"))).isEqualTo(answer("hello"));
        calls++;
      }
      assertThat(calls).isPositive();
      assertThat(running.server().stats().callsFailed()).isZero();
    }
  }

  @Test
  void aCallThatIsOpenWhenItsConnectionGrowsOldFinishes() throws Exception {
    var limits = ConnectionLimits.DEFAULT.withAgeMax(Duration.ofMillis(200));
    try (var running = with(limits)) {
      var end = new CompletableFuture<Status>();
      var asks = running.async().chat(telling(end));
      asks.onNext(ask("early"));
      while (running.server().stats().connectionsEnded().isEmpty()) {
        assertThat(running.blocking().unary(ask("x"))).isEqualTo(answer("x"));
      }
      asks.onNext(ask("late"));
      asks.onCompleted();
      assertThat(end.get(10, TimeUnit.SECONDS)).isEqualTo(Status.OK);
    }
  }

  @Test
  void theGraceOfAnOldConnectionEndsItsCallsWithUnavailable() throws Exception {
    var limits =
        ConnectionLimits.DEFAULT
            .withAgeMax(Duration.ofMillis(200))
            .withAgeGrace(Duration.ofMillis(100));
    try (var running = with(limits)) {
      var end = new CompletableFuture<Status>();
      running.async().chat(telling(end)).onNext(ask("open"));
      assertThat(end.get(10, TimeUnit.SECONDS).getCode()).isEqualTo(Status.Code.UNAVAILABLE);
    }
  }

  private static StreamObserver<Answer> telling(CompletableFuture<Status> end) {
    return new StreamObserver<>() {
      @Override
      public void onNext(Answer answer) {}

      @Override
      public void onError(Throwable e) {
        end.complete(Status.fromThrowable(e));
      }

      @Override
      public void onCompleted() {
        end.complete(Status.OK);
      }
    };
  }

  @Test
  void anIdleConnectionIsGivenUpAndTheNextCallMakesAnother() throws Exception {
    var limits = ConnectionLimits.DEFAULT.withIdleMax(Duration.ofMillis(100));
    try (var running = with(limits)) {
      for (int i = 1; i <= 2; i++) {
        assertThat(running.blocking().unary(ask("hello"))).isEqualTo(answer("hello"));
        for (int tries = 0; tries < 1_000 && idleEnds(running) < i; tries++) Thread.sleep(10);
        assertThat(idleEnds(running)).isEqualTo(i);
      }
    }
  }

  private static long idleEnds(RunningServer running) {
    return running.server().stats().connectionsEnded().getOrDefault("MAX_IDLE", 0L);
  }

  @Test
  void aConnectionTooManyIsUnavailableUntilAnotherCloses() throws Exception {
    try (var running = with(ConnectionLimits.DEFAULT.withConnectionsMax(1))) {
      running.blocking().unary(ask("first"));
      var second = anotherChannel(running.server().port());
      try {
        assertThatThrownBy(() -> ProbeGrpc.newBlockingStub(second).unary(ask("second")))
            .isInstanceOfSatisfying(
                StatusRuntimeException.class, e -> assertThat(code(e)).isEqualTo("UNAVAILABLE"));
        assertThat(running.server().stats().connectionsRefused()).containsKey("CONNECTIONS_MAX");

        running.channel().shutdownNow().awaitTermination(10, TimeUnit.SECONDS);
        var patient = ProbeGrpc.newBlockingStub(second).withWaitForReady();
        assertThat(patient.unary(ask("third"))).isEqualTo(answer("third"));
      } finally {
        second.shutdownNow();
      }
    }
  }

  /// gRPC's A8: a GOAWAY that its clients know.
  @Test
  void permitKeepAliveTimeOfGrpcJavasBuilderHolds() throws Exception {
    var server =
        WeftlineServerBuilder.forPort(0)
            .addService(new EchoService())
            .permitKeepAliveTime(1, TimeUnit.MINUTES)
            .permitKeepAliveWithoutCalls(true)
            .build()
            .start();
    try (var client = new Socket(InetAddress.getLoopbackAddress(), server.getPort())) {
      client.setSoTimeout(10_000);
      client.getOutputStream().write(octets(PREFACE + PING.repeat(4)));
      var heard = new String(client.getInputStream().readAllBytes(), StandardCharsets.ISO_8859_1);
      assertThat(heard).endsWith("too_many_pings");
    } finally {
      server.shutdownNow();
    }
  }

  /// What Envoy, nghttpx and gRPC's clients send at most, and then some.
  @Test
  void byDefaultThreePingsAtOnceAreForgiven() throws Exception {
    try (var running = with(ConnectionLimits.DEFAULT);
        var client = new Socket(InetAddress.getLoopbackAddress(), running.server().port())) {
      client.setSoTimeout(10_000);
      client.getOutputStream().write(octets(PREFACE + PING.repeat(3)));
      var in = new DataInputStream(client.getInputStream());
      for (int pings = 0; pings < 3; ) {
        int lengthAndType = in.readInt();
        in.skipNBytes(5 + (lengthAndType >>> 8));
        if ((lengthAndType & 0xff) == 6) pings++;
      }
      assertThat(running.server().stats().connectionsEnded()).isEmpty();
    }
  }

  @Test
  void grpcJavasNeverIsNever() throws Exception {
    var server =
        WeftlineServerBuilder.forPort(0)
            .addService(new EchoService())
            .keepAliveTime(Long.MAX_VALUE, TimeUnit.DAYS)
            .keepAliveTimeout(1, TimeUnit.SECONDS)
            .maxConnectionIdle(Long.MAX_VALUE, TimeUnit.NANOSECONDS)
            .maxConnectionAge(Long.MAX_VALUE, TimeUnit.SECONDS)
            .maxConnectionAgeGrace(Long.MAX_VALUE, TimeUnit.DAYS)
            .build()
            .start();
    var channel = anotherChannel(server.getPort());
    try {
      assertThat(ProbeGrpc.newBlockingStub(channel).unary(ask("x"))).isEqualTo(answer("x"));
    } finally {
      channel.shutdownNow();
      server.shutdownNow();
    }
  }

  private static Service peerTelling() {
    return StraightProbe.unary(
            _ -> {
              var peer = (InetSocketAddress) Call.current().peer();
              return answer(peer.getAddress().getHostAddress() + " " + peer.getPort());
            })
        .service();
  }

  @Test
  void theAddressOfAProxyHeaderIsTheCallsPeer() throws Exception {
    try (var running =
            RunningServer.with(
                builder -> builder.addService(peerTelling()).proxyProtocol("127.0.0.0/8"));
        var proxy =
            new Proxy(running.server().port(), "PROXY TCP4 192.0.2.7 192.0.2.1 4711 1\r\n")) {
      var channel = anotherChannel(proxy.port());
      try {
        assertThat(ProbeGrpc.newBlockingStub(channel).unary(ask("who am I")))
            .isEqualTo(answer("192.0.2.7 4711"));
      } finally {
        channel.shutdownNow();
      }
      assertThatThrownBy(() -> running.blocking().unary(ask("without header")))
          .isInstanceOfSatisfying(
              StatusRuntimeException.class, e -> assertThat(code(e)).isEqualTo("UNAVAILABLE"));
      // Netty's decoder closes the connection before it tells us why.
      var stats = running.server().stats();
      for (int i = 0; i < 500 && stats.connectionsRefused().isEmpty(); i++) {
        Thread.sleep(10);
        stats = running.server().stats();
      }
      assertThat(stats.connectionsRefused()).containsKey("PROXY_HEADER");
    }
  }

  @Test
  void theAddressOfATrustedProxysFieldIsTheCallsPeer() {
    assertThat(peerBehind("127.0.0.1", "203.0.113.9, 192.0.2.7")).isEqualTo("192.0.2.7 0");
    assertThat(peerBehind("10.0.0.0/8", "192.0.2.7")).startsWith("127.0.0.1 ");
  }

  private static String peerBehind(String trusted, String forwardedFor) {
    try (var running =
        RunningServer.with(builder -> builder.addService(peerTelling()).xForwarded(trusted))) {
      var headers = new Metadata();
      headers.put(
          Metadata.Key.of("x-forwarded-for", Metadata.ASCII_STRING_MARSHALLER), forwardedFor);
      return running
          .blocking()
          .withInterceptors(MetadataUtils.newAttachHeadersInterceptor(headers))
          .unary(ask("who am I"))
          .getText();
    }
  }

  @Test
  void whatMakesNoSenseIsRefusedWithItsName() {
    var limits = ConnectionLimits.DEFAULT;
    assertThatThrownBy(() -> limits.withConnectionsMax(0)).hasMessage("connectionsMax: 0");
    assertThatThrownBy(() -> limits.withPerPeerMax(-1)).hasMessage("perPeerMax: -1");
    assertThatThrownBy(() -> limits.withAgeMax(Duration.ZERO)).hasMessage("ageMax: PT0S");
    assertThatThrownBy(() -> limits.withIdleMax(Duration.ZERO)).hasMessage("idleMax: PT0S");
    assertThatThrownBy(() -> Server.builder().proxyProtocol("proxy.example"))
        .hasMessageContaining("\"proxy.example\" is not an address");
    assertThat(limits.connectionsMax()).isGreaterThan(1_000);
  }

  private static byte[] octets(String text) {
    return text.getBytes(StandardCharsets.ISO_8859_1);
  }

  /// Passes octets on, with a header before the client's.
  private static final class Proxy implements AutoCloseable {
    private final ServerSocket listening = new ServerSocket(0, 8, InetAddress.getLoopbackAddress());
    private final int target;
    private final String header;

    Proxy(int target, String header) throws IOException {
      this.target = target;
      this.header = header;
      Thread.startVirtualThread(this::serve);
    }

    int port() {
      return listening.getLocalPort();
    }

    private void serve() {
      try {
        while (true) {
          var client = listening.accept();
          var server = new Socket(InetAddress.getLoopbackAddress(), target);
          server.getOutputStream().write(octets(header));
          Thread.startVirtualThread(() -> passOn(client, server));
          Thread.startVirtualThread(() -> passOn(server, client));
        }
      } catch (IOException e) {
        // closed: the test is over
      }
    }

    private static void passOn(Socket from, Socket to) {
      try (from;
          to) {
        from.getInputStream().transferTo(to.getOutputStream());
      } catch (IOException e) {
        // one side has closed, and now both have
      }
    }

    @Override
    public void close() throws IOException {
      listening.close();
    }
  }
}
