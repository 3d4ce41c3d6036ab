package dev.weftline.jwt;

import com.nimbusds.jose.JOSEException;
import com.nimbusds.jose.JWSAlgorithm;
import com.nimbusds.jose.JWSHeader;
import com.nimbusds.jose.JWSVerifier;
import com.nimbusds.jose.crypto.ECDSAVerifier;
import com.nimbusds.jose.crypto.MACVerifier;
import com.nimbusds.jose.crypto.RSASSAVerifier;
import com.nimbusds.jose.jwk.Curve;
import com.nimbusds.jose.jwk.ECKey;
import com.nimbusds.jose.jwk.JWK;
import com.nimbusds.jose.jwk.KeyOperation;
import com.nimbusds.jose.jwk.KeyUse;
import com.nimbusds.jose.jwk.OctetKeyPair;
import com.nimbusds.jose.jwk.RSAKey;
import com.nimbusds.jose.util.Base64URL;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.PublicKey;
import java.security.Signature;
import java.security.interfaces.ECPublicKey;
import java.security.interfaces.EdECPublicKey;
import java.security.interfaces.RSAPublicKey;
import java.security.spec.X509EncodedKeySpec;
import java.util.HexFormat;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/// A key that checks signatures, with the algorithms that it may be used with.
///
/// The algorithms follow from what the key is, never from what a token says: an RSA key has RSA's
/// algorithms, a secret HMAC's. So no token can make one pass for the other (RFC 8725 §3.1).
///
/// @param id null for a key without one, which any token may mean
record TokenKey(@Nullable String id, Set<JWSAlgorithm> algorithms, Check check) {
  /// Any thread.
  @FunctionalInterface
  interface Check {
    boolean holds(JWSHeader header, byte[] signed, Base64URL signature) throws JOSEException;
  }

  /// RFC 7518 §3.3: "A key of size 2048 bits or larger MUST be used".
  private static final int RSA_BITS_MIN = 2048;

  private static final Set<JWSAlgorithm> ED25519 = Set.of(JWSAlgorithm.EdDSA, JWSAlgorithm.Ed25519);

  /// RFC 8410 §4: what stands before the 32 octets of an Ed25519 public key.
  private static final byte[] ED25519_PREFIX = HexFormat.of().parseHex("302a300506032b6570032100");

  /// A key of a set. Secrets in it are refused: what is read from a URL or beside public keys is
  /// none.
  ///
  /// @throws JOSEException with a sentence, when it checks no signatures
  static TokenKey of(JWK jwk) throws JOSEException {
    if (jwk.getKeyUse() != null && !jwk.getKeyUse().equals(KeyUse.SIGNATURE)) {
      throw new JOSEException("its use is " + jwk.getKeyUse());
    }
    var operations = jwk.getKeyOperations();
    if (operations != null && !operations.contains(KeyOperation.VERIFY)) {
      throw new JOSEException("its operations are " + operations);
    }
    var key =
        of(
            jwk.getKeyID(),
            switch (jwk) {
              case RSAKey rsa -> rsa.toRSAPublicKey();
              case ECKey ec -> ec.toECPublicKey();
              case OctetKeyPair pair -> ed25519(pair);
              default -> throw new JOSEException("its type is " + jwk.getKeyType());
            });
    if (jwk.getAlgorithm() == null) return key;
    var only = JWSAlgorithm.parse(jwk.getAlgorithm().getName());
    if (!key.algorithms.contains(only)) throw new JOSEException("its algorithm is " + only);
    return new TokenKey(key.id, Set.of(only), key.check);
  }

  /// @throws JOSEException with a sentence, when it checks no signatures
  static TokenKey of(@Nullable String id, PublicKey key) throws JOSEException {
    return switch (key) {
      case RSAPublicKey rsa -> {
        int bits = rsa.getModulus().bitLength();
        if (bits < RSA_BITS_MIN) throw new JOSEException("it is RSA of " + bits + " bits only");
        yield of(id, new RSASSAVerifier(rsa));
      }
      case ECPublicKey ec -> of(id, new ECDSAVerifier(ec));
      case EdECPublicKey ed when ed.getParams().getName().equals("Ed25519") ->
          new TokenKey(id, ED25519, (_, signed, signature) -> isSigned(ed, signed, signature));
      default -> throw new JOSEException("its algorithm is " + key.getAlgorithm());
    };
  }

  /// @throws JOSEException when it is shorter than RFC 7518 §3.2 allows
  static TokenKey ofSecret(byte[] secret) throws JOSEException {
    return of(null, new MACVerifier(secret));
  }

  private static TokenKey of(@Nullable String id, JWSVerifier verifier) {
    return new TokenKey(id, Set.copyOf(verifier.supportedJWSAlgorithms()), verifier::verify);
  }

  private static PublicKey ed25519(OctetKeyPair pair) throws JOSEException {
    var x = pair.getDecodedX();
    if (!pair.getCurve().equals(Curve.Ed25519) || x.length != 32) {
      throw new JOSEException("its curve is " + pair.getCurve());
    }
    var encoded = new byte[ED25519_PREFIX.length + x.length];
    System.arraycopy(ED25519_PREFIX, 0, encoded, 0, ED25519_PREFIX.length);
    System.arraycopy(x, 0, encoded, ED25519_PREFIX.length, x.length);
    try {
      return KeyFactory.getInstance("Ed25519").generatePublic(new X509EncodedKeySpec(encoded));
    } catch (GeneralSecurityException e) {
      throw new JOSEException(e.getMessage(), e);
    }
  }

  /// The JDK has Ed25519; nimbus would need another library for it.
  private static boolean isSigned(EdECPublicKey key, byte[] signed, Base64URL signature)
      throws JOSEException {
    try {
      var check = Signature.getInstance("Ed25519");
      check.initVerify(key);
      check.update(signed);
      return check.verify(signature.decode());
    } catch (GeneralSecurityException e) {
      throw new JOSEException(e.getMessage(), e);
    }
  }

  /// Whether a token with this header may mean this key.
  boolean fits(JWSHeader header) {
    return algorithms.contains(header.getAlgorithm())
        && (id == null || header.getKeyID() == null || id.equals(header.getKeyID()));
  }
}
