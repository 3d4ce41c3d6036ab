package dev.weftline;

import static dev.weftline.testing.Probe.answer;
import static dev.weftline.testing.Probe.ask;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.weftline.probe.ProbeGrpc;
import dev.weftline.server.Server;
import dev.weftline.server.TlsFiles;
import dev.weftline.testing.EchoService;
import dev.weftline.testing.RunningServer;
import dev.weftline.testing.StraightProbe;
import dev.weftline.testing.TestAuthority;
import io.grpc.Grpc;
import io.grpc.Metadata;
import io.grpc.ServerCall;
import io.grpc.ServerCallHandler;
import io.grpc.ServerInterceptor;
import io.grpc.StatusRuntimeException;
import io.netty.pkitesting.CertificateBuilder;
import io.netty.pkitesting.X509Bundle;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/// Who calls, by the certificate of the client's TLS handshake.
@Timeout(60)
final class ClientCertificateTest {
  private static TestAuthority authority;
  private static X509Bundle orders;

  @TempDir Path directory;
  private final List<Optional<ClientCertificate>> callers = new CopyOnWriteArrayList<>();

  @BeforeAll
  static void issueCertificates() throws Exception {
    authority = new TestAuthority();
    orders = authority.issue(client("orders"));
  }

  private static CertificateBuilder client(String name) throws Exception {
    return new CertificateBuilder()
        .ecp256()
        .subject("CN=" + name + ",O=shop")
        .addSanDnsName(name + ".shop.example")
        .addSanDnsName(name)
        .addSanUriName("spiffe://shop.example/" + name)
        .addSanRfc822Name(name + "@shop.example")
        .addSanIpAddress("10.1.2.3")
        .addSanDirectoryName("CN=elsewhere");
  }

  private TlsFiles files() throws Exception {
    var own = authority.server("server");
    return TlsFiles.pem(
        Files.writeString(directory.resolve("tls.crt"), own.getCertificatePathPEM()),
        Files.writeString(directory.resolve("tls.key"), own.getPrivateKeyPEM()));
  }

  private TlsFiles required() throws Exception {
    return files().withClientsRequired(authority.rootFile(directory));
  }

  private TlsFiles optional() throws Exception {
    return files().withClientsOptional(authority.rootFile(directory));
  }

  private Service whoCalls() {
    return StraightProbe.unary(
            ask -> {
              callers.add(Call.current().clientCertificate());
              return answer(ask.getText());
            })
        .service();
  }

  private static Server serve(TlsFiles tls, UnaryOperator<Server.Builder> services)
      throws IOException {
    return services.apply(Server.builder().port(0).tls(tls)).start();
  }

  private static void call(Server server, @Nullable X509Bundle client, int times)
      throws InterruptedException {
    var channel = authority.channel(server.port(), client);
    try {
      var stub = ProbeGrpc.newBlockingStub(channel).withDeadlineAfter(30, TimeUnit.SECONDS);
      for (int i = 0; i < times; i++) assertThat(stub.unary(ask("x"))).isEqualTo(answer("x"));
    } finally {
      channel.shutdownNow().awaitTermination(5, TimeUnit.SECONDS);
    }
  }

  /// RFC 5280 §4.2.1.6.
  @Test
  void aMethodSeesTheNamesByTheirKind() throws Exception {
    try (var server = serve(required(), builder -> builder.addService(whoCalls()))) {
      call(server, orders, 1);
    }
    var caller = callers.getFirst().orElseThrow();
    assertThat(caller.certificate()).isEqualTo(orders.getCertificate());
    assertThat(caller.subject()).isEqualTo("CN=orders,O=shop");
    assertThat(caller.dnsNames()).containsExactly("orders.shop.example", "orders");
    assertThat(caller.uris()).containsExactly("spiffe://shop.example/orders");
    assertThat(caller.emails()).containsExactly("orders@shop.example");
    assertThat(caller.addresses()).containsExactly("10.1.2.3");
    assertThat(caller).hasToString("CN=orders,O=shop");
  }

  @Test
  void itIsReadOncePerConnection() throws Exception {
    try (var server = serve(required(), builder -> builder.addService(whoCalls()))) {
      call(server, orders, 2);
    }
    assertThat(callers).hasSize(2);
    assertThat(callers.get(0).orElseThrow()).isSameAs(callers.get(1).orElseThrow());
  }

  @Test
  void aGrpcJavaServiceFindsItInItsSession() throws Exception {
    var interceptor =
        new ServerInterceptor() {
          @Override
          public <Q, A> ServerCall.Listener<Q> interceptCall(
              ServerCall<Q, A> call, Metadata headers, ServerCallHandler<Q, A> next) {
            var session = call.getAttributes().get(Grpc.TRANSPORT_ATTR_SSL_SESSION);
            if (session != null) callers.add(ClientCertificate.of(session));
            return next.startCall(call, headers);
          }
        };
    try (var server =
        serve(
            required(), builder -> builder.addService(new EchoService()).intercept(interceptor))) {
      call(server, orders, 1);
    }
    assertThat(callers.getFirst().orElseThrow().dnsNames()).contains("orders");
  }

  @Test
  void aCertificateWithoutNamesHasItsSubject() throws Exception {
    var plain = authority.issue(new CertificateBuilder().ecp256().subject("CN=plain"));
    try (var server = serve(required(), builder -> builder.addService(whoCalls()))) {
      call(server, plain, 1);
    }
    var caller = callers.getFirst().orElseThrow();
    assertThat(caller.subject()).isEqualTo("CN=plain");
    assertThat(caller.dnsNames()).isEmpty();
    assertThat(caller.uris()).isEmpty();
  }

  /// RFC 5280 §4.2.1.6: no authority should sign that, and nobody is taken for anybody by it.
  @Test
  void alternativeNamesThatCannotBeReadFailTheCallThatAsksForThem() throws Exception {
    var garbled =
        authority.issue(
            new CertificateBuilder()
                .ecp256()
                .subject("CN=garbled")
                .addExtensionOctetString("2.5.29.17", false, new byte[] {1, 2, 3}));
    try (var server = serve(required(), builder -> builder.addService(whoCalls()))) {
      assertThatThrownBy(() -> call(server, garbled, 1))
          .isInstanceOf(StatusRuntimeException.class)
          .hasMessageStartingWith("UNKNOWN");
      assertThat(callers).isEmpty();
    }
  }

  @Test
  void whereItIsOptionalThereMayBeNone() throws Exception {
    try (var server = serve(optional(), builder -> builder.addService(whoCalls()))) {
      call(server, null, 1);
      call(server, orders, 1);
    }
    assertThat(callers.get(0)).isEmpty();
    assertThat(callers.get(1)).isPresent();
  }

  @Test
  void whereItIsNotAskedForThereIsNone() throws Exception {
    try (var server = serve(files(), builder -> builder.addService(whoCalls()))) {
      call(server, orders, 1);
    }
    assertThat(callers).containsExactly(Optional.empty());
  }

  @Test
  void overPlainTextThereIsNone() {
    try (var running = RunningServer.with(builder -> builder.addService(whoCalls()))) {
      assertThat(running.blocking().unary(ask("x"))).isEqualTo(answer("x"));
    }
    assertThat(callers).containsExactly(Optional.empty());
  }

  @Test
  void aCertificateOfAnotherAuthorityFailsTheHandshake() throws Exception {
    var stranger = new TestAuthority().issue(client("orders"));
    for (var tls : List.of(required(), optional())) {
      try (var server = serve(tls, builder -> builder.addService(whoCalls()))) {
        assertUnavailable(server, stranger);
      }
    }
  }

  @Test
  void noCertificateWhereOneIsRequiredFailsTheHandshake() throws Exception {
    try (var server = serve(required(), builder -> builder.addService(whoCalls()))) {
      assertUnavailable(server, null);
    }
  }

  private void assertUnavailable(Server server, @Nullable X509Bundle client) {
    assertThatThrownBy(() -> call(server, client, 1))
        .isInstanceOf(StatusRuntimeException.class)
        .hasMessageStartingWith("UNAVAILABLE");
    assertThat(callers).isEmpty();
    assertThat(server.stats().callsStarted()).isZero();
  }
}
