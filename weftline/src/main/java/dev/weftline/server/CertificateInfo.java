package dev.weftline.server;

import dev.weftline.internal.net.Identity;
import java.time.Instant;
import java.util.Locale;

/// The certificate that a server shows in new handshakes: a snapshot, for dashboards and alerts.
///
/// @param subject whose certificate it is, as RFC 2253 spells it: `CN=shop.example`
/// @param serial the serial number in hexadecimal, as `openssl x509 -serial` prints it
/// @param notAfter when it expires
/// @param loadedAt when this server began to show it
/// @param reloads how often the server took other files than it had, since its start
/// @param refusals how often it refused files that were no good, and kept what it had
public record CertificateInfo(
    String subject,
    String serial,
    Instant notAfter,
    Instant loadedAt,
    long reloads,
    long refusals) {
  static CertificateInfo of(Identity identity, Instant loadedAt, long reloads, long refusals) {
    var certificate = identity.certificate();
    var serial = certificate.getSerialNumber().toString(16).toUpperCase(Locale.ROOT);
    return new CertificateInfo(
        certificate.getSubjectX500Principal().getName(),
        serial.length() % 2 == 0 ? serial : "0" + serial,
        certificate.getNotAfter().toInstant(),
        loadedAt,
        reloads,
        refusals);
  }

  CertificateInfo refusedOnceMore() {
    return new CertificateInfo(subject, serial, notAfter, loadedAt, reloads, refusals + 1);
  }
}
