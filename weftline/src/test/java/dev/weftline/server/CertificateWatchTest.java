package dev.weftline.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.weftline.testing.LogLines;
import dev.weftline.testing.TestAuthority;
import io.netty.pkitesting.X509Bundle;
import java.io.IOException;
import java.io.OutputStream;
import java.math.BigInteger;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.security.KeyStore;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.logging.Level;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/// What looks at certificate files find, one look at a time, on a clock that stands still.
@Timeout(60)
final class CertificateWatchTest {
  private static final Instant NOW = Instant.parse("2026-06-01T12:00:00Z");
  private static final Duration DAY = Duration.ofDays(1);

  private static TestAuthority authority;
  private static X509Bundle first;
  private static X509Bundle second;

  @TempDir Path directory;
  private LogLines log;
  private Path chain;
  private Path key;

  @BeforeAll
  static void issueCertificates() throws Exception {
    authority = new TestAuthority();
    first = issued("first", 90);
    second = issued("second", 180);
  }

  private static X509Bundle issued(String subject, int daysLeft) throws Exception {
    return authority.server(
        subject, NOW.minus(DAY.multipliedBy(90)), NOW.plus(DAY.multipliedBy(daysLeft)));
  }

  @BeforeEach
  void listen() {
    log = new LogLines(CertificateWatch.class);
    chain = directory.resolve("tls.crt");
    key = directory.resolve("tls.key");
  }

  @AfterEach
  void stopListening() {
    log.close();
  }

  private void write(X509Bundle owner) throws IOException {
    Files.writeString(chain, owner.getCertificatePathPEM());
    Files.writeString(key, owner.getPrivateKeyPEM());
  }

  private static CertificateWatch watch(TlsFiles files, Instant now) {
    return new CertificateWatch(
        files.withReload(Duration.ofMillis(10)), Clock.fixed(now, ZoneOffset.UTC));
  }

  private CertificateWatch watchFirst() throws IOException {
    write(first);
    return watch(TlsFiles.pem(chain, key), NOW);
  }

  private static void assertShows(CertificateWatch watch, String subject) {
    assertThat(watch.info().subject()).isEqualTo("CN=" + subject);
  }

  @Test
  void aNewPairIsTakenAndTold() throws Exception {
    try (var watch = watchFirst()) {
      watch.look();
      assertThat(watch.info().reloads()).isZero();
      write(second);
      watch.look();
      var serial = second.getCertificate().getSerialNumber();
      var info = watch.info();
      assertThat(info.subject()).isEqualTo("CN=second");
      assertThat(info.serial()).matches("([0-9A-F]{2})+");
      assertThat(new BigInteger(info.serial(), 16)).isEqualTo(serial);
      assertThat(info.notAfter()).isEqualTo(NOW.plus(DAY.multipliedBy(180)));
      assertThat(info.loadedAt()).isEqualTo(NOW);
      assertThat(info.reloads()).isEqualTo(1);
      assertThat(info.refusals()).isZero();
      assertThat(log.at(Level.INFO))
          .containsExactly(
              "new handshakes use %s (CN=second), serial %s, until %s"
                  .formatted(chain, info.serial(), info.notAfter()));
      assertThat(log.at(Level.WARNING)).isEmpty();
    }
  }

  @Test
  void aPairThatIsHalfWrittenIsWaitedForWithoutAWord() throws Exception {
    try (var watch = watchFirst()) {
      Files.writeString(key, second.getPrivateKeyPEM());
      watch.look();
      assertShows(watch, "first");
      Files.writeString(chain, second.getCertificatePathPEM());
      watch.look();
      assertShows(watch, "second");
      assertThat(log.at(Level.WARNING)).isEmpty();
    }
  }

  @Test
  void aPairThatStaysBrokenIsReportedOnce() throws Exception {
    try (var watch = watchFirst()) {
      Files.writeString(key, second.getPrivateKeyPEM());
      for (int i = 0; i < 5; i++) watch.look();
      assertThat(log.at(Level.WARNING))
          .singleElement()
          .asString()
          .startsWith("%s is not the key of the certificate in %s".formatted(key, chain))
          .contains("(CN=first) stays in use");
      assertThat(watch.info().refusals()).isEqualTo(1);
      assertShows(watch, "first");
    }
  }

  @Test
  void anotherFaultIsAnotherReport() throws Exception {
    try (var watch = watchFirst()) {
      Files.writeString(key, "garbage");
      for (int i = 0; i < 3; i++) watch.look();
      Files.delete(key);
      for (int i = 0; i < 3; i++) watch.look();
      assertThat(log.at(Level.WARNING))
          .satisfiesExactly(
              line -> assertThat(line).contains("holds no private key"),
              line -> assertThat(line).contains("does not exist"));
    }
  }

  @Test
  void afterGoodFilesTheSameFaultIsReportedAgain() throws Exception {
    try (var watch = watchFirst()) {
      for (int i = 0; i < 2; i++) {
        Files.delete(key);
        watch.look();
        watch.look();
        Files.writeString(key, first.getPrivateKeyPEM());
        watch.look();
      }
      assertThat(log.at(Level.WARNING)).hasSize(2);
      assertThat(watch.info().reloads()).isZero();
    }
  }

  @Test
  void aTruncatedChainIsRefused() throws Exception {
    try (var watch = watchFirst()) {
      write(second);
      var whole = second.getCertificatePathPEM();
      Files.writeString(chain, whole.substring(0, whole.length() / 2));
      watch.look();
      watch.look();
      assertThat(log.at(Level.WARNING)).singleElement().asString().contains("no readable cert");
      assertShows(watch, "first");
    }
  }

  @Test
  void anExpiredCertificateIsRefusedWhileTheOldOneIsValid() throws Exception {
    try (var watch = watchFirst()) {
      write(issued("expired", -1));
      watch.look();
      watch.look();
      assertThat(log.at(Level.WARNING))
          .singleElement()
          .asString()
          .startsWith(chain + " (CN=expired) has expired at 2026-05-31");
      assertShows(watch, "first");
    }
  }

  @Test
  void aCertificateOfTheFutureIsRefusedWhileTheOldOneIsValid() throws Exception {
    var tomorrow = NOW.plus(DAY);
    try (var watch = watchFirst()) {
      write(authority.server("early", tomorrow, tomorrow.plus(DAY)));
      assertThatThrownBy(watch::reload)
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContaining("is not valid before 2026-06-02");
      assertShows(watch, "first");
    }
  }

  @Test
  void anExpiredCertificateIsTakenForOneThatHasExpiredToo() throws Exception {
    write(issued("older", -10));
    try (var watch = watch(TlsFiles.pem(chain, key), NOW)) {
      assertThat(log.at(Level.WARNING)).singleElement().asString().contains("has expired at");
      write(issued("newer", -1));
      assertThat(watch.reload()).isTrue();
      assertShows(watch, "newer");
    }
  }

  @Test
  void clientRootsAreWatchedToo() throws Exception {
    write(first);
    var roots = authority.rootFile(directory);
    try (var watch = watch(TlsFiles.pem(chain, key).withClientsRequired(roots), NOW)) {
      assertThat(watch.reload()).isFalse();
      Files.writeString(roots, "garbage");
      assertThatThrownBy(watch::reload)
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContaining(roots + " holds no");
      assertThat(watch.info().refusals()).isEqualTo(1);
      authority.rootFile(directory);
      Files.writeString(roots, Files.readString(roots) + first.getCertificatePEM());
      assertThat(watch.reload()).isTrue();
      assertThat(watch.info().reloads()).isEqualTo(1);
    }
  }

  /// Kubernetes: `tls.crt` → `..data/tls.crt`, `..data` → `..2026_06_01`, and the latter link is
  /// replaced by a rename.
  @Test
  void aDirectoryBehindASymbolicLinkIsReplaced() throws Exception {
    secret("..2026_06_01", first);
    Files.createSymbolicLink(directory.resolve("..data"), Path.of("..2026_06_01"));
    Files.createSymbolicLink(chain, Path.of("..data/tls.crt"));
    Files.createSymbolicLink(key, Path.of("..data/tls.key"));
    try (var watch = watch(TlsFiles.pem(chain, key), NOW)) {
      assertShows(watch, "first");
      secret("..2026_06_02", second);
      Files.createSymbolicLink(directory.resolve("..data_tmp"), Path.of("..2026_06_02"));
      Files.move(
          directory.resolve("..data_tmp"),
          directory.resolve("..data"),
          StandardCopyOption.ATOMIC_MOVE,
          StandardCopyOption.REPLACE_EXISTING);
      watch.look();
      assertShows(watch, "second");
    }
  }

  private void secret(String version, X509Bundle owner) throws IOException {
    var folder = Files.createDirectory(directory.resolve(version));
    Files.writeString(folder.resolve("tls.crt"), owner.getCertificatePathPEM());
    Files.writeString(folder.resolve("tls.key"), owner.getPrivateKeyPEM());
  }

  @Test
  void aPkcs12StoreIsWatchedAsWell() throws Exception {
    var store = directory.resolve("tls.p12");
    writeStore(store, first);
    assertThatThrownBy(() -> watch(TlsFiles.pkcs12(store, "wrong"), NOW))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage(store + " cannot be opened: wrong password");
    try (var watch = watch(TlsFiles.pkcs12(store, "secret"), NOW)) {
      writeStore(store, second);
      watch.look();
      assertShows(watch, "second");
    }
  }

  private static void writeStore(Path file, X509Bundle owner) throws Exception {
    var secret = "secret".toCharArray();
    var store = KeyStore.getInstance("PKCS12");
    store.load(null, null);
    store.setKeyEntry(
        "server", owner.getKeyPair().getPrivate(), secret, owner.getCertificatePath());
    try (OutputStream out = Files.newOutputStream(file)) {
      store.store(out, secret);
    }
  }

  @Test
  void anEndThatIsNearIsToldOnce() throws Exception {
    write(first);
    try (var watch = watch(TlsFiles.pem(chain, key), NOW.plus(DAY.multipliedBy(85)))) {
      for (int i = 0; i < 3; i++) watch.look();
      assertThat(log.at(Level.WARNING))
          .singleElement()
          .asString()
          .startsWith("%s and %s: certificate ".formatted(chain, key))
          .contains("(CN=first) expires at 2026-08-30T12:00:00Z")
          .endsWith("in 5 days and 0 hours");
    }
  }

  @Test
  void aCertificateWhoseTimeHasNotComeIsToldAtTheStart() throws Exception {
    var tomorrow = NOW.plus(DAY);
    write(authority.server("early", tomorrow, tomorrow.plus(DAY)));
    try (var watch = watch(TlsFiles.pem(chain, key), NOW)) {
      watch.look();
      assertThat(log.at(Level.WARNING))
          .singleElement()
          .asString()
          .endsWith("(CN=early) is not valid before 2026-06-02T12:00:00Z, clients refuse it");
    }
  }

  @Test
  void nothingIsTakenAfterTheClose() throws Exception {
    var watch = watchFirst();
    watch.close();
    write(second);
    assertThatThrownBy(watch::reload)
        .isInstanceOf(IllegalStateException.class)
        .hasMessage("the server has been closed");
    watch.look();
    assertShows(watch, "first");
  }

  @Test
  void passwordsAreNotPrinted() {
    assertThat(TlsFiles.pem(chain, key, "secret")).hasToString(chain + " and " + key);
    assertThat(TlsFiles.pkcs12(chain, "secret").withClientsOptional(key))
        .hasToString(chain + ", clients OPTIONAL by " + key);
  }

  @Test
  void anIntervalThatMakesNoSenseIsRefused() {
    var files = TlsFiles.pem(chain, key);
    for (var interval : new Duration[] {Duration.ofMillis(9), DAY.plusMillis(1), DAY.negated()}) {
      assertThatThrownBy(() -> files.withReload(interval))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContaining("every 10 ms to 1 day");
    }
    assertThat(files.withReload(Duration.ZERO).reload()).isZero();
  }
}
