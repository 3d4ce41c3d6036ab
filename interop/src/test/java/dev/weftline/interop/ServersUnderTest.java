package dev.weftline.interop;

import io.grpc.InsecureServerCredentials;
import io.grpc.Server;
import io.grpc.TlsServerCredentials;
import java.io.IOException;
import java.util.List;

/// The interop server twice on free ports of this machine: in plaintext and with TLS.
final class ServersUnderTest implements AutoCloseable {
  enum Transport {
    H2C,
    TLS
  }

  private final TestCertificate certificate = TestCertificate.create();
  private final Server plaintext;
  private final Server tls;

  ServersUnderTest() throws IOException {
    plaintext = InteropServer.start(0, InsecureServerCredentials.create());
    tls =
        InteropServer.start(
            0, TlsServerCredentials.create(certificate.chainStream(), certificate.keyStream()));
  }

  int port(Transport transport) {
    return switch (transport) {
      case H2C -> plaintext.getPort();
      case TLS -> tls.getPort();
    };
  }

  List<Server> all() {
    return List.of(plaintext, tls);
  }

  /// PEM: what a client of the TLS server has to trust.
  String authority() {
    return certificate.authority();
  }

  @Override
  public void close() {
    all().forEach(Server::shutdownNow);
  }
}
