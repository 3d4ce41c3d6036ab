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
import io.netty.util.IllegalReferenceCountException;
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
/// start. May be replaced while connections use it: each keeps what its handshake began with.
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

  /// Far above any chain of certificates or bundle of roots; a device or a log given by mistake is
  /// not read into memory.
  private static final int FILE_BYTES_MAX = 1 << 20;

  // Counted by references: one is ours, each connection has its own until it closes. Written under
  // this.
  private volatile SslContext context;

  private boolean closed; // guarded by this

  Tls(SslContext context) {
    this.context = context;
  }

  public static Builder builder() {
    return new Builder();
  }

  /// The handler of one connection. Loop: no lock, whatever [#replace] does meanwhile.
  SslHandler handler(ByteBufAllocator allocator, int handshakeMillis) {
    var current = retained();
    try {
      var handler = current.newHandler(allocator);
      handler.setHandshakeTimeoutMillis(handshakeMillis);
      return handler;
    } finally {
      ReferenceCountUtil.release(current);
    }
  }

  /// The context in use, which cannot go away before the caller releases it.
  @SuppressWarnings("ReferenceEquality") // whether it is the very same context
  private SslContext retained() {
    while (true) {
      var current = context;
      try {
        return ReferenceCountUtil.retain(current);
      } catch (IllegalReferenceCountException e) {
        if (current == context) throw e; // closed, and not replaced between our two looks at it
      }
    }
  }

  /// Handshakes that begin from now on use what `next` is made of; what was used before is released
  /// with its last connection. Takes over `next`, which nobody else uses or closes.
  public synchronized void replace(Tls next) {
    if (closed) {
      next.close();
      return;
    }
    var before = context;
    context = next.context;
    ReferenceCountUtil.release(before);
  }

  @Override
  public synchronized void close() {
    if (closed) return;
    closed = true;
    ReferenceCountUtil.release(context);
  }

  /// What a certificate or key file holds.
  ///
  /// @param what the file should hold, such as `private key`
  /// @throws IllegalArgumentException with a sentence that names the file and what is wrong
  public static byte[] read(Path file, String what) {
    byte[] content;
    try (var in = Files.newInputStream(file)) {
      content = in.readNBytes(FILE_BYTES_MAX + 1);
    } catch (NoSuchFileException e) {
      throw new IllegalArgumentException(what + " file " + file + " does not exist", e);
    } catch (IOException e) {
      throw new IllegalArgumentException(
          what + " file " + file + " cannot be read: " + e.getMessage(), e);
    }
    if (content.length > FILE_BYTES_MAX) {
      throw new IllegalArgumentException(
          what + " file " + file + " is larger than " + FILE_BYTES_MAX + " bytes");
    }
    return content;
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
      return checked(
          Identity.pem(
              read(chain, "certificate"),
              chain.toString(),
              read(key, "private key"),
              key.toString(),
              password));
    }

    /// As with files; the streams are read to their end and left open.
    public Builder identity(InputStream chain, InputStream key, @Nullable String password)
        throws IOException {
      return identity(chain.readAllBytes(), key.readAllBytes(), password);
    }

    /// As with files.
    public Builder identity(byte[] chain, byte[] key, @Nullable String password) {
      return checked(
          Identity.pem(chain, "the certificate chain", key, "the private key", password));
    }

    private Builder checked(Identity known) {
      warnWhenNotValid(known.certificate(), known.source());
      return identity(known);
    }

    /// As it is: whether it is valid now is the caller's business.
    public Builder identity(Identity known) {
      identity = SslContextBuilder.forServer(known.key(), known.chain());
      return this;
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

    /// The roots that client certificates must lead to.
    ///
    /// @throws IllegalArgumentException with a sentence that names the file and what is wrong
    public Builder trust(Path roots) {
      return trust(read(roots, "root certificate"), roots.toString());
    }

    /// As with a file.
    public Builder trust(byte[] roots) {
      return trust(roots, "the list of root certificates");
    }

    /// As with a file.
    public Builder trust(byte[] roots, String source) {
      trustedCertificates = new Pem(roots, source).certificates();
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
      return new Tls(context());
    }

    SslContext context() {
      if (identity == null) {
        throw new IllegalArgumentException("TLS needs a certificate and its private key");
      }
      if (trustedCertificates != null) identity.trustManager(trustedCertificates);
      if (trustManager != null) identity.trustManager(trustManager);
      try {
        return identity
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
            .build();
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
