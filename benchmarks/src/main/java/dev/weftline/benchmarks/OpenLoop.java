package dev.weftline.benchmarks;

import com.google.protobuf.MessageLite;
import dev.weftline.internal.hpack.HpackDecoder;
import dev.weftline.internal.hpack.HpackException;
import dev.weftline.internal.http.Fields;
import io.grpc.Status;
import io.netty.buffer.Unpooled;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.StandardSocketOptions;
import java.nio.ByteBuffer;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import org.HdrHistogram.Histogram;
import org.jspecify.annotations.Nullable;

/// A client that makes unary calls when they are due, whether or not earlier ones were answered,
/// and times each from then: a server that stalls does not slow the questions down (no coordinated
/// omission). Prebaked requests on non-blocking sockets, one thread: tens of thousands of calls a
/// second on part of a core.
///
/// Behaves as gRPC clients do: tells the server how long a call may still take, gives it up
/// (RST_STREAM) when that has passed, and keeps to the server's limit of streams.
final class OpenLoop implements AutoCloseable {
  private static final int READ_BYTES = 256 << 10;
  private static final int WRITE_BYTES = 64 << 10; // unsent on one connection, then another is used
  private static final int FIRST_WINDOW_BYTES = 65_535;
  private static final int STREAMS_MAX = 0x3; // SETTINGS_MAX_CONCURRENT_STREAMS
  private static final int FRAME_HEADER_BYTES = 9;
  private static final int TIMEOUT_DIGITS = 8; // as many as a grpc-timeout may have
  private static final int FIELD_BYTES_MAX = 64 << 10;
  private static final long MICROS_MAX = TimeUnit.MINUTES.toMicros(2);
  private static final long IDLE_NANOS = 50_000;

  /// What is due when.
  sealed interface Arrivals {
    /// So many a second.
    ///
    /// @param poisson with random intervals, as independent clients have
    record AtRate(double perSecond, boolean poisson) implements Arrivals {}

    /// As many at once as that, always: what measures capacity.
    record InFlight(int calls) implements Arrivals {}
  }

  /// @param rampSeconds at the beginning, in which calls are made and not counted
  record Plan(Arrivals arrivals, double rampSeconds, double seconds, int deadlineMillis) {}

  /// Of the calls that were due after the ramp.
  ///
  /// @param ok answered within the deadline
  /// @param others how many ended otherwise, by status, or by what the client did
  /// @param okMicros of those that were answered in time, since they were due
  /// @param refusedMicros of those that the server refused or failed
  /// @param lateMicrosMax how late the client itself ever was
  record Outcome(
      long due,
      long ok,
      Map<String, Long> others,
      Histogram okMicros,
      Histogram refusedMicros,
      long lateMicrosMax,
      double seconds) {
    double goodput() {
      return ok / seconds;
    }
  }

  private static final class Pending {
    final Connection connection;
    final int stream;
    final long due;
    final boolean counts;
    boolean ended;
    boolean answered;

    Pending(Connection connection, int stream, long due, boolean counts) {
      this.connection = connection;
      this.stream = stream;
      this.due = due;
      this.counts = counts;
    }
  }

  private final Selector selector;
  private final List<Connection> connections = new ArrayList<>();
  private final byte[] fields;
  private final byte[] body;
  private final ByteBuffer in = ByteBuffer.allocateDirect(READ_BYTES);
  private final ArrayDeque<Pending> byDue = new ArrayDeque<>();

  // Of the current run.
  private Map<String, Long> others = new TreeMap<>();
  private Histogram okMicros = new Histogram(MICROS_MAX, 3);
  private Histogram refusedMicros = new Histogram(MICROS_MAX, 3);
  private long ok;
  private long deadlineNanos;
  private int open;
  private int nextConnection;

  private OpenLoop(Selector selector, String path, MessageLite request) {
    this.selector = selector;
    fields = fields(path);
    body = Scenario.prefixed(request, 1);
  }

  static OpenLoop open(int port, int connections, String path, MessageLite request)
      throws IOException {
    var loop = new OpenLoop(Selector.open(), path, request);
    try {
      for (int i = 0; i < connections; i++) {
        loop.connections.add(loop.new Connection(port));
      }
    } catch (IOException e) {
      loop.close();
      throw e;
    }
    return loop;
  }

  /// A request's fields, with room for its timeout at their end.
  private static byte[] fields(String path) {
    var bytes = new ByteArrayOutputStream();
    bytes.writeBytes(RawConnection.fields(path));
    var name = "grpc-timeout".getBytes(StandardCharsets.US_ASCII);
    bytes.write(0);
    bytes.write(name.length);
    bytes.writeBytes(name);
    bytes.write(TIMEOUT_DIGITS + 1);
    bytes.writeBytes(new byte[TIMEOUT_DIGITS]);
    bytes.write('m');
    return bytes.toByteArray();
  }

  /// Makes the calls; returns when all that were due have ended or were given up.
  Outcome run(Plan plan) throws IOException {
    others = new TreeMap<>();
    okMicros = new Histogram(MICROS_MAX, 3);
    refusedMicros = new Histogram(MICROS_MAX, 3);
    ok = 0;
    deadlineNanos = TimeUnit.MILLISECONDS.toNanos(plan.deadlineMillis);
    var random = new SplittableRandom(1);
    long start = System.nanoTime();
    long counted = start + (long) (plan.rampSeconds * 1e9);
    long end = counted + (long) (plan.seconds * 1e9);
    long next = start;
    long due = 0;
    long lateNanosMax = 0;
    for (long now; (now = System.nanoTime()) < end || open > 0; ) {
      boolean busy = false;
      switch (plan.arrivals) {
        case Arrivals.AtRate rate -> {
          while (next <= now && next < end) {
            boolean counts = next >= counted;
            due += counts ? 1 : 0;
            lateNanosMax = counts ? Math.max(lateNanosMax, now - next) : 0;
            call(next, now, counts);
            busy = true;
            double gap = 1e9 / rate.perSecond;
            next += (long) (rate.poisson ? -Math.log(1 - random.nextDouble()) * gap : gap);
          }
        }
        case Arrivals.InFlight(int calls) -> {
          while (now < end && open < calls) {
            boolean counts = now >= counted;
            due += counts ? 1 : 0;
            if (!call(now, now, counts)) {
              break;
            }
            busy = true;
          }
        }
      }
      busy |= exchange();
      giveUp(System.nanoTime());
      if (!busy) {
        LockSupport.parkNanos(IDLE_NANOS);
      }
    }
    return new Outcome(
        due, ok, others, okMicros, refusedMicros, lateNanosMax / 1_000, plan.seconds);
  }

  private boolean call(long due, long now, boolean counts) {
    long millisLeft = (due + deadlineNanos - now) / 1_000_000;
    if (millisLeft < 1) {
      count(counts, "the client was late");
      return false;
    }
    for (int i = 0; i < connections.size(); i++) {
      var connection = connections.get(nextConnection);
      nextConnection = (nextConnection + 1) % connections.size();
      if (connection.hasRoom()) {
        byDue.add(connection.send(due, millisLeft, counts));
        open++;
        return true;
      }
    }
    count(counts, "no connection with room");
    return false;
  }

  private void count(boolean counts, String how) {
    if (counts) {
      others.merge(how, 1L, Long::sum);
    }
  }

  private boolean exchange() throws IOException {
    for (var connection : connections) {
      connection.flush();
    }
    if (selector.selectNow() == 0) {
      return false;
    }
    for (var key : selector.selectedKeys()) {
      ((Connection) key.attachment()).read();
    }
    selector.selectedKeys().clear();
    return true;
  }

  private void giveUp(long now) throws IOException {
    for (Pending first; (first = byDue.peek()) != null; byDue.remove()) {
      if (first.ended) {
        continue;
      }
      if (first.due + deadlineNanos > now) {
        return;
      }
      count(first.counts, "no answer in time");
      first.connection.cancel(first);
    }
  }

  private void end(Pending call, @Nullable String status) {
    if (call.ended) {
      return;
    }
    call.ended = true;
    open--;
    if (!call.counts) {
      return;
    }
    long micros = Math.min((System.nanoTime() - call.due) / 1_000, MICROS_MAX);
    if ("0".equals(status) && call.answered) {
      if (micros * 1_000 <= deadlineNanos) {
        ok++;
        okMicros.recordValue(micros);
      } else {
        count(true, "no answer in time");
      }
    } else {
      refusedMicros.recordValue(micros);
      count(true, status == null ? "reset" : name(status));
    }
  }

  private static String name(String status) {
    return status.equals("0")
        ? "OK without a reply"
        : Status.fromCodeValue(Integer.parseInt(status)).getCode().toString();
  }

  /// One connection; its calls by stream.
  private final class Connection {
    private final SocketChannel channel;
    private final HpackDecoder hpack = new HpackDecoder(4_096, FIELD_BYTES_MAX);
    private final Map<Integer, Pending> calls = new HashMap<>();
    private final ByteBuffer out = ByteBuffer.allocateDirect(2 * WRITE_BYTES);
    private ByteBuffer rest = ByteBuffer.allocate(0); // the start of a frame
    private long credit = FIRST_WINDOW_BYTES;
    private long streamsMax = Integer.MAX_VALUE;
    private int nextStream = 1;
    private boolean leaving; // the server sent GOAWAY, or is gone

    Connection(int port) throws IOException {
      channel = SocketChannel.open(new InetSocketAddress(InetAddress.getLoopbackAddress(), port));
      channel.setOption(StandardSocketOptions.TCP_NODELAY, true);
      channel.configureBlocking(false);
      channel.register(selector, SelectionKey.OP_READ, this);
      out.put(RawConnection.preface());
    }

    boolean hasRoom() {
      return !leaving
          && calls.size() < streamsMax
          && credit >= body.length
          && out.position() < WRITE_BYTES;
    }

    Pending send(long due, long millisLeft, boolean counts) {
      var call = new Pending(this, nextStream, due, counts);
      nextStream += 2;
      calls.put(call.stream, call);
      long digits = millisLeft;
      for (int i = 0; i < TIMEOUT_DIGITS; i++) {
        fields[fields.length - 2 - i] = (byte) ('0' + digits % 10);
        digits /= 10;
      }
      header(fields.length, RawConnection.HEADERS, RawConnection.END_HEADERS, call.stream);
      out.put(fields);
      header(body.length, RawConnection.DATA, RawConnection.END_STREAM, call.stream);
      out.put(body);
      credit -= body.length;
      return call;
    }

    void cancel(Pending call) throws IOException {
      calls.remove(call.stream);
      call.ended = true;
      open--;
      if (out.remaining() < READ_BYTES >> 8) {
        flush();
      }
      header(4, RawConnection.RST_STREAM, 0, call.stream);
      out.putInt(8); // CANCEL
    }

    private void header(int length, int type, int flags, int stream) {
      out.put((byte) (length >> 16)).putShort((short) length);
      out.put((byte) type).put((byte) flags).putInt(stream);
    }

    void flush() throws IOException {
      if (out.position() > 0 && channel.isOpen()) {
        out.flip();
        try {
          channel.write(out);
        } catch (IOException e) {
          lost();
        }
        out.compact();
      }
    }

    void read() throws IOException {
      in.clear();
      in.put(rest);
      int bytes;
      try {
        bytes = channel.read(in);
      } catch (IOException e) {
        bytes = -1;
      }
      in.flip();
      while (in.remaining() >= FRAME_HEADER_BYTES) {
        int length = in.getInt(in.position()) >>> 8;
        if (in.remaining() < FRAME_HEADER_BYTES + length) {
          break;
        }
        int type = in.get(in.position() + 3);
        int flags = in.get(in.position() + 4);
        int stream = in.getInt(in.position() + 5);
        var payload = in.slice(in.position() + FRAME_HEADER_BYTES, length);
        in.position(in.position() + FRAME_HEADER_BYTES + length);
        receive(type, flags, stream, payload);
      }
      rest = ByteBuffer.allocate(in.remaining()).put(in).flip();
      if (bytes < 0) {
        lost();
      }
    }

    private void receive(int type, int flags, int stream, ByteBuffer payload) throws IOException {
      switch (type) {
        case RawConnection.HEADERS -> headers(flags, stream, payload);
        case RawConnection.DATA -> {
          var call = calls.get(stream);
          if (call != null && payload.hasRemaining()) {
            call.answered = true;
          }
        }
        case RawConnection.RST_STREAM -> ended(stream, null);
        case RawConnection.SETTINGS -> settings(flags, payload);
        case RawConnection.PING -> {
          if ((flags & RawConnection.ACK) == 0) {
            header(8, RawConnection.PING, RawConnection.ACK, 0);
            out.put(payload);
          }
        }
        case RawConnection.GOAWAY -> leaving = true;
        case RawConnection.WINDOW_UPDATE -> credit += stream == 0 ? payload.getInt() : 0;
        default -> {
          // Nothing else is for clients like this one.
        }
      }
    }

    private void headers(int flags, int stream, ByteBuffer block) throws IOException {
      if ((flags & RawConnection.END_HEADERS) == 0) {
        throw new IOException("fields of more than a frame");
      }
      var decoded = new Fields(8);
      try {
        hpack.decode(Unpooled.wrappedBuffer(block), decoded);
      } catch (HpackException e) {
        throw new IOException(e);
      }
      if ((flags & RawConnection.END_STREAM) != 0) {
        ended(stream, decoded.value("grpc-status"));
      }
    }

    private void settings(int flags, ByteBuffer payload) {
      if ((flags & RawConnection.ACK) != 0) {
        return;
      }
      while (payload.hasRemaining()) {
        int name = payload.getShort();
        long value = payload.getInt() & 0xffff_ffffL;
        if (name == STREAMS_MAX) {
          streamsMax = value;
        }
      }
      header(0, RawConnection.SETTINGS, RawConnection.ACK, 0);
    }

    private void ended(int stream, @Nullable String status) {
      var call = calls.remove(stream);
      if (call != null) {
        end(call, status);
      }
    }

    /// No call is answered any more.
    private void lost() throws IOException {
      leaving = true;
      channel.close();
      for (var call : List.copyOf(calls.values())) {
        ended(call.stream, null);
      }
    }
  }

  @Override
  public void close() throws IOException {
    for (var connection : connections) {
      connection.channel.close();
    }
    selector.close();
  }
}
