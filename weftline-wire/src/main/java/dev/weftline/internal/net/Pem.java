package dev.weftline.internal.net;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.PrivateKey;
import java.security.PublicKey;
import java.security.Signature;
import java.security.cert.CertificateException;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.security.interfaces.RSAKey;
import java.security.spec.InvalidKeySpecException;
import java.security.spec.PKCS8EncodedKeySpec;
import java.util.Base64;
import java.util.List;
import java.util.regex.Pattern;
import javax.crypto.Cipher;
import javax.crypto.EncryptedPrivateKeyInfo;
import javax.crypto.SecretKeyFactory;
import javax.crypto.spec.PBEKeySpec;
import org.jspecify.annotations.Nullable;

/// PEM text (RFC 7468) with the name of where it came from, so that a fault can say which file is
/// wrong.
///
/// @param source a file's path, or a phrase such as `the private key`
@SuppressWarnings("ArrayRecordComponent") // never compared
record Pem(byte[] text, String source) {
  private static final Pattern KEY =
      Pattern.compile("-----BEGIN ([A-Z0-9 ]*PRIVATE KEY)-----([^-]*)-----END \\1-----");

  /// What a PKCS#8 key may be for: the kinds of key a TLS certificate has.
  private static final List<String> ALGORITHMS = List.of("RSA", "EC", "EdDSA", "RSASSA-PSS");

  /// @throws IllegalArgumentException when the text holds no certificate, or a broken one
  List<X509Certificate> certificates() {
    try {
      var found =
          CertificateFactory.getInstance("X.509")
              .generateCertificates(new ByteArrayInputStream(text));
      if (found.isEmpty()) throw new IllegalArgumentException(source + " holds no certificate");
      return found.stream().map(X509Certificate.class::cast).toList();
    } catch (CertificateException e) {
      throw new IllegalArgumentException(
          source + " holds no readable certificate: " + e.getMessage(), e);
    }
  }

  /// @param password null when the key is not encrypted
  /// @throws IllegalArgumentException when the text holds no key, or one that cannot be read
  PrivateKey privateKey(@Nullable String password) {
    var block = KEY.matcher(new String(text, StandardCharsets.ISO_8859_1));
    if (!block.find()) throw new IllegalArgumentException(source + " holds no private key");
    var label = block.group(1);
    byte[] der;
    try {
      der = Base64.getMimeDecoder().decode(block.group(2));
    } catch (IllegalArgumentException e) {
      throw new IllegalArgumentException(
          source + " holds a broken private key: " + e.getMessage(), e);
    }
    return switch (label) {
      case "PRIVATE KEY" -> key(new PKCS8EncodedKeySpec(der));
      case "ENCRYPTED PRIVATE KEY" -> key(decrypted(der, password));
      default ->
          throw new IllegalArgumentException(
              "%s holds a \"%s\", and only PKCS#8 is read: convert it with openssl pkcs8 -topk8 -nodes"
                  .formatted(source, label));
    };
  }

  private PrivateKey key(PKCS8EncodedKeySpec spec) {
    InvalidKeySpecException last = null;
    for (var algorithm : ALGORITHMS) {
      try {
        return KeyFactory.getInstance(algorithm).generatePrivate(spec);
      } catch (InvalidKeySpecException e) {
        last = e; // a key of another algorithm, or broken
      } catch (GeneralSecurityException e) {
        throw new IllegalStateException("this JDK lacks " + algorithm, e);
      }
    }
    throw new IllegalArgumentException(source + " holds a broken private key", last);
  }

  private PKCS8EncodedKeySpec decrypted(byte[] der, @Nullable String password) {
    if (password == null) {
      throw new IllegalArgumentException(source + " is encrypted, and no password was given");
    }
    try {
      var encrypted = new EncryptedPrivateKeyInfo(der);
      var parameters = encrypted.getAlgParameters();
      // With PBES2 (RFC 8018 §6.2) the scheme is spelled out in the parameters, not in the name.
      var scheme = parameters == null ? encrypted.getAlgName() : parameters.toString();
      var secret =
          SecretKeyFactory.getInstance(scheme)
              .generateSecret(new PBEKeySpec(password.toCharArray()));
      var cipher = Cipher.getInstance(scheme);
      cipher.init(Cipher.DECRYPT_MODE, secret, parameters);
      return encrypted.getKeySpec(cipher);
    } catch (IOException | GeneralSecurityException e) {
      throw new IllegalArgumentException(
          source + " cannot be decrypted: wrong password, or an unknown cipher", e);
    }
  }

  /// Whether `key` is the private half of `publicKey`.
  static boolean belongTogether(PrivateKey key, PublicKey publicKey) {
    if (key instanceof RSAKey ours && publicKey instanceof RSAKey theirs) {
      return ours.getModulus().equals(theirs.getModulus());
    }
    try {
      var signature =
          Signature.getInstance(
              key.getAlgorithm().equals("EC") ? "SHA256withECDSA" : key.getAlgorithm());
      byte[] sample = {1, 2, 3};
      signature.initSign(key);
      signature.update(sample);
      byte[] signed = signature.sign();
      signature.initVerify(publicKey);
      signature.update(sample);
      return signature.verify(signed);
    } catch (GeneralSecurityException _) {
      return false; // keys of two algorithms, or of two curves
    }
  }
}
