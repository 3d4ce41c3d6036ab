package dev.weftline.internal.net;

import static dev.weftline.internal.net.RawClient.PREFACE;
import static dev.weftline.internal.net.RawClient.SETTINGS;
import static org.assertj.core.api.Assertions.assertThat;

import io.netty.channel.embedded.EmbeddedChannel;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/// How many connections may be open, and what becomes of the others.
final class ConnectionLimitsTest {
  @TempDir Path directory;

  static Stream<Transport> transports() {
    return Stream.of(Transport.values()).filter(Transport::isAvailable);
  }

  private static EchoServer serve(Transport transport, PeerTable peers, SocketAddress address)
      throws IOException {
    return new EchoServer(transport, null, peers, null, null, address);
  }

  @ParameterizedTest
  @MethodSource("transports")
  void whatIsTooMuchIsClosedAtOnceAndMayComeLater(Transport transport) throws Exception {
    var peers = new PeerTable(2, 0);
    try (var server = serve(transport, peers, EchoServer.loopback());
        var first = RawClient.to(server.port());
        var second = RawClient.to(server.port())) {
      first.says(PREFACE + SETTINGS).hearsSettingsFirst();
      second.says(PREFACE + SETTINGS).hearsSettingsFirst();
      for (int i = 0; i < 3; i++) {
        try (var third = RawClient.to(server.port())) {
          third.seesTheConnectionEnd();
        }
      }
      assertThat(peers.refused()).isEqualTo(Map.of("CONNECTIONS_MAX", 3L));
      assertThat(server.listener.openConnections()).isEqualTo(2);

      first.socket().close();
      server.awaitConnections(1);
      try (var again = RawClient.to(server.port())) {
        again.says(PREFACE + SETTINGS).hearsSettingsFirst();
      }
      assertThat(second.asksWhoItIs()).as("the others are served").contains("127.0.0.1");
    }
  }

  @Test
  void onePeerDoesNotTakeThePlacesOfOthers() throws Exception {
    var peers = new PeerTable(100, 1);
    try (var server = serve(Transport.preferred(), peers, EchoServer.loopback());
        var first = RawClient.to(server.port())) {
      first.says(PREFACE + SETTINGS).hearsSettingsFirst();
      try (var second = RawClient.to(server.port())) {
        second.seesTheConnectionEnd();
      }
      assertThat(peers.refused()).isEqualTo(Map.of("PER_PEER_MAX", 1L));
      first.socket().close();
      server.awaitConnections(0);
      try (var again = RawClient.to(server.port())) {
        again.says(PREFACE + SETTINGS).hearsSettingsFirst();
      }
    }
  }

  @Test
  void unixDomainSocketsAreNoPeers() throws Exception {
    var address = UnixDomainSocketAddress.of(directory.resolve("server.sock"));
    var peers = new PeerTable(100, 1);
    try (var _ = serve(Transport.preferred(), peers, address);
        var first = SocketChannel.open(address);
        var second = SocketChannel.open(address)) {
      for (var client : new SocketChannel[] {first, second}) {
        client.write(ByteBuffer.wrap((PREFACE + SETTINGS).getBytes(StandardCharsets.ISO_8859_1)));
        assertThat(client.read(ByteBuffer.allocate(9))).isPositive();
      }
      assertThat(peers.refused()).isEmpty();
    }
  }

  /// RFC 6177 §2: a site has a network of 64 bits at least, and an address for each try.
  @Test
  void addressesOfOneIpv6NetworkAreOnePeer() {
    var peers = new PeerTable(100, 2);
    assertThat(enters(peers, "2001:db8:0:1::1")).isTrue();
    assertThat(enters(peers, "2001:db8:0:1:ffff::2")).isTrue();
    assertThat(enters(peers, "2001:db8:0:1::3")).isFalse();
    assertThat(enters(peers, "2001:db8:0:2::1")).isTrue();
    assertThat(enters(peers, "::ffff:192.0.2.1")).isTrue();
    assertThat(enters(peers, "192.0.2.1")).isTrue();
    assertThat(enters(peers, "192.0.2.1")).isFalse();
    assertThat(enters(peers, "192.0.2.2")).isTrue();
  }

  private static boolean enters(PeerTable peers, String address) {
    return peers.enterPeer(
        new EmbeddedChannel(), new InetSocketAddress(InetAddress.ofLiteral(address), 4711));
  }

  @Test
  void aPeerWithoutConnectionsTakesNoMemory() {
    var peers = new PeerTable(100, 1);
    for (int i = 0; i < 3; i++) {
      var channel = new EmbeddedChannel();
      var address = new InetSocketAddress(InetAddress.ofLiteral("192.0.2.1"), i);
      assertThat(peers.enterPeer(channel, address)).isTrue();
      assertThat(enters(peers, "192.0.2.1")).isFalse();
      channel.close();
    }
    assertThat(peers.toString()).isEqualTo("0 connections, of 0 peers");
  }
}
