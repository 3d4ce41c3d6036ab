package dev.weftline.benchmarks;

import com.google.protobuf.ByteString;
import dev.weftline.benchmarks.hello.Repeat;
import dev.weftline.benchmarks.hello.Text;
import dev.weftline.benchmarks.peer.Peer;
import java.io.ByteArrayOutputStream;
import java.io.Closeable;
import java.io.DataOutputStream;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/// `benchmarks/stalled`: a thousand clients that stop in the middle, all at once, and a server with
/// a small heap.
@Command(
    name = "stalled",
    mixinStandardHelpOptions = true,
    description =
        "Opens many connections whose clients stop: they do not read what the server streams, or"
            + " do not send the end of a large message. Meanwhile new clients come and make a call"
            + " each. Watches the server's memory and those calls.")
final class Stalled implements Callable<Integer> {
  private static final String COUNT = "/weftline.benchmarks.Hello/Count";
  private static final String UPLOAD = "/weftline.benchmarks.Hello/Upload";
  private static final int ENDLESS = 1_000_000_000;
  private static final int MESSAGE_BYTES = 1_024;
  private static final int UPLOAD_BYTES = (4 << 20) - 64; // the most that gRPC servers take, nearly
  private static final int UPLOADED_BYTES = 3_900 << 10;
  private static final int INITIAL_WINDOW_SIZE = 0x4;

  /// A socket that is not read keeps this much in the kernel, so that a thousand of them do not
  /// fill the machine before they fill the server.
  private static final int KERNEL_BYTES = 64 << 10;

  private static final int SAMPLE_MILLIS = 200;
  private static final int WARMUP_SECONDS = 3;

  /// How clients stop.
  enum How {
    WINDOW("stream, no WINDOW_UPDATE", 0),
    SOCKET("stream, endless windows, socket not read", 0),
    /// What they have sent fills the server's budget at once, until the newest of them are ended.
    UPLOAD("3.9 of 4 MiB sent", 0.1);

    private final String label;
    private final double refusedShareMax; // of the new calls

    How(String label, double refusedShareMax) {
      this.label = label;
      this.refusedShareMax = refusedShareMax;
    }
  }

  @Option(names = "--peer", split = ",", description = "the servers: ${DEFAULT-VALUE}")
  private List<String> peers = List.of(Peer.WEFTLINE.id());

  @Option(names = "--how", split = ",", description = "window, socket, upload: ${DEFAULT-VALUE}")
  private List<String> hows = List.of("window", "socket", "upload");

  @Option(names = "--connections", description = "that stall, one call on each: ${DEFAULT-VALUE}")
  private int connections = 1_000;

  @Option(names = "--rate", description = "new clients per second, meanwhile: ${DEFAULT-VALUE}")
  private int rate = 50;

  @Option(names = "--seconds", description = "from the last connection on: ${DEFAULT-VALUE}")
  private int seconds = 15;

  @Option(names = "--heap", description = "of the server: ${DEFAULT-VALUE}")
  private String heap = "512m";

  /// @param held heap and direct memory after a full collection, while all clients are stalled
  /// @param after the same, once they have gone
  record Outcome(
      Peer peer,
      How how,
      String stalled,
      long calls,
      long failed,
      String failures,
      double p99Millis,
      long heapBytesMax,
      long directBytesMax,
      long residentBytesMax,
      long held,
      long after,
      String fault) {
    boolean met() {
      return fault.isEmpty() && calls > 0 && failed <= how.refusedShareMax * calls;
    }
  }

  @Override
  public Integer call() throws IOException, InterruptedException {
    var table =
        new Table(
            String.format("%,d connections that stall, server heap %s", connections, heap),
            "server",
            "clients",
            "of them",
            "new calls",
            "p99 ms",
            "heap max MiB",
            "direct max MiB",
            "resident max MiB",
            "held MiB",
            "after MiB");
    var notes = new StringBuilder();
    boolean missed = false;
    for (var id : peers) {
      for (var how :
          hows.stream().map(each -> How.valueOf(each.toUpperCase(Locale.ROOT))).toList()) {
        Progress.say(Peer.of(id).label() + ": " + how.label);
        var each = measure(Peer.of(id), how);
        table.row(
            each.peer.label(),
            each.how.label,
            each.stalled,
            String.format("%,d", each.calls),
            String.format("%.1f", each.p99Millis),
            mebibytes(each.heapBytesMax),
            mebibytes(each.directBytesMax),
            mebibytes(each.residentBytesMax),
            mebibytes(each.held),
            mebibytes(each.after));
        notes.append(
            String.format(
                "- %s, %s: %s: no OutOfMemoryError, %.0f %% of the new calls answered%s%s%n",
                each.peer.label(),
                each.how.label,
                each.met() ? "met" : "MISSED",
                100 * (1 - each.how.refusedShareMax),
                each.failures.isEmpty() ? "" : "; " + each.failures,
                each.fault.isEmpty() ? "" : "; " + each.fault));
        missed |= each.peer.isOurs() && !each.met();
      }
    }
    Progress.result(table.markdown() + notes);
    return missed ? 1 : 0;
  }

  private static String mebibytes(long bytes) {
    return bytes == 0 ? "–" : Long.toString(bytes >> 20);
  }

  Outcome measure(Peer peer, How how) throws IOException, InterruptedException {
    try (var server = PeerProcess.start(peer, Servers.withHeap(heap));
        var clients = new Clients(server.port(), how)) {
      warmUp(server);
      var run = new Run(server);
      try (var newcomers =
          Newcomers.start(
              server.port(),
              rate,
              Scenario.UNARY_1X1.path(),
              Scenario.UNARY_1X1.body(),
              (int) Scenario.UNARY_1X1.replyBytes())) {
        clients.open();
        run.watch(seconds);
        newcomers.finish();
        run.held();
        var stalled = clients.describe();
        clients.leave();
        run.gone();
        return new Outcome(
            peer,
            how,
            stalled,
            newcomers.made(),
            newcomers.failed(),
            newcomers.failed() == 0 ? "" : "new calls failed: " + newcomers.failures(),
            newcomers.p99Millis(),
            run.heapMax,
            run.directMax,
            run.residentMax,
            run.held,
            run.after,
            run.fault);
      }
    }
  }

  private static void warmUp(PeerProcess server) throws InterruptedException {
    try (var newcomers =
        Newcomers.start(
            server.port(),
            200,
            Scenario.UNARY_1X1.path(),
            Scenario.UNARY_1X1.body(),
            (int) Scenario.UNARY_1X1.replyBytes())) {
      Thread.sleep(TimeUnit.SECONDS.toMillis(WARMUP_SECONDS));
      newcomers.finish();
    }
  }

  /// The server's side of it. A server that has died answers nothing more: that is a finding.
  private static final class Run {
    private final PeerProcess server;
    private long heapMax;
    private long directMax;
    private long residentMax;
    private long held;
    private long after;
    private String fault = "";

    Run(PeerProcess server) {
      this.server = server;
    }

    void watch(int seconds) throws InterruptedException {
      long until = System.nanoTime() + TimeUnit.SECONDS.toNanos(seconds);
      while (System.nanoTime() < until && look(server::memory) != 0) {
        Thread.sleep(SAMPLE_MILLIS);
      }
    }

    void held() {
      held = look(server::collect);
    }

    void gone() throws InterruptedException {
      Thread.sleep(TimeUnit.SECONDS.toMillis(2));
      after = look(server::collect);
    }

    private interface Look {
      PeerProcess.Memory memory() throws IOException;
    }

    private long look(Look look) {
      long used = 0;
      if (fault.isEmpty()) {
        try {
          var memory = look.memory();
          used = memory.usedBytes();
          heapMax = Math.max(heapMax, memory.heapBytes());
          directMax = Math.max(directMax, memory.directBytes());
          residentMax = server.residentBytesMax();
          fault = server.reason(line -> line.contains("OutOf")).orElse("");
        } catch (IOException e) {
          fault = "the server died: " + e.getMessage();
        }
      }
      return used;
    }
  }

  /// Those who stall.
  private final class Clients implements AutoCloseable {
    private final int port;
    private final How how;
    private final List<Closeable> open = new ArrayList<>();
    private final AtomicInteger stopped = new AtomicInteger();
    private final AtomicInteger refused = new AtomicInteger();

    Clients(int port, How how) {
      this.port = port;
      this.how = how;
    }

    void open() throws IOException {
      var threads = Executors.newVirtualThreadPerTaskExecutor();
      byte[] message =
          Arrays.copyOf(
              Scenario.prefixed(
                  Text.newBuilder().setText(ByteString.copyFrom(new byte[UPLOAD_BYTES])).build(),
                  1),
              UPLOADED_BYTES);
      for (int i = 0; i < connections; i++) {
        if (how == How.UPLOAD) {
          var upload = UploadStream.open(port, UPLOAD);
          open.add(upload);
          threads.execute(() -> send(upload, message));
        } else {
          open.add(reader());
        }
      }
      threads.shutdown();
    }

    private void send(UploadStream upload, byte[] message) {
      try {
        upload.send(message);
        upload.flush();
        stopped.incrementAndGet();
      } catch (IOException e) {
        refused.incrementAndGet();
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
      }
    }

    /// Asks for an endless stream and reads nothing of it.
    private Socket reader() throws IOException {
      var socket = new Socket();
      socket.setReceiveBufferSize(KERNEL_BYTES);
      socket.connect(new InetSocketAddress(InetAddress.getLoopbackAddress(), port));
      var bytes = new ByteArrayOutputStream();
      if (how == How.SOCKET) {
        bytes.writeBytes(RawConnection.preface());
        var window = new ByteArrayOutputStream();
        var setting = new DataOutputStream(window);
        setting.writeShort(INITIAL_WINDOW_SIZE);
        setting.writeInt(Integer.MAX_VALUE);
        RawConnection.frame(bytes, RawConnection.SETTINGS, 0, 0, window.toByteArray());
      } else {
        bytes.writeBytes("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".getBytes(StandardCharsets.US_ASCII));
        RawConnection.frame(bytes, RawConnection.SETTINGS, 0, 0, new byte[0]);
      }
      var repeat =
          Repeat.newBuilder()
              .setMessages(ENDLESS)
              .setText(ByteString.copyFrom(new byte[MESSAGE_BYTES]))
              .build();
      RawConnection.frame(
          bytes, RawConnection.HEADERS, RawConnection.END_HEADERS, 1, RawConnection.fields(COUNT));
      RawConnection.frame(
          bytes, RawConnection.DATA, RawConnection.END_STREAM, 1, Scenario.prefixed(repeat, 1));
      socket.getOutputStream().write(bytes.toByteArray());
      stopped.incrementAndGet();
      return socket;
    }

    String describe() {
      return how == How.UPLOAD
          ? String.format(
              "%,d sent it, %,d refused, %,d held back",
              stopped.get(), refused.get(), connections - stopped.get() - refused.get())
          : String.format("%,d", stopped.get());
    }

    void leave() throws IOException {
      for (var each : open) {
        each.close();
      }
      open.clear();
    }

    @Override
    public void close() throws IOException {
      leave();
    }
  }
}
