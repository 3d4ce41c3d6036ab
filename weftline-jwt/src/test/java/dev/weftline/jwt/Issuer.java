package dev.weftline.jwt;

import com.nimbusds.jose.JOSEException;
import com.nimbusds.jose.JOSEObjectType;
import com.nimbusds.jose.JWSAlgorithm;
import com.nimbusds.jose.JWSHeader;
import com.nimbusds.jose.JWSSigner;
import com.nimbusds.jose.crypto.ECDSASigner;
import com.nimbusds.jose.crypto.RSASSASigner;
import com.nimbusds.jose.jwk.Curve;
import com.nimbusds.jose.jwk.ECKey;
import com.nimbusds.jose.jwk.JWK;
import com.nimbusds.jose.jwk.JWKSet;
import com.nimbusds.jose.jwk.OctetKeyPair;
import com.nimbusds.jose.jwk.RSAKey;
import com.nimbusds.jose.jwk.gen.ECKeyGenerator;
import com.nimbusds.jose.jwk.gen.RSAKeyGenerator;
import com.nimbusds.jose.util.Base64URL;
import com.nimbusds.jwt.JWTClaimsSet;
import com.nimbusds.jwt.SignedJWT;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.Signature;
import java.time.Instant;
import java.util.Date;
import java.util.List;
import java.util.function.Consumer;

/// Who issues tokens in tests, at a time of its own.
final class Issuer {
  static final String NAME = "https://login.example";
  static final String AUDIENCE = "shop";
  static final Instant NOW = Instant.parse("2026-11-27T12:00:00Z");

  private Issuer() {}

  static RSAKey rsa(String id) {
    try {
      return new RSAKeyGenerator(2048).keyID(id).generate();
    } catch (JOSEException e) {
      throw new AssertionError(e);
    }
  }

  static ECKey ec(String id) {
    try {
      return new ECKeyGenerator(Curve.P_256).keyID(id).generate();
    } catch (JOSEException e) {
      throw new AssertionError(e);
    }
  }

  static String set(JWK... keys) {
    return new JWKSet(List.of(keys)).toString(true);
  }

  /// The claims of a good token.
  static JWTClaimsSet.Builder claims() {
    return new JWTClaimsSet.Builder()
        .issuer(NAME)
        .audience(AUDIENCE)
        .subject("ada")
        .issueTime(Date.from(NOW))
        .expirationTime(Date.from(NOW.plusSeconds(300)))
        .claim("scope", "orders.read orders.write");
  }

  static String token(ECKey key) {
    return token(key, claims().build(), _ -> {});
  }

  static String token(ECKey key, JWTClaimsSet claims, Consumer<JWSHeader.Builder> header) {
    try {
      return signed(JWSAlgorithm.ES256, key.getKeyID(), new ECDSASigner(key), claims, header);
    } catch (JOSEException e) {
      throw new AssertionError(e);
    }
  }

  static String token(RSAKey key, JWSAlgorithm algorithm) {
    try {
      return signed(algorithm, key.getKeyID(), new RSASSASigner(key), claims().build(), _ -> {});
    } catch (JOSEException e) {
      throw new AssertionError(e);
    }
  }

  static String signed(
      JWSAlgorithm algorithm,
      String keyId,
      JWSSigner signer,
      JWTClaimsSet claims,
      Consumer<JWSHeader.Builder> change) {
    var header = new JWSHeader.Builder(algorithm).keyID(keyId).type(JOSEObjectType.JWT);
    change.accept(header);
    var token = new SignedJWT(header.build(), claims);
    try {
      token.sign(signer);
    } catch (JOSEException e) {
      throw new AssertionError(e);
    }
    return token.serialize();
  }

  /// Ed25519 by the JDK, with nothing of what the guard uses.
  static final class Ed25519 {
    private final KeyPair pair;

    Ed25519() throws GeneralSecurityException {
      pair = KeyPairGenerator.getInstance("Ed25519").generateKeyPair();
    }

    OctetKeyPair jwk(String id) {
      var encoded = pair.getPublic().getEncoded();
      var x = java.util.Arrays.copyOfRange(encoded, encoded.length - 32, encoded.length);
      return new OctetKeyPair.Builder(Curve.Ed25519, Base64URL.encode(x)).keyID(id).build();
    }

    String token(String id) throws GeneralSecurityException {
      var header = Base64URL.encode("{\"alg\":\"EdDSA\",\"kid\":\"" + id + "\"}");
      var signed = header + "." + Base64URL.encode(claims().build().toString());
      var signature = Signature.getInstance("Ed25519");
      signature.initSign(pair.getPrivate());
      signature.update(signed.getBytes(StandardCharsets.US_ASCII));
      return signed + "." + Base64URL.encode(signature.sign());
    }
  }
}
