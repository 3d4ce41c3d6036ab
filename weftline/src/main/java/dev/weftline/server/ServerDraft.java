package dev.weftline.server;

import java.nio.file.Path;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/// A builder while options are put into it, with what is made of several of them at the end.
final class ServerDraft {
  final Server.Builder builder;

  // Of TLS.
  @Nullable Path chain;
  @Nullable Path key;
  @Nullable String keyPassword;
  @Nullable Path store;
  @Nullable String storePassword;
  @Nullable Path clientRoots;
  ClientCertificates clientCertificates = ClientCertificates.REQUIRED;

  // Of the access log.
  @Nullable AccessLog accessLog;
  double sampled = 1;
  @Nullable Path accessLogFile;

  /// Whether clients of whom roots are known must show a certificate.
  enum ClientCertificates {
    OPTIONAL,
    REQUIRED
  }

  ServerDraft(Server.Builder builder) {
    this.builder = builder;
  }

  void limits(UnaryOperator<Limits> change) {
    builder.limits(change.apply(builder.limits()));
  }

  void connections(UnaryOperator<ConnectionLimits> change) {
    builder.connections(change.apply(builder.connections()));
  }

  void overload(UnaryOperator<Overload> change) {
    builder.overload(change.apply(builder.overload()));
  }

  /// Puts together what several options say.
  ///
  /// @throws IllegalArgumentException when some of them are missing
  void finish() {
    var files = tlsFiles();
    if (files != null) builder.tls(files);
    if (accessLog != null) {
      var log = accessLog.sampled(sampled);
      builder.accessLog(accessLogFile == null ? log : log.to(accessLogFile));
    } else if (accessLogFile != null) {
      throw new IllegalArgumentException("access-log-file needs access-log, json or text");
    }
  }

  private @Nullable TlsFiles tlsFiles() {
    var files = identity();
    if (clientRoots == null) return files;
    if (files == null) {
      throw new IllegalArgumentException(
          "tls-client-roots needs tls-chain and tls-key, or tls-store");
    }
    return switch (clientCertificates) {
      case OPTIONAL -> files.withClientsOptional(clientRoots);
      case REQUIRED -> files.withClientsRequired(clientRoots);
    };
  }

  private @Nullable TlsFiles identity() {
    if (store != null) {
      if (chain != null || key != null) {
        throw new IllegalArgumentException("tls-store takes the place of tls-chain and tls-key");
      }
      return TlsFiles.pkcs12(store, storePassword == null ? "" : storePassword);
    }
    if (chain == null && key == null) return null;
    if (chain == null || key == null) {
      throw new IllegalArgumentException("tls-chain and tls-key belong together");
    }
    return keyPassword == null ? TlsFiles.pem(chain, key) : TlsFiles.pem(chain, key, keyPassword);
  }
}
