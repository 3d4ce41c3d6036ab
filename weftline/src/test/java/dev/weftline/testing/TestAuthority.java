package dev.weftline.testing;

import io.grpc.Grpc;
import io.grpc.ManagedChannel;
import io.grpc.TlsChannelCredentials;
import io.netty.pkitesting.CertificateBuilder;
import io.netty.pkitesting.X509Bundle;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import javax.net.ssl.TrustManager;
import org.jspecify.annotations.Nullable;

/// Issues certificates for localhost and for clients, and makes grpc-java's clients that trust it.
public final class TestAuthority {
  private final X509Bundle root;

  public TestAuthority() throws Exception {
    root =
        new CertificateBuilder()
            .ecp256()
            .subject("CN=Test authority")
            .setIsCertificateAuthority(true)
            .buildSelfSigned();
  }

  /// A server at localhost, by the name of `CN=subject`.
  public X509Bundle server(String subject) throws Exception {
    return localhost(subject).buildIssuedBy(root);
  }

  /// As above, valid from one time to another.
  public X509Bundle server(String subject, Instant notBefore, Instant notAfter) throws Exception {
    return localhost(subject).notBefore(notBefore).notAfter(notAfter).buildIssuedBy(root);
  }

  private static CertificateBuilder localhost(String subject) {
    return new CertificateBuilder().ecp256().subject("CN=" + subject).addSanDnsName("localhost");
  }

  public X509Bundle issue(CertificateBuilder certificate) throws Exception {
    return certificate.buildIssuedBy(root);
  }

  /// The root's certificate, as a file of this directory.
  public Path rootFile(Path directory) throws IOException {
    return Files.writeString(directory.resolve("ca.crt"), root.getCertificatePEM());
  }

  public TrustManager trustManager() {
    return root.toTrustManager();
  }

  /// A new connection to localhost.
  ///
  /// @param client null to show no certificate
  public ManagedChannel channel(int port, @Nullable X509Bundle client) {
    var credentials = TlsChannelCredentials.newBuilder();
    try {
      credentials.trustManager(stream(root.getCertificatePEM()));
      if (client != null) {
        credentials.keyManager(
            stream(client.getCertificatePEM()), stream(client.getPrivateKeyPEM()));
      }
    } catch (IOException e) {
      throw new AssertionError(e); // from memory
    }
    return Grpc.newChannelBuilder("localhost:" + port, credentials.build()).build();
  }

  private static InputStream stream(String text) {
    return new ByteArrayInputStream(text.getBytes(StandardCharsets.US_ASCII));
  }
}
