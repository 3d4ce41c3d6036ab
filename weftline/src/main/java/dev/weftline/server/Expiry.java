package dev.weftline.server;

import java.security.cert.X509Certificate;
import java.time.Duration;
import java.time.Instant;
import java.util.List;

/// When a certificate begins and ends, and when an operator should hear of its end: 30 days before,
/// 7 days, one day, when it has come, and every day after.
///
/// Certificates that live shortly are renewed late: each warning waits for a share of the lifetime
/// as well. The first comes with a quarter left, because renewal with a third left is the custom
/// (certbot, cert-manager), and what is about to be renewed is no news.
record Expiry(Instant notBefore, Instant notAfter) {
  private static final Duration DAY = Duration.ofDays(1);

  static Expiry of(X509Certificate certificate) {
    return new Expiry(
        certificate.getNotBefore().toInstant(), certificate.getNotAfter().toInstant());
  }

  boolean isValid(Instant now) {
    return !now.isBefore(notBefore) && !now.isAfter(notAfter);
  }

  /// The first warning of a certificate that comes into use at `now`: at once when it is not valid.
  Instant firstWarning(Instant now) {
    return isValid(now) ? warnings().getFirst() : now;
  }

  /// The first warning that is later than `now`.
  Instant warningAfter(Instant now) {
    for (var warning : warnings()) {
      if (warning.isAfter(now)) return warning;
    }
    return now.plus(DAY);
  }

  private List<Instant> warnings() {
    return List.of(before(30, 4), before(7, 8), before(1, 12), notAfter);
  }

  private Instant before(int days, int share) {
    var lifetime = Duration.between(notBefore, notAfter).dividedBy(share);
    var limit = DAY.multipliedBy(days);
    return notAfter.minus(lifetime.compareTo(limit) < 0 ? lifetime : limit);
  }
}
