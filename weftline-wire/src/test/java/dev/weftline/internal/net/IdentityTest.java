package dev.weftline.internal.net;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.netty.pkitesting.CertificateBuilder;
import io.netty.pkitesting.X509Bundle;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyStore;
import java.security.cert.Certificate;
import java.util.Arrays;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Keys with their certificates, from PEM and from PKCS#12 (RFC 7292), and what is wrong with them.
final class IdentityTest {
  private static final char[] SECRET = "secret".toCharArray();

  private static X509Bundle root;
  private static X509Bundle intermediate;
  private static X509Bundle server;
  private static X509Bundle other;

  @TempDir Path directory;

  @BeforeAll
  static void issueCertificates() throws Exception {
    root = authority("CN=root").buildSelfSigned();
    intermediate = authority("CN=intermediate").buildIssuedBy(root);
    server = new CertificateBuilder().ecp256().subject("CN=server").buildIssuedBy(intermediate);
    other = new CertificateBuilder().ecp256().subject("CN=other").buildIssuedBy(root);
  }

  private static CertificateBuilder authority(String subject) {
    return new CertificateBuilder().ecp256().subject(subject).setIsCertificateAuthority(true);
  }

  private static byte[] ascii(String... texts) {
    return String.join("", texts).getBytes(StandardCharsets.US_ASCII);
  }

  private static Identity pem(String... chain) {
    return Identity.pem(ascii(chain), "tls.crt", ascii(server.getPrivateKeyPEM()), "tls.key", null);
  }

  private static KeyStore store() throws Exception {
    var store = KeyStore.getInstance("PKCS12");
    store.load(null, null);
    return store;
  }

  private static byte[] bytes(KeyStore store) throws Exception {
    var out = new ByteArrayOutputStream();
    store.store(out, SECRET);
    return out.toByteArray();
  }

  private static void add(KeyStore store, String alias, X509Bundle owner, Certificate... chain)
      throws Exception {
    store.setKeyEntry(alias, owner.getKeyPair().getPrivate(), SECRET, chain);
  }

  private static void assertRefused(ThrowingCallable parsing, String message) {
    assertThatThrownBy(parsing)
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageMatching(message);
  }

  @Test
  void aPkcs12StoreHoldsAKeyAndItsChain() throws Exception {
    var store = store();
    add(store, "server", server, server.getCertificate(), intermediate.getCertificate());
    store.setCertificateEntry("root", root.getCertificate());
    var identity = Identity.pkcs12(bytes(store), "tls.p12", "secret");
    assertThat(identity.key()).isEqualTo(server.getKeyPair().getPrivate());
    // The JDK follows the issuers through the whole store.
    assertThat(identity.chain())
        .containsExactly(
            server.getCertificate(), intermediate.getCertificate(), root.getCertificate());
    identity.requireOrder();
    assertThat(identity).hasToString("tls.p12 (CN=server)");
    Tls.builder().identity(identity).build().close();
  }

  @Test
  void aWrongPasswordIsToldFromAFileThatIsNoStore() throws Exception {
    var store = store();
    add(store, "server", server, server.getCertificate());
    var content = bytes(store);
    assertRefused(
        () -> Identity.pkcs12(content, "tls.p12", "wrong"),
        "tls.p12 cannot be opened: wrong password");
    assertRefused(
        () -> Identity.pkcs12(ascii("junk"), "tls.p12", "secret"),
        "tls.p12 is not a PKCS#12 store: .*");
    assertRefused(
        () -> Identity.pkcs12(new byte[0], "tls.p12", "secret"),
        "tls.p12 is not a PKCS#12 store: .*");
    for (int length = 1; length < content.length; length += 97) {
      var cut = Arrays.copyOf(content, length);
      assertRefused(() -> Identity.pkcs12(cut, "tls.p12", "secret"), "tls.p12 .*");
    }
  }

  @Test
  void aKeyUnderAnotherPasswordThanItsStoreIsToldSo() throws Exception {
    var store = store();
    var chain = new Certificate[] {server.getCertificate()};
    store.setKeyEntry("server", server.getKeyPair().getPrivate(), "other".toCharArray(), chain);
    var content = bytes(store);
    assertRefused(
        () -> Identity.pkcs12(content, "tls.p12", "secret"),
        "tls.p12 has another password for its key than for itself");
  }

  @Test
  void aStoreHasOneKey() throws Exception {
    var certificateOnly = store();
    certificateOnly.setCertificateEntry("root", root.getCertificate());
    assertRefused(
        () -> Identity.pkcs12(bytes(certificateOnly), "tls.p12", "secret"),
        "tls.p12 holds no private key with its certificate");
    var two = store();
    add(two, "one", server, server.getCertificate());
    add(two, "two", other, other.getCertificate());
    assertRefused(
        () -> Identity.pkcs12(bytes(two), "tls.p12", "secret"),
        "tls.p12 holds several private keys, and one is needed: \\[one, two]");
  }

  @Test
  void aStoreWithTheCertificateOfAnotherKeyIsRefused() throws Exception {
    var mixed = store();
    add(mixed, "server", server, other.getCertificate());
    assertRefused(
        () -> Identity.pkcs12(bytes(mixed), "tls.p12", "secret"),
        "tls.p12 holds a private key and the certificate of another");
  }

  /// RFC 5246 §7.4.2, RFC 8446 §4.4.2.
  @Test
  void eachCertificateOfAChainCertifiesTheOneBefore() {
    pem(server.getCertificatePEM()).requireOrder();
    pem(server.getCertificatePEM(), intermediate.getCertificatePEM()).requireOrder();
    pem(server.getCertificatePEM(), intermediate.getCertificatePEM(), root.getCertificatePEM())
        .requireOrder();
    assertRefused(
        () -> pem(server.getCertificatePEM(), root.getCertificatePEM()).requireOrder(),
        "the chain in tls.crt is not in order: "
            + "certificate 1 \\(CN=server\\) was not issued by certificate 2 \\(CN=root\\)");
    assertRefused(
        () ->
            pem(
                    server.getCertificatePEM(),
                    intermediate.getCertificatePEM(),
                    other.getCertificatePEM())
                .requireOrder(),
        ".* certificate 2 \\(CN=intermediate\\) was not issued by certificate 3 \\(CN=other\\)");
  }

  @Test
  void anIssuerOfTheSameNameWithAnotherKeyIsNoIssuer() throws Exception {
    var impostor = authority("CN=intermediate").buildSelfSigned();
    assertRefused(
        () -> pem(server.getCertificatePEM(), impostor.getCertificatePEM()).requireOrder(),
        ".* was not issued by certificate 2 \\(CN=intermediate\\)");
  }

  @Test
  void aFileThatIsFarTooLargeIsNotRead() throws Exception {
    var large = Files.write(directory.resolve("large"), new byte[(1 << 20) + 1]);
    assertRefused(
        () -> Tls.read(large, "certificate"),
        "certificate file .*/large is larger than 1048576 bytes");
  }
}
