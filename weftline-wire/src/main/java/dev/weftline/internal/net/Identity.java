package dev.weftline.internal.net;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.KeyStoreException;
import java.security.PrivateKey;
import java.security.UnrecoverableKeyException;
import java.security.cert.X509Certificate;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// Who a server is: a private key, and the certificate that it belongs to, then those that lead to
/// its root.
///
/// @param source where they came from, for faults
public record Identity(PrivateKey key, List<X509Certificate> chain, String source) {
  public Identity {
    chain = List.copyOf(chain);
  }

  /// From PEM text; the key in PKCS#8. The sources are paths, or phrases such as `the private key`.
  ///
  /// @throws IllegalArgumentException with a sentence that names the source and what is wrong
  public static Identity pem(
      byte[] chain, String chainSource, byte[] key, String keySource, @Nullable String password) {
    var certificates = new Pem(chain, chainSource).certificates();
    var privateKey = new Pem(key, keySource).privateKey(password);
    if (!Pem.belongTogether(privateKey, certificates.getFirst().getPublicKey())) {
      throw new IllegalArgumentException(
          "%s is not the key of the certificate in %s".formatted(keySource, chainSource));
    }
    return new Identity(privateKey, certificates, chainSource);
  }

  /// From a PKCS#12 store (RFC 7292) that holds one private key, under the store's own password.
  ///
  /// @throws IllegalArgumentException with a sentence that names the source and what is wrong
  public static Identity pkcs12(byte[] store, String source, String password) {
    var secret = password.toCharArray();
    try {
      var opened = KeyStore.getInstance("PKCS12");
      opened.load(new ByteArrayInputStream(store), secret);
      var alias = onlyKey(opened, source);
      // A key entry of PKCS#12 always has its certificate, and only private keys have one.
      var chain = Arrays.stream(opened.getCertificateChain(alias)).map(X509Certificate.class::cast);
      var identity =
          new Identity((PrivateKey) opened.getKey(alias, secret), chain.toList(), source);
      if (!Pem.belongTogether(identity.key, identity.certificate().getPublicKey())) {
        throw new IllegalArgumentException(
            source + " holds a private key and the certificate of another");
      }
      return identity;
    } catch (UnrecoverableKeyException e) {
      throw new IllegalArgumentException(
          source + " has another password for its key than for itself", e);
    } catch (IOException e) {
      throw new IllegalArgumentException(
          e.getCause() instanceof UnrecoverableKeyException
              ? source + " cannot be opened: wrong password"
              : source + " is not a PKCS#12 store: " + e.getMessage(),
          e);
    } catch (GeneralSecurityException e) {
      throw new IllegalArgumentException(source + " cannot be read: " + e.getMessage(), e);
    }
  }

  private static String onlyKey(KeyStore store, String source) throws KeyStoreException {
    var keys = new ArrayList<String>();
    for (var alias : Collections.list(store.aliases())) {
      if (store.isKeyEntry(alias) && store.getCertificateChain(alias) != null) keys.add(alias);
    }
    if (keys.size() != 1) {
      throw new IllegalArgumentException(
          keys.isEmpty()
              ? source + " holds no private key with its certificate"
              : source + " holds several private keys, and one is needed: " + keys);
    }
    return keys.getFirst();
  }

  /// The server's own certificate.
  public X509Certificate certificate() {
    return chain.getFirst();
  }

  /// RFC 5246 §7.4.2, RFC 8446 §4.4.2: each certificate certifies the one before it. Many clients
  /// find their way without that order, some refuse.
  ///
  /// @throws IllegalArgumentException with a sentence that names the two that do not follow
  public void requireOrder() {
    for (int i = 1; i < chain.size(); i++) {
      var subject = chain.get(i - 1);
      var issuer = chain.get(i);
      if (!issued(issuer, subject)) {
        throw new IllegalArgumentException(
            "the chain in %s is not in order: certificate %d (%s) was not issued by certificate %d (%s)"
                .formatted(source, i, name(subject), i + 1, name(issuer)));
      }
    }
  }

  private static boolean issued(X509Certificate issuer, X509Certificate subject) {
    if (!subject.getIssuerX500Principal().equals(issuer.getSubjectX500Principal())) return false;
    try {
      subject.verify(issuer.getPublicKey());
      return true;
    } catch (GeneralSecurityException _) {
      return false; // signed by another key, or in a way that this JDK does not know
    }
  }

  private static String name(X509Certificate certificate) {
    return certificate.getSubjectX500Principal().getName();
  }

  /// Without the key.
  @Override
  public String toString() {
    return source + " (" + name(certificate()) + ")";
  }
}
