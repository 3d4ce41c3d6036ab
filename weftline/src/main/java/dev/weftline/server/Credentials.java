package dev.weftline.server;

import dev.weftline.internal.net.Tls;
import io.grpc.ChoiceServerCredentials;
import io.grpc.InsecureServerCredentials;
import io.grpc.ServerCredentials;
import io.grpc.TlsServerCredentials;
import java.util.Optional;
import java.util.Set;

/// grpc-java's server credentials as TLS of ours.
final class Credentials {
  private Credentials() {}

  /// The first kind of credentials that we understand; empty for plain text.
  ///
  /// @throws IllegalArgumentException with a sentence when nothing is understood or a certificate
  ///   is bad
  static Optional<Tls> tls(ServerCredentials credentials) {
    var chosen = understood(credentials);
    if (chosen.isEmpty()) {
      throw new IllegalArgumentException(
          "server credentials that Weftline does not understand: "
              + credentials.getClass().getName());
    }
    return chosen.get() instanceof TlsServerCredentials tls
        ? Optional.of(tls(tls))
        : Optional.empty();
  }

  /// The credentials that would be used, among a choice.
  static Optional<ServerCredentials> understood(ServerCredentials credentials) {
    return switch (credentials) {
      case ChoiceServerCredentials choice ->
          choice.getCredentialsList().stream()
              .flatMap(inner -> understood(inner).stream())
              .findFirst();
      case InsecureServerCredentials insecure -> Optional.of(insecure);
      case TlsServerCredentials tls ->
          tls.incomprehensible(
                      Set.of(
                          TlsServerCredentials.Feature.MTLS,
                          TlsServerCredentials.Feature.CUSTOM_MANAGERS))
                  .isEmpty()
              ? Optional.of(tls)
              : Optional.empty();
      default -> Optional.empty();
    };
  }

  private static Tls tls(TlsServerCredentials credentials) {
    var builder = Tls.builder();
    var keyManagers = credentials.getKeyManagers();
    if (keyManagers != null) {
      builder.identity(keyManagers);
    } else {
      builder.identity(
          credentials.getCertificateChain(),
          credentials.getPrivateKey(),
          credentials.getPrivateKeyPassword());
    }
    var trustManagers = credentials.getTrustManagers();
    var roots = credentials.getRootCertificates();
    if (trustManagers != null) {
      builder.trust(trustManagers);
    } else if (roots != null) {
      builder.trust(roots);
    }
    return builder
        .clientCertificates(
            switch (credentials.getClientAuth()) {
              case NONE -> Tls.ClientCertificates.NONE;
              case OPTIONAL -> Tls.ClientCertificates.OPTIONAL;
              case REQUIRE -> Tls.ClientCertificates.REQUIRED;
            })
        .build();
  }
}
