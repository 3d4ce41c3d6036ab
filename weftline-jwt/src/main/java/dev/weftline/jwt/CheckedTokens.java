package dev.weftline.jwt;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;
import org.jspecify.annotations.Nullable;

/// Tokens that were found good a short time ago, by their SHA-256: a signature costs a hundred
/// times what this look-up does, and clients send the same token with every call. The tokens
/// themselves are not kept.
///
/// Two generations: the younger takes what is put in, and when it is full it becomes the older one,
/// which is dropped. No lock is held to look something up. Any thread.
final class CheckedTokens {
  /// A key withdrawn, or a caller told to go, is noticed after this at the latest.
  static final long KEPT_MILLIS_MAX = 60_000;

  /// Callers of one server within a minute. A token of 1 KiB is about 3 KB here, so this is some 12
  /// MB when it is full; only what a trusted issuer has signed gets in.
  static final int TOKENS_MAX = 4_096;

  /// SHA-256 of a token.
  record Digest(long a, long b, long c, long d) {
    static Digest of(String token) {
      try {
        var sha = MessageDigest.getInstance("SHA-256");
        var octets = ByteBuffer.wrap(sha.digest(token.getBytes(StandardCharsets.ISO_8859_1)));
        return new Digest(octets.getLong(), octets.getLong(), octets.getLong(), octets.getLong());
      } catch (NoSuchAlgorithmException e) {
        throw new IllegalStateException(e); // every JDK has it
      }
    }
  }

  private record Checked(JwtPrincipal principal, long untilMillis) {}

  private volatile ConcurrentMap<Digest, Checked> younger = new ConcurrentHashMap<>();
  private volatile ConcurrentMap<Digest, Checked> older = new ConcurrentHashMap<>();

  /// Who has this token; null when it was not checked, or too long ago.
  @Nullable JwtPrincipal find(Digest token, long nowMillis) {
    var known = younger.get(token);
    if (known == null) known = older.get(token);
    return known != null && nowMillis < known.untilMillis ? known.principal : null;
  }

  /// @param untilMillis when the token ends; it is kept until then, a minute at most
  void put(Digest token, JwtPrincipal principal, long nowMillis, long untilMillis) {
    if (younger.size() >= TOKENS_MAX / 2) turn();
    younger.put(token, new Checked(principal, Math.min(untilMillis, nowMillis + KEPT_MILLIS_MAX)));
  }

  private synchronized void turn() {
    if (younger.size() < TOKENS_MAX / 2) return;
    older = younger;
    younger = new ConcurrentHashMap<>();
  }

  int size() {
    return younger.size() + older.size();
  }
}
