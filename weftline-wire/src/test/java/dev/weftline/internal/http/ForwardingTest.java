package dev.weftline.internal.http;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.net.UnixDomainSocketAddress;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/// Whom requests come from that proxies pass on.
final class ForwardingTest {
  private static final TrustedPeers PROXIES = TrustedPeers.of("10.0.0.0/8", "2001:db8:a::/48");
  private static final Forwarding X = new Forwarding(PROXIES, Forwarding.Spelling.X_FORWARDED);
  private static final Forwarding RFC = new Forwarding(PROXIES, Forwarding.Spelling.FORWARDED);
  private static final InetSocketAddress PROXY = at("10.0.0.1", 555);

  private static InetSocketAddress at(String address, int port) {
    return new InetSocketAddress(InetAddress.ofLiteral(address), port);
  }

  private static Fields request(String name, String... values) {
    var fields = new Fields(4).add(":scheme", "http");
    for (var value : values) fields.add(name, value);
    return fields;
  }

  private static String client(Forwarding forwarding, Fields request, SocketAddress peer) {
    return ((InetSocketAddress) forwarding.client(request, peer)).getAddress().getHostAddress();
  }

  /// The last address that is no proxy's: what stands before it the client may have written.
  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          192.0.2.7                        | 192.0.2.7
          192.0.2.7:4711                   | 192.0.2.7
          203.0.113.9, 192.0.2.7           | 192.0.2.7
          10.9.9.9, 192.0.2.7              | 192.0.2.7
          192.0.2.7, 10.0.0.2,10.0.0.3     | 192.0.2.7
          10.0.0.4, 10.0.0.3               | 10.0.0.4
          2001:db8::7                      | 2001:db8:0:0:0:0:0:7
          [2001:db8::7]:4711               | 2001:db8:0:0:0:0:0:7
          192.0.2.7, 2001:db8:a::1         | 192.0.2.7
          192.0.2.7, unknown, 10.0.0.3     | 10.0.0.3
          nonsense                         | 10.0.0.1
          ,  ,                             | 10.0.0.1
          192.0.2.7, localhost             | 10.0.0.1
          """)
  void xForwardedForIsReadFromItsEnd(String value, String client) {
    assertThat(client(X, request("x-forwarded-for", value), PROXY)).isEqualTo(client);
  }

  @Test
  void severalLinesAreOneList() {
    var request = request("x-forwarded-for", "203.0.113.9", "192.0.2.7", "10.0.0.2");
    assertThat(client(X, request, PROXY)).isEqualTo("192.0.2.7");
  }

  @Test
  void aPeerThatIsNotTrustedSpeaksForItselfAlone() {
    var peer = at("203.0.113.9", 555);
    assertThat(X.client(request("x-forwarded-for", "192.0.2.7"), peer)).isEqualTo(peer);
    assertThat(X.scheme(request("x-forwarded-proto", "https"), peer)).isEqualTo("http");
  }

  @Test
  void onlyTheSpellingThatTheProxyWritesIsRead() {
    assertThat(client(X, request("forwarded", "for=192.0.2.7"), PROXY)).isEqualTo("10.0.0.1");
    assertThat(client(RFC, request("x-forwarded-for", "192.0.2.7"), PROXY)).isEqualTo("10.0.0.1");
  }

  /// RFC 7239 §4, §6.
  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      textBlock =
          """
          for=192.0.2.7;proto=https;by=10.0.0.1       | 192.0.2.7
          For="192.0.2.7:4711"                        | 192.0.2.7
          for="[2001:db8::7]:4711"                    | 2001:db8:0:0:0:0:0:7
          for="[2001:db8::7]:_port"                   | 2001:db8:0:0:0:0:0:7
          for=203.0.113.9, for=192.0.2.7, for=10.0.0.2| 192.0.2.7
          for=192.0.2.7, proto=https                  | 10.0.0.1
          for=_hidden                                 | 10.0.0.1
          for=", for=192.0.2.7                        | 192.0.2.7
          for="a;b, for=192.0.2.7;proto=http          | 192.0.2.7
          """)
  void forwardedIsReadFromItsEnd(String value, String client) {
    assertThat(client(RFC, request("forwarded", value), PROXY)).isEqualTo(client);
  }

  @Test
  void theNearestProxySaysWhichSchemeItWas() {
    assertThat(X.scheme(request("x-forwarded-proto", "HTTPS"), PROXY)).isEqualTo("https");
    assertThat(X.scheme(request("x-forwarded-for", "192.0.2.7"), PROXY)).isEqualTo("http");
    assertThat(RFC.scheme(request("forwarded", "proto=http, for=x;proto=https"), PROXY))
        .isEqualTo("https");
  }

  @Test
  void aUnixDomainSocketIsTrustedByName() {
    var peer = UnixDomainSocketAddress.of("/run/proxy.sock");
    assertThat(TrustedPeers.of("unix").trusts(peer)).isTrue();
    assertThat(PROXIES.trusts(peer)).isFalse();
  }

  @ParameterizedTest
  @CsvSource({
    "0.0.0.0/0, 203.0.113.9, true",
    "192.0.2.4/30, 192.0.2.7, true",
    "192.0.2.4/30, 192.0.2.8, false",
    "192.0.2.4, 192.0.2.5, false",
    "2001:db8::/31, 2001:db9::1, true",
    "0.0.0.0/0, 2001:db8::1, false",
    "::/0, 192.0.2.7, false",
  })
  void networksAreTheirFirstBits(String network, String peer, boolean trusted) {
    assertThat(TrustedPeers.of(network).trusts(at(peer, 1))).isEqualTo(trusted);
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "example.com", "10.0.0.0/33", "10.0.0.0/-1", "10.0.0.0/x", "10/8"})
  void whatIsNoNetworkIsRefusedWithASentence(String network) {
    assertThatThrownBy(() -> TrustedPeers.of(network))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("\"" + network + "\" is not an address, a network such as 10.0.0.0/8, or unix");
  }
}
