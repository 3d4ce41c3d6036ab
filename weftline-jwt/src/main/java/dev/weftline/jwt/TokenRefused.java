package dev.weftline.jwt;

/// Why a token, or the lack of one, lets nobody in. For the log only, never for the peer.
/// Stackless: a peer can cause it at will.
final class TokenRefused extends Exception {
  private static final long serialVersionUID = 1;

  enum Reason {
    MISSING,
    SEVERAL,
    NOT_BEARER,
    OVERSIZE,
    MALFORMED,
    ALGORITHM,
    TYPE,
    ISSUER,
    AUDIENCE,
    EXPIRED,
    NOT_YET_VALID,
    CLAIM,
    UNKNOWN_KEY,
    SIGNATURE
  }

  /// What is quoted of a token that nobody has vouched for.
  private static final int QUOTED_CHARS_MAX = 100;

  final Reason reason;

  /// @param detail without anything of the token, unless [#quoted]
  TokenRefused(Reason reason, String detail) {
    super(detail, null, false, false);
    this.reason = reason;
  }

  /// What a token says, made fit for a line of the log.
  static String quoted(Object said) {
    var text = said.toString();
    var shown = text.length() > QUOTED_CHARS_MAX ? text.substring(0, QUOTED_CHARS_MAX) + "…" : text;
    return '"' + shown.replaceAll("[\\p{Cntrl}\"]", "?") + '"';
  }
}
