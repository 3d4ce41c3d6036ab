package dev.weftline.benchmarks;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HexFormat;
import java.util.List;
import java.util.concurrent.TimeUnit;

/// HAProxy before some servers: HTTP/2 on both sides, round robin, and a health check that is a
/// gRPC call.
///
/// Its `http-check` (of version 2.6) cannot make that call: a gRPC message begins with a zero
/// octet, and the body of a check ends at the first one. So the check is prebaked HTTP/2, sent by
/// `tcp-check`.
final class Haproxy implements AutoCloseable {
  static final String PROGRAM = "haproxy";

  /// Two failures in a row take a server out, one may be bad luck: NOT_SERVING is noticed within a
  /// second or two.
  private static final int CHECK_MILLIS = 500;

  private static final int SECONDS_MAX = 10;

  private final Process process;
  private final int port;

  private Haproxy(Process process, int port) {
    this.process = process;
    this.port = port;
  }

  /// @param retries of connections that a server refused; HAProxy itself has 3
  static Haproxy start(Path program, List<Integer> servers, int retries, Path scratch)
      throws IOException, InterruptedException {
    int port = freePort();
    var directory = Files.createDirectories(scratch);
    var file = directory.resolve("haproxy.cfg");
    Files.writeString(file, configuration(port, servers, retries));
    var process =
        new ProcessBuilder(program.toString(), "-db", "-f", file.toString())
            .redirectErrorStream(true)
            .redirectOutput(directory.resolve("haproxy.log").toFile())
            .start();
    var balancer = new Haproxy(process, port);
    long until = System.nanoTime() + TimeUnit.SECONDS.toNanos(SECONDS_MAX);
    while (!balancer.listens()) {
      if (!process.isAlive() || System.nanoTime() > until) {
        balancer.close();
        throw new IOException(
            "HAProxy did not start: " + Files.readString(directory.resolve("haproxy.log")));
      }
      Thread.sleep(20);
    }
    return balancer;
  }

  private boolean listens() {
    try (var probe = new Socket(InetAddress.getLoopbackAddress(), port)) {
      return probe.isConnected();
    } catch (IOException e) {
      return false;
    }
  }

  static int freePort() throws IOException {
    try (var probe = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      return probe.getLocalPort();
    }
  }

  static String configuration(int port, List<Integer> servers, int retries) throws IOException {
    var text = new StringBuilder();
    text.append(
        """
        global
          nbthread 1
          maxconn 2000
          tune.h2.max-concurrent-streams 1000
        defaults
          mode http
          timeout connect 2s
          timeout client 60s
          timeout server 60s
          timeout check 3s
          retries %d
        frontend in
          bind 127.0.0.1:%d proto h2
          default_backend replicas
        backend replicas
          balance roundrobin
          option tcp-check
          tcp-check send-binary %s
          tcp-check expect rbinary %s
          tcp-check expect min-recv 1 binary %s
        """
            .formatted(retries, port, check(), ANY_STATUS, SERVING));
    for (int i = 0; i < servers.size(); i++) {
      text.append(
          "  server replica%d 127.0.0.1:%d proto h2 check inter %dms fall 2 rise 1%n"
              .formatted(i, servers.get(i), CHECK_MILLIS));
    }
    return text.toString();
  }

  /// A DATA frame's payload: the prefix of a message of two octets, `status`.
  private static final String ANY_STATUS = "0000000002080[0-3]";

  /// With a minimum that is there already, this one does not wait for what will never come.
  private static final String SERVING = "00000000020801";

  private static String check() throws IOException {
    var bytes = new ByteArrayOutputStream();
    bytes.writeBytes(RawConnection.preface());
    RawConnection.frame(
        bytes,
        RawConnection.HEADERS,
        RawConnection.END_HEADERS,
        1,
        RawConnection.fields(HealthProbe.PATH));
    RawConnection.frame(
        bytes, RawConnection.DATA, RawConnection.END_STREAM, 1, HealthProbe.REQUEST);
    return HexFormat.of().formatHex(bytes.toByteArray());
  }

  int port() {
    return port;
  }

  @Override
  public void close() throws IOException {
    process.destroy();
    try {
      if (!process.waitFor(SECONDS_MAX, TimeUnit.SECONDS)) {
        process.destroyForcibly();
      }
    } catch (InterruptedException e) {
      process.destroyForcibly();
      Thread.currentThread().interrupt();
    }
  }
}
