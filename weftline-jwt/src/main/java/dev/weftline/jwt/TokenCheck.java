package dev.weftline.jwt;

import static dev.weftline.jwt.TokenRefused.quoted;

import com.nimbusds.jose.JOSEException;
import com.nimbusds.jose.JWSAlgorithm;
import com.nimbusds.jose.JWSHeader;
import com.nimbusds.jose.JWSObject;
import com.nimbusds.jwt.JWTClaimsSet;
import dev.weftline.jwt.TokenRefused.Reason;
import java.text.ParseException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.Date;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/// What a token must be to let somebody in (RFC 7519 §7.2, with the advice of RFC 8725). Immutable;
/// any thread.
///
/// The claims are looked at before the signature, because that is cheap and the order shows to
/// nobody: a client that repeats an expired token costs no cryptography.
///
/// @param issuers one of which the token must name
/// @param audiences the same; null when any audience, or none, will do
/// @param algorithms that a token may be signed with, among those that its key has
/// @param type what `typ` must be; null when it does not matter
/// @param required claims that the token must have besides `exp`, `iss` and `sub`
record TokenCheck(
    Set<String> issuers,
    @Nullable Set<String> audiences,
    Set<JWSAlgorithm> algorithms,
    @Nullable String type,
    Set<String> required,
    Duration skew,
    Keys keys) {
  /// Signatures computed for one token whose header does not tell the keys apart.
  private static final int KEYS_TRIED_MAX = 8;

  /// Who has this token.
  ///
  /// @throws TokenRefused when it lets nobody in
  /// @throws InterruptedException when the call is given up while keys are read
  JwtPrincipal check(String token, Instant now)
      throws TokenRefused, Keys.Unavailable, InterruptedException {
    JWSObject jws;
    Map<String, Object> json;
    JWTClaimsSet claims;
    try {
      jws = JWSObject.parse(token);
      json = jws.getPayload().toJSONObject();
      if (json == null) throw new TokenRefused(Reason.MALFORMED, "its payload is not JSON");
      claims = JWTClaimsSet.parse(json);
    } catch (ParseException | RuntimeException e) {
      // Without the parser's message, which may quote the token.
      throw new TokenRefused(Reason.MALFORMED, "it is not a signed JWT");
    }
    checkHeader(jws.getHeader());
    var principal = principal(claims, json, now);
    checkSignature(jws);
    return principal;
  }

  /// `jku`, `x5u`, `jwk` and `x5c` are not even looked at: a token does not say who vouches for it
  /// (RFC 8725 §3.10).
  private void checkHeader(JWSHeader header) throws TokenRefused {
    if (!algorithms.contains(header.getAlgorithm())) {
      throw new TokenRefused(Reason.ALGORITHM, "signed with " + quoted(header.getAlgorithm()));
    }
    // RFC 7515 §4.1.11: we understand no extension, so none may be critical.
    if (header.getCriticalParams() != null && !header.getCriticalParams().isEmpty()) {
      throw new TokenRefused(Reason.MALFORMED, "it has critical header parameters");
    }
    if (type == null) return;
    var said = header.getType();
    // RFC 7515 §4.1.9: "application/" may be left out; media types know no case.
    if (said == null || !bareType(said.getType()).equals(bareType(type))) {
      throw new TokenRefused(
          Reason.TYPE, said == null ? "it has no type" : "it is a " + quoted(said));
    }
  }

  private static String bareType(String type) {
    var lower = type.toLowerCase(Locale.ROOT);
    return lower.startsWith("application/") ? lower.substring("application/".length()) : lower;
  }

  private JwtPrincipal principal(JWTClaimsSet claims, Map<String, Object> json, Instant now)
      throws TokenRefused {
    var issuer = claims.getIssuer();
    if (issuer == null || !issuers.contains(issuer)) {
      throw new TokenRefused(
          Reason.ISSUER, issuer == null ? "it names no issuer" : "issued by " + quoted(issuer));
    }
    var audience = claims.getAudience();
    if (audiences != null && Collections.disjoint(audiences, audience)) {
      throw new TokenRefused(Reason.AUDIENCE, "meant for " + quoted(audience));
    }
    checkTimes(claims, now);
    var subject = claims.getSubject();
    if (subject == null || subject.isEmpty()) throw new TokenRefused(Reason.CLAIM, "it has no sub");
    for (var name : required) {
      if (claims.getClaim(name) == null) throw new TokenRefused(Reason.CLAIM, "it has no " + name);
    }
    return new JwtPrincipal(
        subject,
        issuer,
        audience,
        scopes(json),
        immutable(json),
        claims.getExpirationTime().toInstant());
  }

  private void checkTimes(JWTClaimsSet claims, Instant now) throws TokenRefused {
    var expiry = claims.getExpirationTime();
    if (expiry == null) throw new TokenRefused(Reason.CLAIM, "it has no exp");
    if (!now.isBefore(end(expiry))) {
      throw new TokenRefused(Reason.EXPIRED, "expired at " + expiry.toInstant());
    }
    for (var start : new Date[] {claims.getNotBeforeTime(), claims.getIssueTime()}) {
      if (start != null && now.isBefore(start.toInstant().minus(skew))) {
        throw new TokenRefused(Reason.NOT_YET_VALID, "valid from " + start.toInstant());
      }
    }
  }

  /// When a token that expires then lets nobody in any more.
  Instant end(JwtPrincipal principal) {
    return principal.expiry().plus(skew);
  }

  private Instant end(Date expiry) {
    return expiry.toInstant().plus(skew);
  }

  private void checkSignature(JWSObject jws)
      throws TokenRefused, Keys.Unavailable, InterruptedException {
    var header = jws.getHeader();
    var all = keys.current();
    var fitting = fitting(all, header);
    if (fitting.isEmpty()) fitting = fitting(keys.newerThan(all), header);
    if (fitting.isEmpty()) {
      var id = header.getKeyID();
      throw new TokenRefused(
          Reason.UNKNOWN_KEY,
          "no key for " + header.getAlgorithm() + (id == null ? "" : " is called " + quoted(id)));
    }
    var signed = jws.getSigningInput();
    for (var key : fitting) {
      try {
        if (key.check().holds(header, signed, jws.getSignature())) return;
      } catch (JOSEException | RuntimeException e) {
        throw new TokenRefused(Reason.SIGNATURE, "its signature cannot be read");
      }
    }
    throw new TokenRefused(Reason.SIGNATURE, "its signature is wrong");
  }

  private static List<TokenKey> fitting(List<TokenKey> keys, JWSHeader header) {
    return keys.stream().filter(key -> key.fits(header)).limit(KEYS_TRIED_MAX).toList();
  }

  private static Set<String> scopes(Map<String, Object> json) {
    var said = json.get("scope") != null ? json.get("scope") : json.get("scp");
    return switch (said) {
      case String words when !words.isBlank() ->
          Set.copyOf(Arrays.asList(words.strip().split(" +")));
      case List<?> words ->
          Set.copyOf(
              words.stream().filter(String.class::isInstance).map(String.class::cast).toList());
      case null, default -> Set.of();
    };
  }

  private static Map<String, Object> immutable(Map<?, ?> json) {
    var copy = new LinkedHashMap<String, Object>();
    json.forEach((name, value) -> {
      if (value != null) copy.put(String.valueOf(name), immutable(value));
    });
    return Collections.unmodifiableMap(copy);
  }

  private static Object immutable(Object value) {
    return switch (value) {
      case Map<?, ?> map -> immutable(map);
      case List<?> list -> {
        var copy = new ArrayList<Object>();
        for (var element : list) {
          if (element != null) copy.add(immutable(element));
        }
        yield Collections.unmodifiableList(copy);
      }
      default -> value;
    };
  }
}
