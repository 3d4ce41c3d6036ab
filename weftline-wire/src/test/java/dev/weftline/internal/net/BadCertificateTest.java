package dev.weftline.internal.net;

import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.netty.pkitesting.CertificateBuilder;
import io.netty.pkitesting.X509Bundle;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.AlgorithmParameters;
import java.security.PrivateKey;
import java.util.Base64;
import java.util.List;
import javax.crypto.Cipher;
import javax.crypto.EncryptedPrivateKeyInfo;
import javax.crypto.SecretKeyFactory;
import javax.crypto.spec.PBEKeySpec;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/// A server with a certificate or key that is no good does not start, and says why in one sentence.
final class BadCertificateTest {
  private static X509Bundle first;
  private static X509Bundle second;

  @TempDir Path directory;

  @BeforeAll
  static void issueCertificates() throws Exception {
    first =
        new CertificateBuilder()
            .ecp256()
            .subject("CN=first")
            .setIsCertificateAuthority(true)
            .buildSelfSigned();
    second =
        new CertificateBuilder()
            .ecp256()
            .subject("CN=second")
            .setIsCertificateAuthority(true)
            .buildSelfSigned();
  }

  private Path file(String name, String content) throws IOException {
    return Files.writeString(directory.resolve(name), content);
  }

  private static void assertRefused(Path chain, Path key, String message) {
    assertThatThrownBy(() -> Tls.builder().identity(chain, key, null))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageMatching(message);
  }

  private Path goodChain() throws IOException {
    return file("server.pem", first.getCertificatePathPEM());
  }

  private Path goodKey() throws IOException {
    return file("server.key", first.getPrivateKeyPEM());
  }

  @ParameterizedTest
  @EnumSource(
      value = CertificateBuilder.Algorithm.class,
      names = {"ecp256", "ecp384", "rsa2048"})
  void aCertificateAndItsKeyAreTaken(CertificateBuilder.Algorithm algorithm) throws Exception {
    var bundle =
        new CertificateBuilder()
            .algorithm(algorithm)
            .subject("CN=good")
            .setIsCertificateAuthority(true)
            .buildSelfSigned();
    var chain = file("good.pem", bundle.getCertificatePathPEM());
    var key = file("good.key", bundle.getPrivateKeyPEM());
    Tls.builder().identity(chain, key, null).build().close();
    Tls.builder().identity(chain, key, null).jdkProvider().build().close();
  }

  @Test
  void streamsAreTakenAsFilesAre() throws Exception {
    try (var chain = Files.newInputStream(goodChain());
        var key = Files.newInputStream(goodKey())) {
      Tls.builder().identity(chain, key, null).build().close();
    }
  }

  @Test
  void aFileThatIsMissingIsNamed() throws Exception {
    var missing = directory.resolve("missing");
    assertRefused(missing, goodKey(), "certificate file .*/missing does not exist");
    assertRefused(goodChain(), missing, "private key file .*/missing does not exist");
    assertThatThrownBy(() -> Tls.builder().trust(missing))
        .hasMessageMatching("root certificate file .*/missing does not exist");
  }

  @Test
  void aDirectoryCannotBeRead() throws Exception {
    assertRefused(directory, goodKey(), "certificate file .* cannot be read: .*");
  }

  @Test
  void aFileWithoutACertificateIsNamed() throws Exception {
    assertRefused(file("empty.pem", ""), goodKey(), ".*/empty.pem holds no certificate");
    assertRefused(goodKey(), goodKey(), ".*/server.key holds no readable certificate.*");
  }

  @Test
  void aBrokenCertificateIsNamed() throws Exception {
    var pem = first.getCertificatePEM();
    var broken = file("broken.pem", pem.replaceFirst("(?s)\n.{200}", "\n"));
    assertRefused(broken, goodKey(), ".*/broken.pem holds no readable certificate: .*");
  }

  @Test
  void aFileWithoutAKeyIsNamed() throws Exception {
    assertRefused(goodChain(), goodChain(), ".*/server.pem holds no private key");
  }

  @Test
  void aBrokenKeyIsNamed() throws Exception {
    var key = file("broken.key", "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n");
    assertRefused(goodChain(), key, ".*/broken.key holds a broken private key");
    var cut = file("cut.key", "-----BEGIN PRIVATE KEY-----\nA\n-----END PRIVATE KEY-----\n");
    assertRefused(goodChain(), cut, ".*/cut.key holds a broken private key: .*");
  }

  @Test
  void aKeyThatIsNotPkcs8IsToldHowToConvert() throws Exception {
    var key =
        file("rsa.key", "-----BEGIN RSA PRIVATE KEY-----\nAAAA\n-----END RSA PRIVATE KEY-----\n");
    assertRefused(
        goodChain(),
        key,
        ".*/rsa.key holds a \"RSA PRIVATE KEY\", and only PKCS#8 is read: convert it with openssl.*");
  }

  @Test
  void aKeyOfAnotherCertificateIsRefused() throws Exception {
    var other = file("other.key", second.getPrivateKeyPEM());
    assertRefused(
        goodChain(), other, ".*/other.key is not the key of the certificate in .*/server.pem");
    var rsa =
        new CertificateBuilder()
            .rsa2048()
            .subject("CN=rsa")
            .setIsCertificateAuthority(true)
            .buildSelfSigned();
    var rsaKey = file("rsa.key", rsa.getPrivateKeyPEM());
    assertRefused(goodChain(), rsaKey, ".*/rsa.key is not the key of the certificate in .*");
    var otherRsa =
        new CertificateBuilder()
            .rsa2048()
            .subject("CN=rsa2")
            .setIsCertificateAuthority(true)
            .buildSelfSigned();
    var otherRsaChain = file("rsa.pem", otherRsa.getCertificatePathPEM());
    assertRefused(otherRsaChain, rsaKey, ".*/rsa.key is not the key of the certificate in .*");
  }

  @Test
  void anEncryptedKeyNeedsItsPassword() throws Exception {
    var chain = goodChain();
    var key = file("encrypted.key", encrypted(first.getKeyPair().getPrivate(), "secret"));
    assertRefused(chain, key, ".*/encrypted.key is encrypted, and no password was given");
    assertThatThrownBy(() -> Tls.builder().identity(chain, key, "wrong"))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageMatching(".*/encrypted.key cannot be decrypted: wrong password.*");
    Tls.builder().identity(chain, key, "secret").build().close();
  }

  private static String encrypted(PrivateKey key, String password) throws Exception {
    var scheme = "PBEWithHmacSHA256AndAES_256";
    var secret =
        SecretKeyFactory.getInstance(scheme).generateSecret(new PBEKeySpec(password.toCharArray()));
    var cipher = Cipher.getInstance(scheme);
    cipher.init(Cipher.ENCRYPT_MODE, secret);
    var parameters = AlgorithmParameters.getInstance("PBES2");
    parameters.init(cipher.getParameters().getEncoded());
    var info = new EncryptedPrivateKeyInfo(parameters, cipher.doFinal(key.getEncoded()));
    return "-----BEGIN ENCRYPTED PRIVATE KEY-----\n%s\n-----END ENCRYPTED PRIVATE KEY-----\n"
        .formatted(Base64.getMimeEncoder().encodeToString(info.getEncoded()));
  }

  @Test
  void bytesWithoutAFileAreNamedByWhatTheyShouldBe() {
    var junk = "junk".getBytes(StandardCharsets.US_ASCII);
    assertThatThrownBy(() -> Tls.builder().identity(junk, junk, null))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageStartingWith("the certificate chain holds no");
    assertThatThrownBy(() -> Tls.builder().trust(junk))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageStartingWith("the list of root certificates holds no");
  }

  @Test
  void tlsWithoutAnIdentityIsRefused() {
    assertThatThrownBy(() -> Tls.builder().build())
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("TLS needs a certificate and its private key");
    assertThatThrownBy(() -> Tls.builder().identity(List.of()))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("none of the key managers is an X509KeyManager");
    assertThatThrownBy(() -> Tls.builder().trust(List.of()))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("none of the trust managers is an X509TrustManager");
  }
}
