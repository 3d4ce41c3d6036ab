package dev.weftline.internal.net;

import static java.lang.System.Logger.Level.WARNING;

import io.netty.buffer.ByteBufAllocator;
import io.netty.handler.ssl.ApplicationProtocolConfig;
import io.netty.handler.ssl.ApplicationProtocolConfig.Protocol;
import io.netty.handler.ssl.ApplicationProtocolConfig.SelectedListenerFailureBehavior;
import io.netty.handler.ssl.ApplicationProtocolConfig.SelectorFailureBehavior;
import io.netty.handler.ssl.ApplicationProtocolNames;
import io.netty.handler.ssl.ClientAuth;
import io.netty.handler.ssl.OpenSsl;
import io.netty.handler.ssl.SslContext;
import io.netty.handler.ssl.SslContextBuilder;
import io.netty.handler.ssl.SslHandler;
import io.netty.handler.ssl.SslProvider;
import io.netty.handler.ssl.SupportedCipherSuiteFilter;
import io.netty.util.ReferenceCountUtil;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.security.cert.CertificateExpiredException;
import java.security.cert.CertificateNotYetValidException;
import java.security.cert.X509Certificate;
import java.util.List;
import javax.net.ssl.KeyManager;
import javax.net.ssl.SSLException;
import javax.net.ssl.TrustManager;
import javax.net.ssl.X509KeyManager;
import javax.net.ssl.X509TrustManager;
import org.jspecify.annotations.Nullable;

/// How a server proves who it is and whom it trusts: TLS 1.2 and 1.3 with ALPN for h2 and http/1.1
/// (RFC 9113 §9.2). Checked whole when built, so that a server with a bad certificate does not
/// start.
///
/// Any thread may use it. Whoever builds it closes it, after the listeners that use it.
public final class Tls implements AutoCloseable {
  private static final System.Logger log = System.getLogger(Tls.class.getName());

  /// TLS 1.3 first; under TLS 1.2 only ephemeral key exchange with authenticated encryption, which
  /// leaves out all that RFC 9113 Appendix A prohibits. RFC 9113 §9.2.2 requires
  /// ECDHE_RSA_WITH_AES_128_GCM_SHA256.
  private static final List<String> CIPHER_SUITES =
      List.of(
          "TLS_AES_128_GCM_SHA256",
          "TLS_AES_256_GCM_SHA384",
          "TLS_CHACHA20_POLY1305_SHA256",
          "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256",
          "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256",
          "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384",
          "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384",
          "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256",
          "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256");

  /// Whether clients show a certificate of their own.
  public enum ClientCertificates {
    NONE,
    /// Asked for; one that is shown must be trusted.
    OPTIONAL,
    REQUIRED
  }

  private final SslContext context;

  private Tls(SslContext context) {
    this.context = context;
  }

  public static Builder builder() {
    return new Builder();
  }

  /// The handler of one connection.
  SslHandler handler(ByteBufAllocator allocator, int handshakeMillis) {
    var handler = context.newHandler(allocator);
    handler.setHandshakeTimeoutMillis(handshakeMillis);
    return handler;
  }

  @Override
  public void close() {
    ReferenceCountUtil.release(context);
  }

  /// Gathers identity and trust. An identity is needed; trust is the JDK's unless given.
  public static final class Builder {
    private @Nullable SslContextBuilder identity;
    private @Nullable List<X509Certificate> trustedCertificates;
    private @Nullable X509TrustManager trustManager;
    private ClientCertificates clientCertificates = ClientCertificates.NONE;
    private @Nullable SslProvider provider; // null: BoringSSL where its library is there

    private Builder() {}

    /// The server's certificate, then those that lead to its root, and the private key in PKCS#8.
    ///
    /// @throws IllegalArgumentException with a sentence that names the file and what is wrong
    public Builder identity(Path chain, Path key, @Nullable String password) {
      return identity(
          new Pem(read(chain, "certificate"), chain.toString()),
          new Pem(read(key, "private key"), key.toString()),
          password);
    }

    /// As with files; the streams are read to their end and left open.
    public Builder identity(InputStream chain, InputStream key, @Nullable String password)
        throws IOException {
      return identity(chain.readAllBytes(), key.readAllBytes(), password);
    }

    /// As with files.
    public Builder identity(byte[] chain, byte[] key, @Nullable String password) {
      return identity(
          new Pem(chain, "the certificate chain"), new Pem(key, "the private key"), password);
    }

    /// Leaves the choice of certificate to the first [X509KeyManager] of `keyManagers`.
    public Builder identity(List<? extends KeyManager> keyManagers) {
      for (var manager : keyManagers) {
        if (manager instanceof X509KeyManager) {
          identity = SslContextBuilder.forServer(manager);
          return this;
        }
      }
      throw new IllegalArgumentException("none of the key managers is an X509KeyManager");
    }

    private Builder identity(Pem chain, Pem key, @Nullable String password) {
      var certificates = chain.certificates();
      var privateKey = key.privateKey(password);
      var own = certificates.getFirst();
      if (!Pem.belongTogether(privateKey, own.getPublicKey())) {
        throw new IllegalArgumentException(
            "%s is not the key of the certificate in %s".formatted(key.source(), chain.source()));
      }
      warnWhenNotValid(own, chain.source());
      identity = SslContextBuilder.forServer(privateKey, certificates);
      return this;
    }

    /// The roots that client certificates must lead to.
    ///
    /// @throws IllegalArgumentException with a sentence that names the file and what is wrong
    public Builder trust(Path roots) {
      trustedCertificates =
          new Pem(read(roots, "root certificate"), roots.toString()).certificates();
      return this;
    }

    /// As with a file.
    public Builder trust(byte[] roots) {
      trustedCertificates = new Pem(roots, "the list of root certificates").certificates();
      return this;
    }

    /// Leaves the judgement of client certificates to the first [X509TrustManager].
    public Builder trust(List<? extends TrustManager> trustManagers) {
      for (var manager : trustManagers) {
        if (manager instanceof X509TrustManager found) {
          trustManager = found;
          return this;
        }
      }
      throw new IllegalArgumentException("none of the trust managers is an X509TrustManager");
    }

    public Builder clientCertificates(ClientCertificates wanted) {
      clientCertificates = wanted;
      return this;
    }

    /// Uses the JDK's own TLS even where BoringSSL is there, for what only the JDK supports, such
    /// as keys in a PKCS#11 token.
    public Builder jdkProvider() {
      provider = SslProvider.JDK;
      return this;
    }

    /// Sets up TLS with what was given.
    ///
    /// @throws IllegalArgumentException when the TLS provider refuses what was given
    public Tls build() {
      if (identity == null) {
        throw new IllegalArgumentException("TLS needs a certificate and its private key");
      }
      if (trustedCertificates != null) identity.trustManager(trustedCertificates);
      if (trustManager != null) identity.trustManager(trustManager);
      try {
        return new Tls(
            identity
                .sslProvider(provider == null ? quickest() : provider)
                .protocols("TLSv1.3", "TLSv1.2")
                .ciphers(CIPHER_SUITES, SupportedCipherSuiteFilter.INSTANCE)
                .clientAuth(
                    switch (clientCertificates) {
                      case NONE -> ClientAuth.NONE;
                      case OPTIONAL -> ClientAuth.OPTIONAL;
                      case REQUIRED -> ClientAuth.REQUIRE;
                    })
                .applicationProtocolConfig(
                    // A peer without ALPN, or with other names, shows by its first bytes what it
                    // speaks; BoringSSL offers no stricter choice.
                    new ApplicationProtocolConfig(
                        Protocol.ALPN,
                        SelectorFailureBehavior.NO_ADVERTISE,
                        SelectedListenerFailureBehavior.ACCEPT,
                        ApplicationProtocolNames.HTTP_2,
                        ApplicationProtocolNames.HTTP_1_1))
                .build());
      } catch (SSLException e) {
        throw new IllegalArgumentException(
            "TLS cannot be set up with this certificate and key: " + e.getMessage(), e);
      }
    }

    private static SslProvider quickest() {
      // The reference-counted kind: a connection's native memory goes when the connection goes.
      return OpenSsl.isAvailable() && SslProvider.isAlpnSupported(SslProvider.OPENSSL)
          ? SslProvider.OPENSSL_REFCNT
          : SslProvider.JDK;
    }

    private static byte[] read(Path file, String what) {
      try {
        return Files.readAllBytes(file);
      } catch (NoSuchFileException e) {
        throw new IllegalArgumentException(what + " file " + file + " does not exist", e);
      } catch (IOException e) {
        throw new IllegalArgumentException(
            what + " file " + file + " cannot be read: " + e.getMessage(), e);
      }
    }

    private static void warnWhenNotValid(X509Certificate certificate, String source) {
      try {
        certificate.checkValidity();
      } catch (CertificateExpiredException | CertificateNotYetValidException e) {
        log.log(
            WARNING,
            "{0}: the certificate is not valid now, clients will refuse it: {1}",
            source,
            e.getMessage());
      }
    }
  }
}
