package dev.weftline.internal.http;

import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/// Which client a request comes from, when proxies pass it on and say so in its fields. Of what the
/// fields say only that counts which a trusted proxy has seen itself: the fields are read from
/// their end, where the nearest proxy wrote, and the first address that is no trusted proxy's is
/// the client. What stands before it anyone may have invented.
///
/// Immutable. Cold: a request without such fields costs one look through its fields.
public final class Forwarding {
  /// How proxies spell it. One of the two, for a proxy that writes one lets the other pass.
  public enum Spelling {
    /// X-Forwarded-For and X-Forwarded-Proto.
    X_FORWARDED,
    /// Forwarded (RFC 7239).
    FORWARDED
  }

  /// Hops that are looked at. A request comes through two or three proxies.
  private static final int HOPS_MAX = 32;

  private final TrustedPeers trusted;
  private final Spelling spelling;

  public Forwarding(TrustedPeers trusted, Spelling spelling) {
    this.trusted = trusted;
    this.spelling = spelling;
  }

  /// The client that a request with these fields, received from `peer`, comes from: `peer` itself
  /// unless it is trusted.
  public SocketAddress client(Fields request, SocketAddress peer) {
    if (!trusted.trusts(peer)) return peer;
    var hops =
        spelling == Spelling.X_FORWARDED ? values(request, "x-forwarded-for") : fors(request);
    SocketAddress nearest = peer;
    for (int i = 0; i < Math.min(hops.size(), HOPS_MAX); i++) {
      var hop = address(hops.get(i));
      if (hop == null) return nearest; // unknown, obfuscated (RFC 7239 §6.2, §6.3), or nonsense
      nearest = hop;
      if (!trusted.trusts(hop)) return hop;
    }
    return nearest;
  }

  /// The scheme that the client spoke, as the nearest trusted proxy says; else the request's own.
  public @Nullable String scheme(Fields request, SocketAddress peer) {
    var own = request.value(Field.Kind.SCHEME);
    if (!trusted.trusts(peer)) return own;
    String told = null;
    if (spelling == Spelling.X_FORWARDED) {
      var protos = values(request, "x-forwarded-proto");
      if (!protos.isEmpty()) told = protos.getFirst();
    } else {
      var elements = values(request, "forwarded");
      if (!elements.isEmpty()) told = parameter(elements.getFirst(), "proto");
    }
    return told == null ? own : told.toLowerCase(Locale.ROOT);
  }

  private static List<String> fors(Fields request) {
    var hops = new ArrayList<String>();
    for (var element : values(request, "forwarded")) {
      var hop = parameter(element, "for");
      hops.add(hop == null ? "unknown" : hop);
    }
    return hops;
  }

  /// The members of a list field, over all its lines (RFC 9110 §5.6.1), the last one first.
  private static List<String> values(Fields request, String name) {
    var values = new ArrayList<String>();
    for (int i = request.size() - 1; i >= 0; i--) {
      var field = request.get(i);
      if (field.name().equals(name)) split(field.value(), ',', values);
    }
    return values;
  }

  /// Splits where `by` stands outside of quotes (RFC 9110 §5.6.4), the last part first; empty parts
  /// are left out. Read from the end, so that a quote that a client left open hides nothing of what
  /// a proxy wrote behind it.
  private static void split(String text, char by, List<String> parts) {
    int end = text.length();
    boolean quoted = false;
    for (int i = end - 1; i >= -1; i--) {
      char c = i >= 0 ? text.charAt(i) : by;
      if (c == '"') quoted = !quoted;
      if (i < 0 || c == by && !quoted) {
        var part = text.substring(i + 1, end).trim();
        if (!part.isEmpty()) parts.add(part);
        end = i;
      }
    }
  }

  /// RFC 7239 §4: `name=value` or `name="value"`, the name in any case.
  private static @Nullable String parameter(String element, String name) {
    var pairs = new ArrayList<String>();
    split(element, ';', pairs);
    for (var pair : pairs) {
      int equals = pair.indexOf('=');
      if (equals < 0 || !pair.substring(0, equals).trim().equalsIgnoreCase(name)) continue;
      var value = pair.substring(equals + 1).trim();
      boolean quoted = value.length() >= 2 && value.startsWith("\"") && value.endsWith("\"");
      return quoted ? value.substring(1, value.length() - 1) : value;
    }
    return null;
  }

  /// `192.0.2.7`, `192.0.2.7:4711`, `2001:db8::7`, `[2001:db8::7]`, `[2001:db8::7]:4711`; null for
  /// anything else.
  private static @Nullable InetSocketAddress address(String node) {
    var host = node;
    var port = "";
    if (node.startsWith("[")) {
      int end = node.indexOf(']');
      if (end < 0) return null;
      host = node.substring(1, end);
      port = node.substring(end + 1);
      if (!port.isEmpty() && !port.startsWith(":")) return null;
    } else if (node.indexOf(':') >= 0 && node.indexOf(':') == node.lastIndexOf(':')) {
      host = node.substring(0, node.indexOf(':'));
      port = node.substring(node.indexOf(':'));
    }
    var address = PeerAddress.literal(host);
    if (address == null) return null;
    // RFC 7239 §6: a port may be obfuscated; the address holds all the same.
    int number = port.matches(":[0-9]{1,5}") ? Integer.parseInt(port.substring(1)) : 0;
    return new InetSocketAddress(address, number > 65_535 ? 0 : number);
  }
}
