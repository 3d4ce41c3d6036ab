package dev.weftline.server;

import dev.weftline.internal.net.Identity;
import dev.weftline.internal.net.Tls;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/// The files that a server's TLS is made of: its certificate and private key, and the roots that
/// client certificates must lead to. The server looks at them again and again, and new handshakes
/// use what they hold by then ([Server#certificate], [Server#reloadCertificates]).
///
/// ```java
/// Server.builder()
///     .tls(TlsFiles.pem(Path.of("tls.crt"), Path.of("tls.key")).withClientsRequired(Path.of("ca.crt")))
/// ```
public final class TlsFiles {
  /// Kubernetes itself takes up to a minute to bring a new certificate into a container; for three
  /// small files that are read, this costs nothing.
  private static final Duration RELOAD = Duration.ofSeconds(10);

  /// Below, a writer that is slow would be taken for one that has stopped halfway.
  private static final Duration RELOAD_MIN = Duration.ofMillis(10);

  private static final Duration RELOAD_MAX = Duration.ofDays(1);

  private final Path certificate; // PEM, or the PKCS#12 store
  private final @Nullable Path key; // null for a PKCS#12 store
  private final @Nullable String password;
  private final @Nullable Path clientRoots; // null: clients are not asked
  private final Tls.ClientCertificates clients;
  private final Duration reload;

  private TlsFiles(
      Path certificate,
      @Nullable Path key,
      @Nullable String password,
      @Nullable Path clientRoots,
      Tls.ClientCertificates clients,
      Duration reload) {
    this.certificate = certificate;
    this.key = key;
    this.password = password;
    this.clientRoots = clientRoots;
    this.clients = clients;
    this.reload = reload;
  }

  /// The server's certificate, followed by those that lead to its root, and its private key in
  /// PKCS#8, both PEM.
  public static TlsFiles pem(Path chain, Path key) {
    return new TlsFiles(chain, key, null, null, Tls.ClientCertificates.NONE, RELOAD);
  }

  /// As above, with an encrypted key.
  public static TlsFiles pem(Path chain, Path key, String keyPassword) {
    return new TlsFiles(chain, key, keyPassword, null, Tls.ClientCertificates.NONE, RELOAD);
  }

  /// A PKCS#12 store (`.p12`, `.pfx`) that holds one private key with its certificates.
  public static TlsFiles pkcs12(Path store, String password) {
    return new TlsFiles(store, null, password, null, Tls.ClientCertificates.NONE, RELOAD);
  }

  /// Clients must show a certificate that leads to one of these roots, or their handshake fails.
  public TlsFiles withClientsRequired(Path roots) {
    return new TlsFiles(certificate, key, password, roots, Tls.ClientCertificates.REQUIRED, reload);
  }

  /// Clients may show a certificate; one that is shown must lead to one of these roots.
  public TlsFiles withClientsOptional(Path roots) {
    return new TlsFiles(certificate, key, password, roots, Tls.ClientCertificates.OPTIONAL, reload);
  }

  /// How often the files are looked at: from 10 ms to a day, 10 s without this. Zero for never,
  /// which leaves it to [Server#reloadCertificates].
  public TlsFiles withReload(Duration interval) {
    boolean never = interval.isZero();
    if (!never && (interval.compareTo(RELOAD_MIN) < 0 || interval.compareTo(RELOAD_MAX) > 0)) {
      throw new IllegalArgumentException(
          "certificates are looked at every 10 ms to 1 day, or never (0), not every " + interval);
    }
    return new TlsFiles(certificate, key, password, clientRoots, clients, interval);
  }

  Duration reload() {
    return reload;
  }

  /// What the files hold at this moment.
  ///
  /// @throws IllegalArgumentException with a sentence that names the file that cannot be read
  Contents read() {
    return new Contents(
        Tls.read(certificate, key == null ? "PKCS#12" : "certificate"),
        key == null ? new byte[0] : Tls.read(key, "private key"),
        clientRoots == null ? new byte[0] : Tls.read(clientRoots, "root certificate"));
  }

  /// The identity that was read: key and certificate belong together, the chain is in order.
  ///
  /// @throws IllegalArgumentException with a sentence that names the file and what is wrong
  Identity identity(Contents contents) {
    var source = certificate.toString();
    Identity identity;
    if (key != null) {
      identity = Identity.pem(contents.certificate, source, contents.key, key.toString(), password);
    } else if (password != null) {
      identity = Identity.pkcs12(contents.certificate, source, password);
    } else {
      throw new IllegalStateException("a PKCS#12 store without its password");
    }
    identity.requireOrder();
    return identity;
  }

  /// TLS with this identity, and the client roots that were read.
  ///
  /// @throws IllegalArgumentException with a sentence that says what is wrong
  Tls tls(Identity identity, Contents contents) {
    var builder = Tls.builder().identity(identity).clientCertificates(clients);
    if (clientRoots != null) builder.trust(contents.clientRoots, clientRoots.toString());
    return builder.build();
  }

  /// Without the password.
  @Override
  public String toString() {
    var own = key == null ? certificate.toString() : certificate + " and " + key;
    return clientRoots == null ? own : own + ", clients " + clients + " by " + clientRoots;
  }

  /// What the files held at one moment.
  @SuppressWarnings("ArrayRecordComponent") // compared by `same`
  record Contents(byte[] certificate, byte[] key, byte[] clientRoots) {
    boolean same(Contents other) {
      return Arrays.equals(certificate, other.certificate)
          && Arrays.equals(key, other.key)
          && Arrays.equals(clientRoots, other.clientRoots);
    }

    /// Without the key.
    @Override
    public String toString() {
      return certificate.length + " bytes of certificates";
    }
  }
}
