package dev.weftline.server;

import static dev.weftline.testing.Probe.ask;
import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.ByteString;
import dev.weftline.Service;
import dev.weftline.probe.Answer;
import dev.weftline.probe.Ask;
import dev.weftline.probe.ProbeGrpc;
import dev.weftline.testing.Probe;
import dev.weftline.testing.RunningServer;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import java.io.ByteArrayOutputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/// Peers that stand still, more of them than a small heap can bear without a budget. The server
/// runs in a JVM of its own, which an OutOfMemoryError ends; so do the peers, whose sockets cost it
/// nothing.
@Timeout(180)
final class StalledPeersTest {
  private static final int HEAP_MIB = 64;

  /// More than the heap bears of them, with 256 KiB for each stream, and as much outside of it for
  /// each channel.
  private static final int READERS = 210;

  /// Sixteen calls on each, and nearly a window of octets for each call: 96 MiB.
  private static final int UPLOADERS = 96;

  private static final int UPLOADS = 16;
  private static final int UPLOADED_BYTES = 60_000;

  private static final int CALLS = 50;

  @Test
  void callsAreAnsweredBesideStreamsThatNobodyReads() throws Exception {
    var output = run("readers");
    assertThat(output).contains("answered " + CALLS).contains("at the end ROOMY");
  }

  @Test
  void callsAreAnsweredBesideUploadsThatNeverEnd() throws Exception {
    assertThat(run("uploaders")).contains("answered " + CALLS).contains("at the end ROOMY");
  }

  private static String run(String who) throws IOException, InterruptedException {
    var java = Path.of(System.getProperty("java.home"), "bin", "java").toString();
    var command =
        List.of(
            java,
            "--enable-native-access=ALL-UNNAMED",
            "--add-opens=java.base/java.lang=ALL-UNNAMED",
            "-Xmx" + HEAP_MIB + "m",
            "-XX:+ExitOnOutOfMemoryError",
            "-Dio.netty.allocator.numDirectArenas=2",
            "-cp",
            System.getProperty("java.class.path"),
            StalledPeersTest.class.getName(),
            who);
    var process = new ProcessBuilder(command).redirectErrorStream(true).start();
    try {
      var output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
      assertThat(process.waitFor(10, TimeUnit.SECONDS)).as(output).isTrue();
      assertThat(process.exitValue()).as(output).isZero();
      return output;
    } finally {
      process.destroyForcibly();
    }
  }

  // ---- The other JVM.

  public static void main(String[] args) throws Exception {
    var kib = Answer.newBuilder().setBody(ByteString.copyFrom(new byte[1_000])).build();
    var probe =
        Service.builder(ProbeGrpc.getServiceDescriptor())
            .<Ask, Answer>unary("Unary", ask -> Probe.answer(ask.getNumber()))
            .<Ask, Answer>serverStreaming(
                "Down",
                (_, answers) -> {
                  while (true) answers.send(kib);
                })
            .build();
    var peers = new ArrayList<StandingPeer>();
    try (var server = RunningServer.with(builder -> builder.addService(probe))) {
      switch (args[0]) {
        case "readers" -> {
          for (int i = 0; i < READERS; i++) {
            var peer = new StandingPeer(server.server().port());
            peers.add(peer);
            peer.headers(1, Probe.DOWN);
            peer.data(1, Probe.framed(ask(1)), true);
          }
          until(() -> server.server().heldMemory().level() != HeldMemory.Level.ROOMY);
        }
        case "uploaders" -> {
          for (int i = 0; i < UPLOADERS; i++) {
            var peer = new StandingPeer(server.server().port());
            peers.add(peer);
            for (int call = 0; call < UPLOADS; call++) peer.halfAMessage(2 * call + 1);
          }
        }
        default -> throw new IllegalArgumentException(args[0]);
      }
      int answered = 0;
      int refused = 0;
      while (answered < CALLS) {
        try {
          answered += server.blocking().unary(ask(1)).getNumber();
        } catch (StatusRuntimeException e) {
          if (e.getStatus().getCode() != Status.Code.RESOURCE_EXHAUSTED) throw e;
          refused++;
          Thread.sleep(20); // the test's patience is its timeout
        }
      }
      System.out.printf("answered %d, refused %d%n", answered, refused);
      System.out.println(server.server().heldMemory());
      for (var peer : peers) peer.close();
      until(() -> server.server().heldMemory().level() == HeldMemory.Level.ROOMY);
      System.out.println("at the end " + server.server().heldMemory().level());
    }
  }

  private static void until(BooleanSupplier true_) throws InterruptedException {
    while (!true_.getAsBoolean()) Thread.sleep(10);
  }

  /// A client that says what it is told to, lets everything be sent to it, and reads nothing.
  private static final class StandingPeer implements AutoCloseable {
    private static final int HEADERS = 1;
    private static final int SETTINGS = 4;
    private static final int WINDOW_UPDATE = 8;
    private static final int FRAME_BYTES_MAX = 16 << 10;

    private final Socket socket;
    private final DataOutputStream out;

    StandingPeer(int port) throws IOException {
      socket = new Socket(InetAddress.getLoopbackAddress(), port);
      out = new DataOutputStream(socket.getOutputStream());
      out.write("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".getBytes(StandardCharsets.US_ASCII));
      // RFC 9113 §6.5.2: SETTINGS_INITIAL_WINDOW_SIZE, as large as it may be.
      frame(SETTINGS, 0, 0, new byte[] {0, 4, 0x7f, -1, -1, -1});
      frame(WINDOW_UPDATE, 0, 0, new byte[] {0x7f, -1, 0, 0});
    }

    void headers(int stream, String path) throws IOException {
      var block = new ByteArrayOutputStream();
      block.write(0x83); // RFC 7541 Appendix A: :method POST
      block.write(0x86); // :scheme http
      literal(block, 0x04, path); // :path
      literal(block, 0x01, "test.example"); // :authority
      block.write(0x0f); // content-type: index 31 does not fit the prefix of four bits
      block.write(0x10);
      string(block, "application/grpc");
      frame(HEADERS, 0x4, stream, block.toByteArray());
    }

    /// RFC 7541 §6.2.2: without indexing, the name by its index.
    private static void literal(ByteArrayOutputStream block, int index, String value) {
      block.write(index);
      string(block, value);
    }

    private static void string(ByteArrayOutputStream block, String value) {
      block.write(value.length());
      block.writeBytes(value.getBytes(StandardCharsets.US_ASCII));
    }

    void data(int stream, byte[] data, boolean end) throws IOException {
      frame(0, end ? 1 : 0, stream, data);
    }

    /// A call whose message is announced with 4 MiB, of which less than a window follows.
    void halfAMessage(int stream) throws IOException {
      headers(stream, Probe.UNARY);
      var prefix = new byte[] {0, 0, 0x3f, 0, 0};
      data(stream, prefix, false);
      for (int left = UPLOADED_BYTES; left > 0; left -= FRAME_BYTES_MAX) {
        data(stream, new byte[Math.min(left, FRAME_BYTES_MAX)], false);
      }
    }

    private void frame(int type, int flags, int stream, byte[] payload) throws IOException {
      out.writeByte(payload.length >> 16);
      out.writeShort(payload.length);
      out.writeByte(type);
      out.writeByte(flags);
      out.writeInt(stream);
      out.write(payload);
      out.flush();
    }

    @Override
    public void close() {
      try {
        socket.close();
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }
  }
}
