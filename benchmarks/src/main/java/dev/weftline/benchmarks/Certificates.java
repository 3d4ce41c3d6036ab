package dev.weftline.benchmarks;

import dev.weftline.benchmarks.peer.Replica;
import io.grpc.ManagedChannel;
import io.grpc.TlsChannelCredentials;
import io.grpc.netty.NettyChannelBuilder;
import io.netty.pkitesting.CertificateBuilder;
import io.netty.pkitesting.X509Bundle;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.net.InetAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.cert.X509Certificate;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.TimeUnit;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLSocket;
import javax.net.ssl.TrustManagerFactory;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/// `benchmarks/certificates`: the server's certificate is replaced again and again, under load.
@Command(
    name = "certificates",
    mixinStandardHelpOptions = true,
    description =
        "Replaces certificate and key of a server a hundred times, the way Kubernetes replaces a"
            + " mounted secret, while calls are made on old and on new connections. Now and then"
            + " the key does not belong to the certificate.")
final class Certificates implements Callable<Integer> {
  private static final int CHANNELS = 2;
  private static final int SEEN_SECONDS_MAX = 20;
  private static final int CONNECT_MILLIS_MAX = 10_000;
  private static final int LOOK_MILLIS = 100;
  private static final int WARMUP_SECONDS = 4;

  @Option(names = "--swaps", description = "${DEFAULT-VALUE}")
  private int swaps = 100;

  @Option(
      names = "--broken-every",
      description = "swaps between two pairs that do not match: ${DEFAULT-VALUE}")
  private int brokenEvery = 20;

  @Option(names = "--broken-millis", description = "that such a pair stays: ${DEFAULT-VALUE}")
  private int brokenMillis = 2_000;

  @Option(names = "--rate", description = "calls per second: ${DEFAULT-VALUE}")
  private int rate = 500;

  @Option(
      names = "--connects",
      description = "new connections per second, a call on each: ${DEFAULT-VALUE}")
  private int connectsPerSecond = 50;

  /// @param seen swaps that new handshakes showed
  /// @param kept broken pairs that no handshake showed and no client noticed
  record Outcome(
      int seen,
      double slowestSeconds,
      int broken,
      int kept,
      MixedLoad.Outcome load,
      long connects,
      String connectFailures) {
    boolean met(int swaps) {
      return seen == swaps && kept == broken && load.failed() == 0 && connectFailures.isEmpty();
    }
  }

  @Override
  public Integer call() throws Exception {
    var outcome = measure();
    boolean met = outcome.met(swaps);
    Progress.result(
        String.format(
            "%s: %d of %d new certificates seen by new handshakes, after %.1f s at most; %d of %d"
                + " broken pairs refused and the old pair kept;%n%,d calls, failed: %,d;"
                + " %,d new connections with a call each%s. %s: all seen, all broken ones refused,"
                + " no call failed",
            Replica.WEFTLINE.label(),
            outcome.seen,
            swaps,
            outcome.slowestSeconds,
            outcome.kept,
            outcome.broken,
            outcome.load.calls(),
            outcome.load.failed(),
            outcome.connects,
            outcome.connectFailures.isEmpty() ? ", none failed" : ", " + outcome.connectFailures,
            met ? "met" : "MISSED"));
    outcome.load.examples().forEach((what, times) -> Progress.result("  " + times + " × " + what));
    return met ? 0 : 1;
  }

  Outcome measure() throws Exception {
    var authority =
        new CertificateBuilder()
            .subject("CN=Benchmark")
            .setIsCertificateAuthority(true)
            .buildSelfSigned();
    var secret = new Secret(Servers.SCRATCH.resolve("certificates"));
    var first = leaf(authority);
    secret.replace(first.getCertificatePathPEM(), first.getPrivateKeyPEM());
    var channels = new ArrayList<ManagedChannel>();
    try (var server =
        PeerProcess.start(Replica.WEFTLINE, secret.directory, Servers.withHeap("256m"))) {
      for (int i = 0; i < CHANNELS; i++) {
        channels.add(channel(server.port(), authority));
      }
      warmUp(channels);
      return swap(secret, authority, new Door(server.port(), authority), channels);
    } finally {
      for (var channel : channels) {
        channel.shutdownNow();
      }
    }
  }

  /// What fails here is not counted: both sides are still being compiled.
  private void warmUp(List<ManagedChannel> channels) throws InterruptedException {
    try (var load = MixedLoad.start(channels, rate / 4.0)) {
      Thread.sleep(TimeUnit.SECONDS.toMillis(WARMUP_SECONDS));
      load.finish();
    }
  }

  private Outcome swap(
      Secret secret, X509Bundle authority, Door door, List<ManagedChannel> channels)
      throws Exception {
    int seen = 0;
    int broken = 0;
    int kept = 0;
    double slowest = 0;
    try (var load = MixedLoad.start(channels, rate);
        var newcomers =
            Newcomers.start(
                door::connection,
                connectsPerSecond,
                MixedLoad.UNARY,
                MixedLoad.REQUEST,
                MixedLoad.REPLY_BYTES)) {
      for (int i = 1; i <= swaps && seen == i - 1; i++) {
        var next = leaf(authority);
        secret.replace(next.getCertificatePathPEM(), next.getPrivateKeyPEM());
        double seconds = door.secondsUntil(next.getCertificate());
        seen += Double.isNaN(seconds) ? 0 : 1;
        slowest = Math.max(slowest, seconds);
        if (i % 10 == 0) {
          Progress.say(
              i + " swaps, " + (load.failed() + newcomers.failed()) + " calls failed so far");
        }
        if (i % brokenEvery == 0) {
          broken++;
          var other = leaf(authority);
          secret.replace(other.getCertificatePathPEM(), leaf(authority).getPrivateKeyPEM());
          kept += door.shows(next.getCertificate(), brokenMillis) ? 1 : 0;
        }
      }
      newcomers.finish();
      var outcome = load.finish();
      var failures = newcomers.failures();
      return new Outcome(
          seen,
          slowest,
          broken,
          kept,
          outcome,
          newcomers.made(),
          failures.isEmpty() ? "" : failures.toString());
    }
  }

  private static X509Bundle leaf(X509Bundle authority) throws Exception {
    return new CertificateBuilder()
        .subject("CN=localhost")
        .addSanDnsName("localhost")
        .buildIssuedBy(authority);
  }

  private static ManagedChannel channel(int port, X509Bundle authority) throws IOException {
    var credentials =
        TlsChannelCredentials.newBuilder()
            .trustManager(
                new ByteArrayInputStream(
                    authority.getCertificatePEM().getBytes(StandardCharsets.US_ASCII)))
            .build();
    return NettyChannelBuilder.forAddress("127.0.0.1", port, credentials)
        .overrideAuthority("localhost")
        .directExecutor()
        .build();
  }

  /// A directory as Kubernetes mounts a secret: the files are links through `..data`, a link to the
  /// directory of their present version, which is replaced as a whole.
  private static final class Secret {
    private static final String CHAIN = "tls.crt";
    private static final String KEY = "tls.key";

    final Path directory;
    private int version;

    Secret(Path parent) throws IOException {
      directory = Files.createTempDirectory(Files.createDirectories(parent), "secret");
      for (var name : List.of(CHAIN, KEY)) {
        Files.createSymbolicLink(directory.resolve(name), Path.of("..data", name));
      }
    }

    void replace(String chain, String key) throws IOException {
      var next = Path.of("..version" + ++version);
      Files.createDirectory(directory.resolve(next));
      Files.writeString(directory.resolve(next).resolve(CHAIN), chain);
      Files.writeString(directory.resolve(next).resolve(KEY), key);
      var link = directory.resolve("..data_next");
      Files.createSymbolicLink(link, next);
      Files.move(link, directory.resolve("..data"), StandardCopyOption.ATOMIC_MOVE);
    }
  }

  /// New TLS connections to the server, and what they are shown.
  private static final class Door {
    private final int port;
    private final SSLContext context;

    Door(int port, X509Bundle authority) throws GeneralSecurityException, IOException {
      this.port = port;
      var trusted = KeyStore.getInstance(KeyStore.getDefaultType());
      trusted.load(null, null);
      trusted.setCertificateEntry("authority", authority.getCertificate());
      var trust = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
      trust.init(trusted);
      context = SSLContext.getInstance("TLS");
      context.init(null, trust.getTrustManagers(), null);
    }

    RawConnection connection() throws IOException {
      return RawConnection.over(socket());
    }

    private SSLSocket socket() throws IOException {
      var socket =
          (SSLSocket)
              context.getSocketFactory().createSocket(InetAddress.getLoopbackAddress(), port);
      try {
        socket.setSoTimeout(CONNECT_MILLIS_MAX);
        var parameters = socket.getSSLParameters();
        parameters.setApplicationProtocols(new String[] {"h2"});
        socket.setSSLParameters(parameters);
        socket.startHandshake();
        return socket;
      } catch (IOException e) {
        socket.close();
        throw e;
      }
    }

    private boolean shows(X509Certificate certificate) throws IOException {
      try (var socket = socket()) {
        return socket.getSession().getPeerCertificates()[0].equals(certificate);
      }
    }

    /// Until a new handshake shows this one; NaN when none does in time.
    double secondsUntil(X509Certificate certificate) throws IOException, InterruptedException {
      long start = System.nanoTime();
      while (System.nanoTime() - start < TimeUnit.SECONDS.toNanos(SEEN_SECONDS_MAX)) {
        if (shows(certificate)) {
          return (System.nanoTime() - start) / 1e9;
        }
        Thread.sleep(LOOK_MILLIS);
      }
      return Double.NaN;
    }

    /// Whether all handshakes of some time show this one.
    boolean shows(X509Certificate certificate, int millis)
        throws IOException, InterruptedException {
      long until = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(millis);
      while (System.nanoTime() < until) {
        if (!shows(certificate)) {
          return false;
        }
        Thread.sleep(LOOK_MILLIS);
      }
      return true;
    }
  }
}
