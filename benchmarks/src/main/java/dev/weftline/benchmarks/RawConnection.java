package dev.weftline.benchmarks;

import java.io.BufferedInputStream;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;

/// A client connection of prebaked bytes: it costs this side next to nothing, so thousands can stay
/// open and hundreds of thousands of calls wait on them, and it needs no warming up, so it can time
/// a server's first call. One thread at a time.
final class RawConnection implements AutoCloseable {
  static final int DATA = 0x0;
  static final int HEADERS = 0x1;
  static final int RST_STREAM = 0x3;
  static final int SETTINGS = 0x4;
  static final int PING = 0x6;
  static final int GOAWAY = 0x7;
  static final int WINDOW_UPDATE = 0x8;
  static final int END_STREAM = 0x1;
  static final int ACK = 0x1;
  static final int END_HEADERS = 0x4;

  /// What the server may send before it is told that more is welcome; it is never told.
  private static final int WINDOW_BYTES = Integer.MAX_VALUE - 65_535;

  private static final int MILLIS_MAX = 60_000;

  private final Socket socket;
  private final DataInputStream in;
  private final OutputStream out;
  private int nextStream = 1;

  private RawConnection(Socket socket) throws IOException {
    this.socket = socket;
    socket.setTcpNoDelay(true);
    socket.setSoTimeout(MILLIS_MAX);
    in = new DataInputStream(new BufferedInputStream(socket.getInputStream(), 1024));
    out = socket.getOutputStream();
  }

  static RawConnection open(int port) throws IOException {
    return new RawConnection(new Socket(InetAddress.getLoopbackAddress(), port));
  }

  /// Over a socket that is connected already, also one of TLS.
  static RawConnection over(Socket socket) throws IOException {
    return new RawConnection(socket);
  }

  /// Makes one call and returns the DATA bytes of the reply.
  int call(String path, byte[] body) throws IOException {
    return calls(path, body, 1)[0];
  }

  /// Makes calls, all at once, and returns the DATA bytes of each reply; -1 for one that the server
  /// reset.
  int[] calls(String path, byte[] body, int count) throws IOException {
    int first = nextStream;
    nextStream += 2 * count;
    var requests = new ByteArrayOutputStream();
    if (first == 1) {
      requests.writeBytes(preface());
    }
    byte[] fields = fields(path);
    for (int i = 0; i < count; i++) {
      frame(requests, HEADERS, END_HEADERS, first + 2 * i, fields);
      frame(requests, DATA, END_STREAM, first + 2 * i, body);
    }
    out.write(requests.toByteArray());
    var replyBytes = new int[count];
    for (int open = count; open > 0; ) {
      int length = in.readUnsignedByte() << 16 | in.readUnsignedShort();
      int type = in.readUnsignedByte();
      int flags = in.readUnsignedByte();
      int call = (in.readInt() - first) / 2;
      byte[] payload = in.readNBytes(length);
      switch (type) {
        case DATA -> replyBytes[call] += length;
        case SETTINGS, PING -> acknowledge(out, type, flags, payload);
        case RST_STREAM -> {
          replyBytes[call] = -1;
          open--;
        }
        case GOAWAY -> {
          // RFC 9113 §6.8: streams up to the one it names are still answered.
          int last = ByteBuffer.wrap(payload).getInt() & Integer.MAX_VALUE;
          if (last < first + 2 * (count - 1)) {
            throw new IOException("refused by GOAWAY");
          }
        }
        default -> {
          // WINDOW_UPDATE and the like change nothing for small requests.
        }
      }
      if ((type == DATA || type == HEADERS) && (flags & END_STREAM) != 0) {
        open--;
      }
    }
    return replyBytes;
  }

  static void acknowledge(OutputStream out, int type, int flags, byte[] payload)
      throws IOException {
    if ((flags & ACK) == 0) {
      var bytes = new ByteArrayOutputStream();
      frame(bytes, type, ACK, 0, type == PING ? payload : new byte[0]);
      out.write(bytes.toByteArray());
    }
  }

  /// What a client says first.
  static byte[] preface() throws IOException {
    var bytes = new ByteArrayOutputStream();
    bytes.writeBytes("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".getBytes(StandardCharsets.US_ASCII));
    frame(bytes, SETTINGS, 0, 0, new byte[0]);
    var credit = new ByteArrayOutputStream();
    new DataOutputStream(credit).writeInt(WINDOW_BYTES);
    frame(bytes, WINDOW_UPDATE, 0, 0, credit.toByteArray());
    return bytes.toByteArray();
  }

  /// The header section of a request.
  static byte[] fields(String path) {
    var fields = new ByteArrayOutputStream();
    fields.write(0x83); // :method POST, :scheme http by their index in the static table
    fields.write(0x86);
    field(
        fields,
        new byte[] {0x04},
        path); // :path, :authority and content-type by their name's index
    field(fields, new byte[] {0x01}, "localhost");
    field(fields, new byte[] {0x0f, 0x10}, "application/grpc");
    field(fields, new byte[] {0x00, 0x02, 't', 'e'}, "trailers");
    return fields.toByteArray();
  }

  private static void field(ByteArrayOutputStream to, byte[] name, String value) {
    to.writeBytes(name);
    to.write(value.length());
    to.writeBytes(value.getBytes(StandardCharsets.US_ASCII));
  }

  static void frame(OutputStream to, int type, int flags, int stream, byte[] payload)
      throws IOException {
    frameHeader(to, payload.length, type, flags, stream);
    to.write(payload);
  }

  static void frameHeader(OutputStream to, int length, int type, int flags, int stream)
      throws IOException {
    var header = new DataOutputStream(to);
    header.writeByte(length >> 16);
    header.writeShort(length);
    header.writeByte(type);
    header.writeByte(flags);
    header.writeInt(stream);
  }

  @Override
  public void close() throws IOException {
    socket.close();
  }
}
