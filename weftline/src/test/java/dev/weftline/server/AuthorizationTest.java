package dev.weftline.server;

import static dev.weftline.server.Authorization.anyCaller;
import static dev.weftline.server.Authorization.caller;
import static dev.weftline.server.Authorization.clientCertificate;
import static dev.weftline.testing.Probe.answer;
import static dev.weftline.testing.Probe.ask;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import com.google.rpc.ErrorInfo;
import dev.weftline.CallException;
import dev.weftline.probe.ProbeGrpc;
import dev.weftline.probe.ProbeGrpc.ProbeBlockingStub;
import dev.weftline.testing.EchoService;
import dev.weftline.testing.RunningServer;
import io.grpc.Grpc;
import io.grpc.Metadata;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.TlsChannelCredentials;
import io.grpc.TlsServerCredentials;
import io.grpc.stub.MetadataUtils;
import io.netty.pkitesting.CertificateBuilder;
import io.netty.pkitesting.X509Bundle;
import java.security.Principal;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(30)
final class AuthorizationTest {
  private record Caller(String getName) implements Principal {}

  private static final Metadata.Key<String> NAME =
      Metadata.Key.of("name", Metadata.ASCII_STRING_MARSHALLER);

  /// A server that believes what callers say of themselves.
  private static RunningServer serving(Authorization rules) {
    return RunningServer.with(builder ->
        builder
            .addService(new EchoService())
            .guard(call -> Optional.ofNullable(call.headers().get(NAME)).map(Caller::new))
            .guard(rules));
  }

  private static ProbeBlockingStub as(String name, RunningServer running) {
    var headers = new Metadata();
    headers.put(NAME, name);
    return running.blocking().withInterceptors(MetadataUtils.newAttachHeadersInterceptor(headers));
  }

  private static StatusRuntimeException refused(ProbeBlockingStub stub) {
    return catchThrowableOfType(StatusRuntimeException.class, () -> stub.unary(ask("a")));
  }

  private static boolean isAllowed(ProbeBlockingStub stub) {
    try {
      return stub.unary(ask("a")).equals(answer("a"));
    } catch (StatusRuntimeException e) {
      assertThat(e.getStatus().getCode()).isEqualTo(Status.Code.PERMISSION_DENIED);
      return false;
    }
  }

  @Test
  void whatNoRuleFitsIsDeniedAndSaysWhich() {
    try (var running =
        serving(Authorization.builder().allow("weftline.probe.Probe/Chat").build())) {
      var refused = refused(running.blocking());
      assertThat(refused.getStatus())
          .extracting(Status::getCode, Status::getDescription)
          .containsExactly(
              Status.Code.PERMISSION_DENIED, "not allowed to call weftline.probe.Probe/Unary");
      var info = CallException.detail(refused, ErrorInfo.class).orElseThrow();
      assertThat(info.getReason()).isEqualTo("PERMISSION_DENIED");
      assertThat(info.getDomain()).isEqualTo("weftline.dev");
      assertThat(info.getMetadataMap()).containsEntry("method", "weftline.probe.Probe/Unary");
      assertThat(running.server().counters().refusedByGuards())
          .containsOnlyKeys(Status.Code.PERMISSION_DENIED);
    }
  }

  @Test
  void theFirstRuleThatFitsDecides() {
    var rules =
        Authorization.builder()
            .deny("weftline.probe.Probe/Unary", caller(who -> who.getName().equals("mallory")))
            .allow("weftline.probe.Probe/Unary", caller(who -> who.getName().startsWith("a")))
            .deny("weftline.probe.Probe/*", caller(who -> who.getName().equals("grace")))
            .allow("weftline.*", anyCaller())
            .build();
    try (var running = serving(rules)) {
      assertThat(isAllowed(as("mallory", running))).isFalse();
      assertThat(isAllowed(as("ada", running))).isTrue();
      assertThat(isAllowed(as("grace", running))).isFalse();
      assertThat(isAllowed(as("bob", running))).isTrue();
      assertThat(isAllowed(running.blocking())).isFalse();
    }
  }

  @Test
  void aServiceNameDoesNotReachItsNeighbours() {
    var rules =
        Authorization.builder().allow("weftline.probe.Probe/Up").allow("weftline.probe.*").build();
    assertThat(MethodNames.matches("weftline.probe.*", "weftline.probes.Other/Call")).isFalse();
    assertThat(MethodNames.matches("weftline.probe.Probe/*", "weftline.probe.Probes/Up")).isFalse();
    assertThat(MethodNames.matches("weftline.probe.Probe/Up", "weftline.probe.Probe/Upper"))
        .isFalse();
    assertThat(rules.methods()).containsExactly("weftline.probe.Probe/Up", "weftline.probe.*");
  }

  @Test
  void whatIsNoNameIsRefusedAtOnce() {
    for (var wrong :
        new String[] {"", "a.Service", "/a.Service/M", "a.*/M", "a.S/", "/*", "a/b/c", "a.S/M*"}) {
      assertThatThrownBy(() -> Authorization.builder().allow(wrong))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContaining("names no method");
    }
  }

  /// RFC 5280 §4.2.1.6
  @Test
  void aClientCertificateIsKnownByItsAlternativeNames() throws Exception {
    var authority = certificate().setIsCertificateAuthority(true).buildSelfSigned();
    var server = certificate().addSanDnsName("localhost").buildIssuedBy(authority);
    var backoffice =
        certificate()
            .addSanUriName("spiffe://shop/backoffice")
            .addSanDnsName("Backoffice.shop.example")
            .buildIssuedBy(authority);
    var stranger = certificate().addSanUriName("spiffe://shop/front").buildIssuedBy(authority);
    var credentials =
        TlsServerCredentials.newBuilder()
            .keyManager(
                server.toTempCertChainPem(), server.toTempPrivateKeyPem()) // deleted by the JVM
            .trustManager(authority.toTempCertChainPem())
            .clientAuth(TlsServerCredentials.ClientAuth.OPTIONAL)
            .build();
    for (var name : new String[] {"spiffe://shop/backoffice", "backoffice.shop.example"}) {
      var rules =
          Authorization.builder().allow("weftline.probe.*", clientCertificate(name)).build();
      try (var running =
          Server.builder()
              .port(0)
              .credentials(credentials)
              .addService(new EchoService())
              .guard(rules)
              .start()) {
        assertThat(isAllowedOver(running.port(), authority, backoffice)).isTrue();
        assertThat(isAllowedOver(running.port(), authority, stranger)).isFalse();
        assertThat(isAllowedOver(running.port(), authority, null)).isFalse();
      }
    }
  }

  private static CertificateBuilder certificate() {
    return new CertificateBuilder().subject("CN=test").setKeyUsage(true, KEY_USAGES);
  }

  private static final CertificateBuilder.KeyUsage[] KEY_USAGES = {
    CertificateBuilder.KeyUsage.digitalSignature, CertificateBuilder.KeyUsage.keyCertSign
  };

  private static boolean isAllowedOver(
      int port, X509Bundle authority, @org.jspecify.annotations.Nullable X509Bundle client)
      throws Exception {
    var credentials =
        TlsChannelCredentials.newBuilder().trustManager(authority.toTempCertChainPem());
    if (client != null) {
      credentials.keyManager(client.toTempCertChainPem(), client.toTempPrivateKeyPem());
    }
    var channel = Grpc.newChannelBuilder("localhost:" + port, credentials.build()).build();
    try {
      return isAllowed(ProbeGrpc.newBlockingStub(channel));
    } finally {
      channel.shutdownNow();
    }
  }
}
