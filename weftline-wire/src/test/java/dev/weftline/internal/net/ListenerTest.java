package dev.weftline.internal.net;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import java.io.IOException;
import java.net.BindException;
import java.net.ConnectException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.NetworkInterface;
import java.net.ServerSocket;
import java.net.SocketAddress;
import java.net.SocketException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.net.UnknownHostException;
import java.nio.ByteBuffer;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

/// Binding, accepting and stopping, on real sockets.
final class ListenerTest {
  @TempDir Path directory;

  static Stream<Transport> transports() {
    return Stream.of(Transport.values()).filter(Transport::isAvailable);
  }

  /// The name of the loop that each connection was given, in the order of the connections.
  private final BlockingQueue<String> loopNames = new LinkedBlockingQueue<>();

  private final class TellsItsLoop extends ChannelInboundHandlerAdapter {
    @Override
    public void channelActive(ChannelHandlerContext ctx) {
      loopNames.add(Thread.currentThread().getName());
    }
  }

  private Listener listen(Loops loops, SocketAddress... addresses) throws IOException {
    return Listener.bind(loops, List.of(addresses), Listener.Options.DEFAULT, TellsItsLoop::new);
  }

  private static InetSocketAddress at(String literal, int port) {
    return new InetSocketAddress(InetAddress.ofLiteral(literal), port);
  }

  private static int port(Listener listener) {
    return ((InetSocketAddress) listener.addresses().getFirst()).getPort();
  }

  private String nextLoop() throws InterruptedException {
    var name = loopNames.poll(10, TimeUnit.SECONDS);
    assertThat(name).isNotNull();
    return String.valueOf(name);
  }

  @ParameterizedTest
  @CsvSource(
      textBlock =
          """
          # loops, connections
          2,       2
          4,       8
          3,       7
          """)
  void fewConnectionsAreSpreadEvenlyOverTheLoops(int count, int connections) throws Exception {
    for (var transport : transports().toList()) {
      var clients = new ArrayList<RawClient>();
      try (var loops = Loops.open(transport, count);
          var listener = listen(loops, EchoServer.loopback())) {
        Map<String, Integer> perLoop = new HashMap<>();
        for (int i = 0; i < connections; i++) clients.add(RawClient.to(port(listener)));
        for (int i = 0; i < connections; i++) perLoop.merge(nextLoop(), 1, Integer::sum);
        assertThat(perLoop).hasSize(count);
        assertThat(perLoop.keySet()).allMatch(name -> name.startsWith("weftline-loop-"));
        assertThat(perLoop.values())
            .allMatch(n -> n == connections / count || n == (connections + count - 1) / count);
      }
      for (var client : clients) client.close();
    }
  }

  @Test
  void twoAddressesOfOneListenerAreBalancedTogether() throws Exception {
    try (var loops = Loops.open(Transport.preferred(), 2);
        var listener = listen(loops, EchoServer.loopback(), EchoServer.loopback());
        var _ = RawClient.to(port(listener))) {
      var first = nextLoop();
      int otherPort = ((InetSocketAddress) listener.addresses().get(1)).getPort();
      try (var _ = RawClient.to(otherPort)) {
        assertThat(nextLoop()).isNotEqualTo(first);
      }
    }
  }

  @Test
  void aConnectionThatClosesMakesRoomOnItsLoop() throws Exception {
    try (var loops = Loops.open(Transport.preferred(), 3);
        var listener = listen(loops, EchoServer.loopback())) {
      var first = RawClient.to(port(listener));
      var freed = nextLoop();
      try (var _ = RawClient.to(port(listener));
          var _ = RawClient.to(port(listener))) {
        assertThat(nextLoop()).isNotEqualTo(nextLoop());
        first.close();
        EchoServer.awaitConnections(listener, 2);
        try (var _ = RawClient.to(port(listener))) {
          assertThat(nextLoop()).isEqualTo(freed);
        }
      }
    }
  }

  @ParameterizedTest
  @MethodSource("transports")
  void aTakenPortIsToldInOneSentence(Transport transport) throws Exception {
    try (var other = new ServerSocket(0, 1, InetAddress.ofLiteral("127.0.0.1"));
        var loops = Loops.open(transport, 1)) {
      int port = other.getLocalPort();
      assertThatThrownBy(() -> listen(loops, at("127.0.0.1", port)))
          .isInstanceOf(BindException.class)
          .hasMessage(
              "port %d is already in use on 127.0.0.1 (BindException): stop the other process or choose another port"
                  .formatted(port));
    }
  }

  @ParameterizedTest
  @MethodSource("transports")
  void aPortTakenOnEveryInterfaceIsToldInOneSentence(Transport transport) throws Exception {
    assumeTrue(hasIpv6());
    try (var loops = Loops.open(transport, 1);
        var other = listen(loops, new InetSocketAddress(0))) {
      assertThatThrownBy(() -> listen(loops, new InetSocketAddress(port(other))))
          .isInstanceOf(BindException.class)
          .hasMessageStartingWith("port " + port(other) + " is already in use on [::] (Bind");
    }
  }

  @Test
  void whenOneAddressFailsTheOthersAreFreedAgain() throws Exception {
    int freePort;
    try (var free = new ServerSocket(0, 1, InetAddress.ofLiteral("127.0.0.1"))) {
      freePort = free.getLocalPort();
    }
    try (var taken = new ServerSocket(0, 1, InetAddress.ofLiteral("127.0.0.1"));
        var loops = Loops.open(Transport.preferred(), 1)) {
      var first = at("127.0.0.1", freePort);
      var second = at("127.0.0.1", taken.getLocalPort());
      assertThatThrownBy(() -> listen(loops, first, second)).isInstanceOf(BindException.class);
      try (var again = listen(loops, first)) {
        assertThat(again.addresses()).containsExactly(first);
      }
    }
  }

  @ParameterizedTest
  @MethodSource("transports")
  void anAddressOfAnotherMachineIsToldInOneSentence(Transport transport) {
    try (var loops = Loops.open(transport, 1)) {
      assertThatThrownBy(() -> listen(loops, at("192.0.2.1", 50051)))
          .isInstanceOf(IOException.class)
          .hasMessageStartingWith("cannot listen on 192.0.2.1:50051: ")
          .hasMessageContaining("Cannot assign requested address");
    }
  }

  @Test
  void anUnknownHostIsToldInOneSentence() {
    try (var loops = Loops.open(Transport.preferred(), 1)) {
      assertThatThrownBy(
              () -> listen(loops, InetSocketAddress.createUnresolved("nowhere.invalid", 1)))
          .isInstanceOf(UnknownHostException.class)
          .hasMessage("cannot listen on nowhere.invalid: no such host is known");
    }
  }

  @ParameterizedTest
  @MethodSource("transports")
  void aWildcardAddressTakesIpv4AndIpv6(Transport transport) throws Exception {
    try (var loops = Loops.open(transport, 1);
        var listener = listen(loops, new InetSocketAddress(0))) {
      assertThat(port(listener)).isPositive();
      try (var _ = RawClient.to("127.0.0.1", port(listener))) {
        nextLoop();
      }
      assumeTrue(hasIpv6());
      try (var _ = RawClient.to("::1", port(listener))) {
        nextLoop();
      }
    }
  }

  private static boolean hasIpv6() throws SocketException {
    return NetworkInterface.getByInetAddress(InetAddress.ofLiteral("::1")) != null;
  }

  @ParameterizedTest
  @MethodSource("transports")
  void listenersShareAPortWhenBothWantTo(Transport transport) throws Exception {
    var sharing = new Listener.Options(128, true);
    var address = EchoServer.loopback();
    try (var loops = Loops.open(transport, 1);
        var first = Listener.bind(loops, List.of(address), sharing, TellsItsLoop::new);
        var second =
            Listener.bind(loops, List.copyOf(first.addresses()), sharing, TellsItsLoop::new)) {
      assertThat(port(second)).isEqualTo(port(first));
    }
  }

  @ParameterizedTest
  @MethodSource("transports")
  void aUnixSocketServesAndItsFileGoesWithIt(Transport transport) throws Exception {
    var path = directory.resolve("server.sock");
    var address = UnixDomainSocketAddress.of(path);
    try (var server = new EchoServer(transport, null, address)) {
      assertThat(server.listener.addresses()).containsExactly(address);
      try (var client = SocketChannel.open(address)) {
        client.write(bytes(RawClient.PREFACE + RawClient.SETTINGS));
        var frame = ByteBuffer.allocate(4);
        while (frame.hasRemaining() && client.read(frame) >= 0) {}
        assertThat(frame.getInt(0) & 0xff).isEqualTo(RawClient.SETTINGS_TYPE);
      }
    }
    assertThat(path).doesNotExist();
  }

  private static ByteBuffer bytes(String octets) {
    return ByteBuffer.wrap(octets.getBytes(StandardCharsets.ISO_8859_1));
  }

  @ParameterizedTest
  @MethodSource("transports")
  void theSocketFileOfADeadProcessIsReplaced(Transport transport) throws Exception {
    var address = UnixDomainSocketAddress.of(directory.resolve("stale.sock"));
    try (var dead = ServerSocketChannel.open(StandardProtocolFamily.UNIX)) {
      dead.bind(address); // the JDK leaves the file behind when it closes
    }
    assertThat(address.getPath()).exists();
    try (var loops = Loops.open(transport, 1);
        var _ = listen(loops, address);
        var _ = SocketChannel.open(address)) {
      nextLoop();
    }
  }

  @ParameterizedTest
  @MethodSource("transports")
  void theSocketFileOfALivingServerIsLeftAlone(Transport transport) throws Exception {
    var address = UnixDomainSocketAddress.of(directory.resolve("live.sock"));
    try (var loops = Loops.open(transport, 1);
        var _ = listen(loops, address)) {
      assertThatThrownBy(() -> listen(loops, address))
          .isInstanceOf(BindException.class)
          .hasMessageContaining("live.sock is already in use (BindException)");
      try (var _ = SocketChannel.open(address)) {
        nextLoop();
      }
    }
  }

  @Test
  void aFileThatIsNoSocketIsLeftAlone() throws Exception {
    var path = Files.writeString(directory.resolve("precious.txt"), "data");
    try (var loops = Loops.open(Transport.preferred(), 1)) {
      assertThatThrownBy(() -> listen(loops, UnixDomainSocketAddress.of(path)))
          .isInstanceOf(BindException.class)
          .hasMessageContaining("precious.txt exists and is not a socket");
    }
    assertThat(path).hasContent("data");
  }

  @Test
  void whenAcceptingStopsOpenConnectionsGoOn() throws Exception {
    try (var server = EchoServer.onLoopback();
        var client = RawClient.to(server.port())) {
      client.says(RawClient.PREFACE + RawClient.SETTINGS).hearsSettingsFirst();
      int port = server.port();
      server.listener.stopAccepting();
      assertThatThrownBy(() -> RawClient.to(port)).isInstanceOf(ConnectException.class);
      assertThat(server.listener.openConnections()).isEqualTo(1);
    }
  }

  /// RFC 9113 §6.8.
  @Test
  void drainingSaysGoAwayAndEndsWhenTheLastConnectionHasClosed() throws Exception {
    try (var server = EchoServer.onLoopback();
        var silent = RawClient.to(server.port());
        var client = RawClient.to(server.port())) {
      client.says(RawClient.PREFACE + RawClient.SETTINGS).hearsFrame(RawClient.SETTINGS_TYPE);
      var drained = server.listener.drain();
      client.hearsFrame(RawClient.GOAWAY_TYPE);
      silent.seesTheConnectionEnd();
      client.seesTheConnectionEnd();
      drained.get(10, TimeUnit.SECONDS);
      assertThat(server.listener.openConnections()).isZero();
    }
  }

  /// RFC 9113 §6.8: what a client sent before it read of the drain is worked on.
  @Test
  void aStreamBetweenTheTwoGoAwaysIsServed() throws Exception {
    try (var server = EchoServer.onLoopback();
        var client = RawClient.to(server.port())) {
      client.says(RawClient.PREFACE + RawClient.SETTINGS).hearsFrame(RawClient.SETTINGS_TYPE);
      server.listener.drain();
      client.isServedBetweenTheTwoGoAways();
    }
  }

  /// RFC 9113 §6.8: none of its requests was worked on, and it may try them elsewhere. Where its
  /// preface was faster than the drain, that follows a GOAWAY which still lets requests in.
  @Test
  void aClientThatHasJustConnectedIsToldOfTheDrain() throws Exception {
    try (var server = EchoServer.onLoopback();
        var client = RawClient.to(server.port())) {
      server.awaitConnections(1);
      var drained = server.listener.drain(Duration.ZERO);
      client.says(RawClient.PREFACE + RawClient.SETTINGS);
      var goAway = client.hearsFrame(RawClient.GOAWAY_TYPE);
      if (goAway[0] != 0) goAway = client.hearsFrame(RawClient.GOAWAY_TYPE);
      assertThat(goAway).startsWith(0, 0, 0, 0);
      client.seesTheConnectionEnd();
      drained.get(10, TimeUnit.SECONDS);
    }
  }

  @Test
  void aDrainTellsManyConnections() throws Exception {
    var clients = new ArrayList<RawClient>();
    try (var server = EchoServer.onLoopback()) {
      for (int i = 0; i < 50; i++) {
        var client = RawClient.to(server.port());
        clients.add(client);
        client.says(RawClient.PREFACE + RawClient.SETTINGS).hearsFrame(RawClient.SETTINGS_TYPE);
      }
      var drained = server.listener.drain(Duration.ofMillis(100));
      for (var client : clients) client.hearsFrame(RawClient.GOAWAY_TYPE);
      drained.get(10, TimeUnit.SECONDS);
    } finally {
      for (var client : clients) client.close();
    }
  }

  /// A thousand clients that are told at once come back at once.
  @ParameterizedTest
  @CsvSource(
      textBlock =
          """
          # spread, connections, microseconds between them
          0,        1000,        0
          1000,     0,           1000
          1000,     10,          1000
          1000,     1000,        1000
          1000,     10000,       100
          250,      1000,        250
          """)
  void aDrainIsSpread(int spreadMillis, int connections, int apartMicros) {
    assertThat(Listener.apartNanos(Duration.ofMillis(spreadMillis), connections))
        .isEqualTo(apartMicros * 1_000L);
  }

  @Test
  void aListenerWithoutConnectionsIsDrainedAtOnce() throws Exception {
    try (var server = EchoServer.onLoopback()) {
      assertThat(server.listener.drain()).isCompleted();
    }
  }

  @Test
  void closingEndsEveryConnection() throws Exception {
    try (var server = EchoServer.onLoopback();
        var client = RawClient.to(server.port())) {
      client.says(RawClient.PREFACE + RawClient.SETTINGS).hearsFrame(RawClient.SETTINGS_TYPE);
      server.listener.close();
      client.seesTheConnectionEnd();
      server.awaitConnections(0);
    }
  }
}
