package dev.weftline.server;

import static dev.weftline.testing.Probe.answer;
import static dev.weftline.testing.Probe.ask;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.weftline.internal.net.Tls;
import dev.weftline.probe.Answer;
import dev.weftline.probe.Ask;
import dev.weftline.probe.ProbeGrpc;
import dev.weftline.testing.LogLines;
import dev.weftline.testing.StraightProbe;
import dev.weftline.testing.TestAuthority;
import io.grpc.ManagedChannel;
import io.grpc.stub.StreamObserver;
import io.netty.handler.ssl.SslContext;
import io.netty.pkitesting.X509Bundle;
import io.netty.util.ReferenceCountUtil;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.security.SecureRandom;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.logging.Level;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLSocket;
import javax.net.ssl.TrustManager;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/// A running server whose certificate files change.
@Timeout(180)
final class CertificateReloadTest {
  private static final int SWAPS = 100;

  @TempDir Path directory;
  private TestAuthority authority;
  private LogLines log;
  private Path chain;
  private Path key;

  @BeforeEach
  void prepare() throws Exception {
    authority = new TestAuthority();
    log = new LogLines(CertificateWatch.class);
    chain = directory.resolve("tls.crt");
    key = directory.resolve("tls.key");
  }

  @AfterEach
  void stopListening() {
    log.close();
  }

  /// Each file whole, one after the other.
  private void write(X509Bundle owner) throws IOException {
    replace(key, owner.getPrivateKeyPEM());
    replace(chain, owner.getCertificatePathPEM());
  }

  private void replace(Path file, String content) throws IOException {
    var fresh = Files.writeString(directory.resolve("fresh"), content);
    Files.move(fresh, file, StandardCopyOption.ATOMIC_MOVE);
  }

  /// As Kubernetes does it: a new directory, and a link that a rename turns to it.
  private void swap(int version, X509Bundle owner) throws IOException {
    var folder = Files.createDirectory(directory.resolve("..version" + version));
    Files.writeString(folder.resolve("tls.crt"), owner.getCertificatePathPEM());
    Files.writeString(folder.resolve("tls.key"), owner.getPrivateKeyPEM());
    var link = Files.createSymbolicLink(directory.resolve("..data_tmp"), folder.getFileName());
    Files.move(link, directory.resolve("..data"), StandardCopyOption.ATOMIC_MOVE);
  }

  private Server serve(Duration reload) throws IOException {
    return Server.builder()
        .port(0)
        .tls(TlsFiles.pem(chain, key).withReload(reload))
        .addService(StraightProbe.echo().service())
        .grace(Duration.ofSeconds(2))
        .start();
  }

  /// The subject of the certificate that a new handshake shows.
  private String shown(Server server) throws Exception {
    var context = SSLContext.getInstance("TLS");
    context.init(null, new TrustManager[] {authority.trustManager()}, new SecureRandom());
    try (var socket =
        (SSLSocket) context.getSocketFactory().createSocket("localhost", server.port())) {
      socket.startHandshake();
      var own = (X509Certificate) socket.getSession().getPeerCertificates()[0];
      return own.getSubjectX500Principal().getName();
    }
  }

  private static void awaitCertificate(Server server, String subject) throws InterruptedException {
    for (int i = 0; i < 6_000 && !subject.equals(subject(server)); i++) Thread.sleep(5);
    assertThat(subject(server)).isEqualTo(subject);
  }

  private static String subject(Server server) {
    return server.certificate().orElseThrow().subject();
  }

  /// The native context that new handshakes use; what else could tell that none is left?
  private static SslContext context(Server server) throws ReflectiveOperationException {
    var tls = Server.class.getDeclaredField("tls");
    tls.setAccessible(true);
    var context = Tls.class.getDeclaredField("context");
    context.setAccessible(true);
    return (SslContext) context.get(tls.get(server));
  }

  @Test
  void aHundredSwapsUnderLoadFailNoCall() throws Exception {
    var failures = new ConcurrentLinkedQueue<Throwable>();
    var contexts = new ArrayList<SslContext>();
    var done = new AtomicBoolean();
    swap(0, authority.server("swap0"));
    Files.createSymbolicLink(chain, Path.of("..data/tls.crt"));
    Files.createSymbolicLink(key, Path.of("..data/tls.key"));
    try (var clients = Executors.newVirtualThreadPerTaskExecutor()) {
      try (var server = serve(Duration.ofMillis(20))) {
        int port = server.port();
        var calls = new ArrayList<Future<Integer>>();
        for (int i = 0; i < 2; i++) {
          calls.add(clients.submit(() -> reconnecting(port, done, failures)));
          calls.add(clients.submit(() -> staying(port, done, failures)));
          calls.add(clients.submit(() -> streaming(port, done, failures)));
        }
        contexts.add(context(server));
        for (int i = 1; i <= SWAPS; i++) {
          swap(i, authority.server("swap" + i));
          awaitCertificate(server, "CN=swap" + i);
          assertThat(shown(server)).isEqualTo("CN=swap" + i);
          contexts.add(context(server));
        }
        done.set(true);
        for (var each : calls) assertThat(each.get(60, TimeUnit.SECONDS)).isPositive();
        assertThat(failures).isEmpty();
        assertThat(server.certificate().orElseThrow().reloads()).isEqualTo(SWAPS);
        assertThat(server.certificate().orElseThrow().refusals()).isZero();
        assertThat(log.at(Level.WARNING)).isEmpty();
      } finally {
        done.set(true);
      }
    }
    assertThat(contexts).doesNotHaveDuplicates().hasSize(SWAPS + 1);
    assertThat(contexts).allSatisfy(each -> assertThat(references(each)).isZero());
  }

  /// Zero where nothing is counted, with the JDK's own TLS.
  private static int references(SslContext context) {
    return Math.max(0, ReferenceCountUtil.refCnt(context));
  }

  /// A new connection for each call.
  private int reconnecting(int port, AtomicBoolean done, Queue<Throwable> failures)
      throws InterruptedException {
    int calls = 0;
    while (!done.get()) {
      var channel = authority.channel(port, null);
      calls += unary(channel, failures);
      channel.shutdownNow().awaitTermination(5, TimeUnit.SECONDS);
    }
    return calls;
  }

  /// One connection for all calls.
  private int staying(int port, AtomicBoolean done, Queue<Throwable> failures) {
    int calls = 0;
    var channel = authority.channel(port, null);
    while (!done.get()) calls += unary(channel, failures);
    channel.shutdownNow();
    return calls;
  }

  private static int unary(ManagedChannel channel, Queue<Throwable> failures) {
    try {
      var stub = ProbeGrpc.newBlockingStub(channel).withDeadlineAfter(30, TimeUnit.SECONDS);
      assertThat(stub.unary(ask("x"))).isEqualTo(answer("x"));
    } catch (RuntimeException | AssertionError e) {
      failures.add(e);
    }
    return 1;
  }

  /// One call, in flight all the time.
  private int streaming(int port, AtomicBoolean done, Queue<Throwable> failures)
      throws InterruptedException {
    var channel = authority.channel(port, null);
    var answers = new LinkedBlockingQueue<Answer>();
    var ended = new LinkedBlockingQueue<String>();
    var asks =
        ProbeGrpc.newStub(channel)
            .chat(
                new StreamObserver<Answer>() {
                  @Override
                  public void onNext(Answer answer) {
                    answers.add(answer);
                  }

                  @Override
                  public void onError(Throwable fault) {
                    failures.add(fault);
                    ended.add("failed");
                  }

                  @Override
                  public void onCompleted() {
                    ended.add("completed");
                  }
                });
    int messages = 0;
    while (!done.get() && ended.isEmpty()) {
      asks.onNext(Ask.newBuilder().setNumber(messages).build());
      var reply = answers.poll(30, TimeUnit.SECONDS);
      if (reply == null) {
        failures.add(new AssertionError("no answer to message " + messages));
        break;
      }
      messages++;
    }
    asks.onCompleted();
    assertThat(ended.poll(30, TimeUnit.SECONDS)).isEqualTo("completed");
    channel.shutdownNow();
    return messages;
  }

  @Test
  void aBrokenPairIsRefusedWithOneWarningAndTheOldOneKept() throws Exception {
    write(authority.server("good"));
    try (var server = serve(Duration.ofMillis(20))) {
      replace(key, authority.server("other").getPrivateKeyPEM());
      for (int i = 0; i < 6_000 && log.at(Level.WARNING).isEmpty(); i++) Thread.sleep(5);
      assertThat(shown(server)).isEqualTo("CN=good");
      assertThat(server.certificate().orElseThrow().refusals()).isEqualTo(1);
      write(authority.server("repaired"));
      awaitCertificate(server, "CN=repaired");
      assertThat(shown(server)).isEqualTo("CN=repaired");
      assertThat(log.at(Level.WARNING)).singleElement().asString().contains("is not the key");
    }
  }

  @Test
  void whoWroteTheFilesMaySaySo() throws Exception {
    write(authority.server("first"));
    try (var server = serve(Duration.ZERO)) {
      assertThat(server.reloadCertificates()).isFalse();
      write(authority.server("second"));
      assertThat(server.reloadCertificates()).isTrue();
      assertThat(shown(server)).isEqualTo("CN=second");
      Files.delete(key);
      assertThatThrownBy(server::reloadCertificates)
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessage("private key file " + key + " does not exist");
      assertThat(shown(server)).isEqualTo("CN=second");
    }
  }

  @Test
  void aServerWithoutFilesHasNothingToReload() throws Exception {
    try (var server = Server.builder().port(0).start()) {
      assertThat(server.certificate()).isEmpty();
      assertThatThrownBy(server::reloadCertificates)
          .isInstanceOf(IllegalStateException.class)
          .hasMessage("no TLS files: not started, or without");
    }
  }

  @Test
  void aServerDoesNotStartWithAPairThatIsNoGood() throws Exception {
    write(authority.server("first"));
    Files.writeString(key, authority.server("second").getPrivateKeyPEM());
    assertThatThrownBy(() -> serve(Duration.ofMillis(20)))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage(key + " is not the key of the certificate in " + chain);
  }

  @Test
  void theWatchEndsWithTheServer() throws Exception {
    write(authority.server("first"));
    try (var server = serve(Duration.ofMillis(20))) {
      assertThat(watches()).hasSize(1);
      server.shutdown(Duration.ZERO);
    }
    for (int i = 0; i < 1_000 && !watches().isEmpty(); i++) Thread.sleep(5);
    assertThat(watches()).isEmpty();
  }

  private static List<Thread> watches() {
    return Thread.getAllStackTraces().keySet().stream()
        .filter(each -> each.getName().equals("weftline-certificates"))
        .toList();
  }
}
