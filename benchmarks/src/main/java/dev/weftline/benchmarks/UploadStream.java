package dev.weftline.benchmarks;

import java.io.BufferedInputStream;
import java.io.BufferedOutputStream;
import java.io.ByteArrayOutputStream;
import java.io.Closeable;
import java.io.DataInputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.ByteBuffer;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/// A client stream on a connection of its own: one message again and again, as fast as the server's
/// windows allow, and then the reply. One thread sends, another one hears the server.
final class UploadStream implements Closeable {
  private static final int STREAM = 1;
  private static final int FRAME_BYTES = 16 << 10; // the most that every peer takes
  private static final int FRAME_HEADER_BYTES = 9;
  private static final int FIRST_WINDOW_BYTES = 65_535;
  private static final int INITIAL_WINDOW_SIZE = 0x4;
  private static final int SECONDS_MAX = 60;

  private final Socket socket;
  private final DataInputStream in;
  private final OutputStream out; // guarded by itself
  private final CompletableFuture<byte[]> reply = new CompletableFuture<>();

  // Guarded by this.
  private long connectionCredit = FIRST_WINDOW_BYTES;
  private long streamCredit = FIRST_WINDOW_BYTES;
  private int initialWindow = FIRST_WINDOW_BYTES;

  private UploadStream(Socket socket, String path) throws IOException {
    this.socket = socket;
    socket.setTcpNoDelay(true);
    in = new DataInputStream(new BufferedInputStream(socket.getInputStream()));
    out =
        new BufferedOutputStream(socket.getOutputStream(), 4 * (FRAME_HEADER_BYTES + FRAME_BYTES));
    out.write(RawConnection.preface());
    RawConnection.frame(
        out, RawConnection.HEADERS, RawConnection.END_HEADERS, STREAM, RawConnection.fields(path));
    out.flush();
  }

  static UploadStream open(int port, String path) throws IOException {
    var stream = new UploadStream(new Socket(InetAddress.getLoopbackAddress(), port), path);
    Thread.ofVirtual().name("upload, hearing").start(stream::hear);
    return stream;
  }

  /// Sends one message, prefix included; waits while the server's windows are empty.
  ///
  /// @throws IOException also when the call has ended, or the server gives no credit for a minute
  void send(byte[] framed) throws IOException, InterruptedException {
    for (int at = 0; at < framed.length; ) {
      int bytes = take(Math.min(FRAME_BYTES, framed.length - at));
      synchronized (out) {
        RawConnection.frameHeader(out, bytes, RawConnection.DATA, 0, STREAM);
        out.write(framed, at, bytes);
      }
      at += bytes;
    }
  }

  /// Takes credit for some bytes and at most these; what was written before is with the server
  /// before anybody waits.
  private int take(int bytesMax) throws IOException, InterruptedException {
    int bytes = tryTake(bytesMax);
    if (bytes > 0) {
      return bytes;
    }
    flush();
    long until = System.nanoTime() + TimeUnit.SECONDS.toNanos(SECONDS_MAX);
    synchronized (this) {
      while ((bytes = tryTake(bytesMax)) == 0) {
        if (reply.isDone()) {
          throw new IOException("the call ended before its requests");
        }
        long left = TimeUnit.NANOSECONDS.toMillis(until - System.nanoTime());
        if (left <= 0) {
          throw new IOException("no credit for " + SECONDS_MAX + " seconds");
        }
        wait(left);
      }
      return bytes;
    }
  }

  private synchronized int tryTake(int bytesMax) {
    int bytes = Math.clamp(Math.min(connectionCredit, streamCredit), 0, bytesMax);
    connectionCredit -= bytes;
    streamCredit -= bytes;
    return bytes;
  }

  /// Ends the requests and returns the reply, prefix included; empty when there was none.
  byte[] end() throws IOException, InterruptedException {
    synchronized (out) {
      RawConnection.frame(out, RawConnection.DATA, RawConnection.END_STREAM, STREAM, new byte[0]);
    }
    flush();
    try {
      return reply.orTimeout(SECONDS_MAX, TimeUnit.SECONDS).join();
    } catch (CompletionException e) {
      if (e.getCause() instanceof TimeoutException) {
        throw new IOException("no reply for " + SECONDS_MAX + " seconds", e);
      }
      throw new IOException(e.getCause());
    }
  }

  void flush() throws IOException {
    synchronized (out) {
      out.flush();
    }
  }

  private void hear() {
    var message = new ByteArrayOutputStream();
    try {
      while (!heard(message)) {
        // The next frame.
      }
      reply.complete(message.toByteArray());
    } catch (IOException e) {
      reply.completeExceptionally(e);
    }
    synchronized (this) {
      notifyAll();
    }
  }

  /// Reads a frame; true when it was the stream's last.
  private boolean heard(ByteArrayOutputStream message) throws IOException {
    int length = in.readUnsignedByte() << 16 | in.readUnsignedShort();
    int type = in.readUnsignedByte();
    int flags = in.readUnsignedByte();
    int stream = in.readInt();
    byte[] payload = in.readNBytes(length);
    switch (type) {
      case RawConnection.DATA -> message.writeBytes(payload);
      case RawConnection.WINDOW_UPDATE -> credit(stream, intAt(payload, 0));
      case RawConnection.SETTINGS -> {
        for (int at = 0; at < length; at += 6) {
          if ((payload[at] << 8 | payload[at + 1]) == INITIAL_WINDOW_SIZE) {
            initialWindow(intAt(payload, at + 2));
          }
        }
        acknowledge(type, flags, payload);
      }
      case RawConnection.PING -> acknowledge(type, flags, payload);
      case RawConnection.RST_STREAM, RawConnection.GOAWAY ->
          throw new IOException("refused, frame type " + type);
      default -> {
        // Fields are for those who decode them; the reply is in DATA.
      }
    }
    boolean mayEnd = type == RawConnection.DATA || type == RawConnection.HEADERS;
    return mayEnd && (flags & RawConnection.END_STREAM) != 0;
  }

  private void acknowledge(int type, int flags, byte[] payload) throws IOException {
    synchronized (out) {
      RawConnection.acknowledge(out, type, flags, payload);
      out.flush();
    }
  }

  private synchronized void credit(int stream, int bytes) {
    if (stream == 0) {
      connectionCredit += bytes;
    } else {
      streamCredit += bytes;
    }
    notifyAll();
  }

  private synchronized void initialWindow(int bytes) {
    streamCredit += bytes - initialWindow;
    initialWindow = bytes;
    notifyAll();
  }

  private static int intAt(byte[] bytes, int at) {
    return ByteBuffer.wrap(bytes).getInt(at);
  }

  @Override
  public void close() throws IOException {
    socket.close();
  }
}
