package dev.weftline.internal.net;

import static dev.weftline.internal.net.RawClient.PREFACE;
import static dev.weftline.internal.net.RawClient.SETTINGS;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.netty.buffer.UnpooledByteBufAllocator;
import io.netty.handler.ssl.OpenSsl;
import io.netty.handler.ssl.SslContext;
import io.netty.pkitesting.CertificateBuilder;
import io.netty.pkitesting.X509Bundle;
import io.netty.util.IllegalReferenceCountException;
import io.netty.util.ReferenceCountUtil;
import io.netty.util.ReferenceCounted;
import java.io.IOException;
import java.security.SecureRandom;
import java.security.cert.X509Certificate;
import java.util.ArrayList;
import java.util.concurrent.Callable;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.stream.Stream;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLSocket;
import javax.net.ssl.TrustManager;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.condition.EnabledIf;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/// TLS that is replaced while connections use it.
@Timeout(60)
final class TlsReplacementTest {
  private static X509Bundle authority;
  private static X509Bundle first;
  private static X509Bundle second;

  @BeforeAll
  static void issueCertificates() throws Exception {
    authority =
        new CertificateBuilder()
            .ecp256()
            .subject("CN=Test authority")
            .setIsCertificateAuthority(true)
            .buildSelfSigned();
    first = new CertificateBuilder().ecp256().subject("CN=first").buildIssuedBy(authority);
    second = new CertificateBuilder().ecp256().subject("CN=second").buildIssuedBy(authority);
  }

  static Stream<Boolean> jdkProvider() {
    return boringSslIsThere() ? Stream.of(false, true) : Stream.of(true);
  }

  static boolean boringSslIsThere() {
    return OpenSsl.isAvailable();
  }

  private static SslContext context(X509Bundle owner, boolean jdk) {
    var builder =
        Tls.builder()
            .identity(
                new Identity(
                    owner.getKeyPair().getPrivate(), owner.getCertificatePathList(), "test"));
    return (jdk ? builder.jdkProvider() : builder).context();
  }

  private static SSLSocket connect(EchoServer server) throws Exception {
    var trust = SSLContext.getInstance("TLS");
    trust.init(null, new TrustManager[] {authority.toTrustManager()}, new SecureRandom());
    var socket = (SSLSocket) trust.getSocketFactory().createSocket("127.0.0.1", server.port());
    var parameters = socket.getSSLParameters();
    parameters.setApplicationProtocols(new String[] {"h2"});
    socket.setSSLParameters(parameters);
    return socket;
  }

  private static String shownTo(SSLSocket socket) throws IOException {
    var own = (X509Certificate) socket.getSession().getPeerCertificates()[0];
    return own.getSubjectX500Principal().getName();
  }

  private static void ping(RawClient client) throws IOException {
    client.says("\0\0\10\6\0\0\0\0\0" + "weftline").hearsFrame(6);
  }

  private static int references(SslContext context) {
    return ReferenceCountUtil.refCnt(context);
  }

  @ParameterizedTest
  @MethodSource("jdkProvider")
  void newHandshakesSeeTheNewCertificateAndOldConnectionsGoOn(boolean jdk) throws Exception {
    try (var tls = new Tls(context(first, jdk));
        var server = EchoServer.patient(tls);
        var before = connect(server);
        var old = new RawClient(before)) {
      assertThat(shownTo(before)).isEqualTo("CN=first");
      old.says(PREFACE + SETTINGS).hearsSettingsFirst();
      tls.replace(new Tls(context(second, jdk)));
      try (var after = connect(server);
          var fresh = new RawClient(after)) {
        assertThat(shownTo(after)).isEqualTo("CN=second");
        fresh.says(PREFACE + SETTINGS).hearsSettingsFirst();
        ping(fresh);
      }
      ping(old);
    }
  }

  @Test
  @EnabledIf("boringSslIsThere")
  void whatWasReplacedGoesWithItsLastConnection() throws Exception {
    var replaced = context(first, false);
    var current = context(second, false);
    try (var tls = new Tls(replaced);
        var server = EchoServer.patient(tls)) {
      try (var old = new RawClient(connect(server))) {
        old.says(PREFACE + SETTINGS).hearsSettingsFirst();
        tls.replace(new Tls(current));
        assertThat(references(replaced)).isEqualTo(1);
        ping(old);
      }
      server.awaitConnections(0);
      for (int i = 0; i < 1_000 && references(replaced) != 0; i++) Thread.sleep(10);
      assertThat(references(replaced)).isZero();
      assertThat(references(current)).isEqualTo(1);
    }
    assertThat(references(current)).isZero();
  }

  @Test
  @EnabledIf("boringSslIsThere")
  void whatComesAfterTheCloseIsReleasedAtOnce() {
    var late = context(second, false);
    var tls = new Tls(context(first, false));
    tls.close();
    tls.replace(new Tls(late));
    tls.close();
    assertThat(references(late)).isZero();
    assertThatThrownBy(() -> tls.handler(UnpooledByteBufAllocator.DEFAULT, 1_000))
        .isInstanceOf(IllegalReferenceCountException.class);
  }

  @Test
  @EnabledIf("boringSslIsThere")
  void aHandshakeThatBeginsInTheMiddleOfAReplacementBegins() throws Exception {
    var contexts = new ArrayList<SslContext>();
    contexts.add(context(first, false));
    var done = new AtomicBoolean();
    try (var tls = new Tls(contexts.getFirst());
        var loops = Executors.newFixedThreadPool(2)) {
      Callable<Integer> handshakes =
          () -> {
            int begun = 0;
            while (!done.get()) {
              var handler = tls.handler(UnpooledByteBufAllocator.DEFAULT, 1_000);
              begun++;
              ((ReferenceCounted) handler.engine()).release();
            }
            return begun;
          };
      var one = loops.submit(handshakes);
      var two = loops.submit(handshakes);
      try {
        for (int i = 0; i < 30; i++) {
          var next = context(i % 2 == 0 ? second : first, false);
          contexts.add(next);
          tls.replace(new Tls(next));
        }
      } finally {
        done.set(true);
      }
      assertThat(one.get()).isPositive();
      assertThat(two.get()).isPositive();
    }
    assertThat(contexts).allSatisfy(each -> assertThat(references(each)).isZero());
  }
}
