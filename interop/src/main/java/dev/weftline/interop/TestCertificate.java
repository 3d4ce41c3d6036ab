package dev.weftline.interop;

import io.netty.pkitesting.CertificateBuilder;
import io.netty.pkitesting.X509Bundle;
import java.io.ByteArrayInputStream;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;

/// A certificate for the names the interop suite gives its server, with the authority that signed
/// it. Both are new at each start and worth nothing outside of tests.
///
/// @param chain PEM: the server's certificate and its authority's
/// @param key PEM: the server's private key
/// @param authority PEM: what a client has to trust
record TestCertificate(String chain, String key, String authority) {
  /// Clients are told to expect this name (`--server_host_override=foo.test.google.fr`).
  static final String NAME = "foo.test.google.fr";

  static TestCertificate create() {
    try {
      X509Bundle authority =
          new CertificateBuilder()
              .subject("CN=Weftline interop test authority")
              .setIsCertificateAuthority(true)
              .buildSelfSigned();
      X509Bundle server =
          new CertificateBuilder()
              .subject("CN=" + NAME)
              .addSanDnsName(NAME)
              .addSanDnsName("localhost")
              .addSanIpAddress("127.0.0.1")
              .addSanIpAddress("::1")
              .buildIssuedBy(authority);
      return new TestCertificate(
          server.getCertificatePathPEM(),
          server.getPrivateKeyPEM(),
          authority.getRootCertificatePEM());
    } catch (Exception e) { // declared so by the builder
      throw new IllegalStateException("this JDK makes no certificates", e);
    }
  }

  InputStream chainStream() {
    return new ByteArrayInputStream(chain.getBytes(StandardCharsets.US_ASCII));
  }

  InputStream keyStream() {
    return new ByteArrayInputStream(key.getBytes(StandardCharsets.US_ASCII));
  }
}
