package dev.weftline;

import java.security.cert.CertificateParsingException;
import java.security.cert.X509Certificate;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import javax.net.ssl.SSLPeerUnverifiedException;
import javax.net.ssl.SSLSession;

/// The certificate that a client showed in its TLS handshake, and that the server found good: who
/// calls. Its names are what the authority that signed it vouches for.
///
/// @param certificate the certificate itself
/// @param subject whose it is, as RFC 2253 spells it: `CN=orders,O=shop`
/// @param dnsNames its alternative names that are hosts (RFC 5280 §4.2.1.6)
/// @param uris those that are URIs; a SPIFFE identity is one: `spiffe://shop.example/orders`
/// @param emails those that are mail addresses
/// @param addresses those that are IP addresses, as text
public record ClientCertificate(
    X509Certificate certificate,
    String subject,
    List<String> dnsNames,
    List<String> uris,
    List<String> emails,
    List<String> addresses) {
  // RFC 5280 §4.2.1.6: the tags of GeneralName.
  private static final int RFC822_NAME = 1;
  private static final int DNS_NAME = 2;
  private static final int URI = 6;
  private static final int IP_ADDRESS = 7;

  private static final String KEPT = ClientCertificate.class.getName();

  public ClientCertificate {
    dnsNames = List.copyOf(dnsNames);
    uris = List.copyOf(uris);
    emails = List.copyOf(emails);
    addresses = List.copyOf(addresses);
  }

  /// The certificate of the client at the other end of `session`; empty when it showed none. Read
  /// once and kept with the session. A grpc-java service finds the session among the attributes of
  /// its call, as `Grpc.TRANSPORT_ATTR_SSL_SESSION`.
  ///
  /// @throws IllegalArgumentException when the names in it cannot be read
  public static Optional<ClientCertificate> of(SSLSession session) {
    if (session.getValue(KEPT) instanceof ClientCertificate known) return Optional.of(known);
    try {
      var shown = session.getPeerCertificates();
      if (shown.length == 0 || !(shown[0] instanceof X509Certificate own)) return Optional.empty();
      var read = of(own);
      session.putValue(KEPT, read);
      return Optional.of(read);
    } catch (SSLPeerUnverifiedException _) {
      return Optional.empty(); // how JSSE says that there is none
    }
  }

  private static ClientCertificate of(X509Certificate certificate) {
    try {
      var names =
          Objects.requireNonNullElse(certificate.getSubjectAlternativeNames(), List.<List<?>>of());
      return new ClientCertificate(
          certificate,
          certificate.getSubjectX500Principal().getName(),
          ofKind(DNS_NAME, names),
          ofKind(URI, names),
          ofKind(RFC822_NAME, names),
          ofKind(IP_ADDRESS, names));
    } catch (CertificateParsingException e) {
      throw new IllegalArgumentException("the client certificate's names cannot be read", e);
    }
  }

  private static List<String> ofKind(int kind, Collection<List<?>> names) {
    var found = new ArrayList<String>();
    for (var name : names) {
      if (name.get(0) instanceof Integer tag && tag == kind && name.get(1) instanceof String text) {
        found.add(text);
      }
    }
    return found;
  }

  /// The subject alone.
  @Override
  public String toString() {
    return subject;
  }
}
