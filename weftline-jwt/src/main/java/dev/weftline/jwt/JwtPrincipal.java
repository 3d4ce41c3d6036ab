package dev.weftline.jwt;

import java.security.Principal;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Predicate;

/// Who calls, as a checked token says.
///
/// @param subject the claim `sub`
/// @param issuer the claim `iss`, one of those that the guard trusts
/// @param audience the claim `aud`
/// @param scopes the words of the claim `scope` (RFC 8693 §4.2), or of `scp` where issuers call it
///   so
/// @param claims all claims, as JSON has them: String, Number, Boolean, List, Map; nulls are left
///   out. Not to be changed, neither are the lists and maps within
/// @param expiry the claim `exp`
public record JwtPrincipal(
    String subject,
    String issuer,
    List<String> audience,
    Set<String> scopes,
    Map<String, Object> claims,
    Instant expiry)
    implements Principal {
  public JwtPrincipal {
    audience = List.copyOf(audience);
    scopes = Set.copyOf(scopes);
    claims = Map.copyOf(claims);
  }

  /// Holds for callers whose token has this scope.
  public static Predicate<Principal> hasScope(String scope) {
    return caller -> caller instanceof JwtPrincipal known && known.scopes.contains(scope);
  }

  /// The subject.
  @Override
  public String getName() {
    return subject;
  }

  /// Without the claims, which may be nobody else's business.
  @Override
  public String toString() {
    return subject + " by " + issuer;
  }
}
