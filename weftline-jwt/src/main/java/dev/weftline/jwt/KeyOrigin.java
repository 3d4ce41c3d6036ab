package dev.weftline.jwt;

import com.nimbusds.jose.JOSEException;
import com.nimbusds.jose.jwk.JWKSet;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.PublicKey;
import java.security.cert.CertificateFactory;
import java.security.spec.InvalidKeySpecException;
import java.security.spec.X509EncodedKeySpec;
import java.text.ParseException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.regex.Pattern;

/// Where the keys of a guard come from.
sealed interface KeyOrigin {
  /// Reads the keys. Blocks, though not for longer than [#READ_MAX].
  ///
  /// @throws IOException with a sentence
  List<TokenKey> read() throws IOException, InterruptedException;

  /// A set has a handful of keys of a few hundred octets, some with certificates.
  int BYTES_MAX = 512 << 10;

  Logger log = System.getLogger(JwtGuard.class.getName());

  /// From the first look-up of the host to the last octet.
  Duration READ_MAX = Duration.ofSeconds(5);

  /// A file that holds a JWK set (RFC 7517 §5).
  record SetFile(Path path) implements KeyOrigin {
    @Override
    public List<TokenKey> read() throws IOException {
      return keysOf(bytes(path));
    }

    @Override
    public String toString() {
      return path.toString();
    }
  }

  /// A server that answers with a JWK set. Redirects are not followed: they could lead from https
  /// to http, or to a host that nobody named.
  record SetUrl(URI url) implements KeyOrigin {
    private static final Pattern LOOPBACK = Pattern.compile("127(\\.\\d{1,3}){3}");

    @Override
    public List<TokenKey> read() throws IOException, InterruptedException {
      // One client for one request: the next comes minutes later.
      var client =
          HttpClient.newBuilder()
              .version(HttpClient.Version.HTTP_1_1)
              .followRedirects(HttpClient.Redirect.NEVER)
              .build();
      try {
        var request = HttpRequest.newBuilder(url).header("accept", "application/json").build();
        var limited = BodyHandlers.limiting(BodyHandlers.ofByteArray(), BYTES_MAX);
        // The client's own timeout ends with the headers; this one with the body.
        var response =
            client.sendAsync(request, limited).get(READ_MAX.toMillis(), TimeUnit.MILLISECONDS);
        if (response.statusCode() != 200) {
          throw new IOException("it answered with status " + response.statusCode());
        }
        return keysOf(response.body());
      } catch (TimeoutException e) {
        throw new IOException("no whole answer within " + READ_MAX.toSeconds() + " s", e);
      } catch (ExecutionException e) {
        var cause = e.getCause() != null ? e.getCause() : e;
        throw new IOException(String.valueOf(cause), cause);
      } finally {
        client.shutdownNow();
      }
    }

    /// What is read over plain http from elsewhere may be anybody's.
    boolean isTrustworthy() {
      var host = url.getHost();
      if (host == null || url.getScheme() == null) return false;
      return switch (url.getScheme().toLowerCase(Locale.ROOT)) {
        case "https" -> true;
        case "http" ->
            host.equals("localhost") || host.equals("[::1]") || LOOPBACK.matcher(host).matches();
        default -> false;
      };
    }

    @Override
    public String toString() {
      return url.toString();
    }
  }

  /// A public key that never changes.
  record Fixed(TokenKey key) implements KeyOrigin {
    @Override
    public List<TokenKey> read() {
      return List.of(key);
    }

    @Override
    public String toString() {
      return "a public key";
    }
  }

  /// A secret that is shared with the issuer.
  record Secret(TokenKey key) implements KeyOrigin {
    @Override
    public List<TokenKey> read() {
      return List.of(key);
    }

    @Override
    public String toString() {
      return "a secret";
    }
  }

  /// The public key of a PEM file, which may be that of a certificate.
  ///
  /// @throws IOException with a sentence
  static Fixed publicKey(Path path) throws IOException {
    var text = new String(bytes(path), StandardCharsets.ISO_8859_1);
    try {
      return new Fixed(TokenKey.of(null, publicKey(text)));
    } catch (JOSEException | GeneralSecurityException e) {
      throw new IOException("%s holds no key for tokens: %s".formatted(path, e.getMessage()), e);
    }
  }

  private static PublicKey publicKey(String text) throws GeneralSecurityException {
    var block = PemBlock.first(text);
    if (block.label.equals("CERTIFICATE")) {
      return CertificateFactory.getInstance("X.509")
          .generateCertificate(new ByteArrayInputStream(block.bytes))
          .getPublicKey();
    }
    if (!block.label.equals("PUBLIC KEY")) {
      throw new GeneralSecurityException("it is a " + block.label);
    }
    for (var algorithm : List.of("RSA", "EC", "Ed25519")) {
      try {
        return KeyFactory.getInstance(algorithm)
            .generatePublic(new X509EncodedKeySpec(block.bytes));
      } catch (InvalidKeySpecException e) {
        log.log(Level.DEBUG, "not a key for " + algorithm, e);
      }
    }
    throw new GeneralSecurityException("it is neither RSA, EC nor Ed25519");
  }

  /// RFC 7468: base64 between two lines that say what it is.
  final class PemBlock {
    private static final Pattern BLOCK =
        Pattern.compile("-----BEGIN ([A-Z0-9 ]+)-----([^-]+)-----END \\1-----");

    final String label;
    final byte[] bytes;

    private PemBlock(String label, byte[] bytes) {
      this.label = label;
      this.bytes = bytes;
    }

    static PemBlock first(String text) throws GeneralSecurityException {
      var found = BLOCK.matcher(text);
      if (!found.find()) throw new GeneralSecurityException("it is not PEM");
      try {
        return new PemBlock(found.group(1), Base64.getMimeDecoder().decode(found.group(2)));
      } catch (IllegalArgumentException e) {
        throw new GeneralSecurityException("it is not PEM", e);
      }
    }
  }

  private static byte[] bytes(Path path) throws IOException {
    try (InputStream in = Files.newInputStream(path)) {
      var bytes = in.readNBytes(BYTES_MAX + 1);
      if (bytes.length <= BYTES_MAX) return bytes;
      throw new IOException("%s is larger than %d octets".formatted(path, BYTES_MAX));
    } catch (NoSuchFileException e) {
      throw new IOException(path + " does not exist", e);
    }
  }

  private static List<TokenKey> keysOf(byte[] set) throws IOException {
    JWKSet parsed;
    try {
      parsed = JWKSet.parse(new String(set, StandardCharsets.UTF_8));
    } catch (ParseException | RuntimeException e) {
      // Not with the parser's message, which quotes what it read.
      throw new IOException("what is there is not a JWK set", e);
    }
    var keys = new ArrayList<TokenKey>();
    for (var jwk : parsed.getKeys()) {
      try {
        keys.add(TokenKey.of(jwk));
      } catch (JOSEException e) {
        log.log(Level.DEBUG, "key {0} is left out: {1}", jwk.getKeyID(), e.getMessage());
      }
    }
    return List.copyOf(keys);
  }
}
