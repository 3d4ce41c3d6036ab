package dev.weftline.benchmarks;

import java.io.BufferedInputStream;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;

/// A client connection of prebaked bytes: it costs this side next to nothing, so thousands can stay
/// open, and it needs no warming up, so it can time a server's first call.
final class RawConnection implements AutoCloseable {
  private static final int DATA = 0x0;
  private static final int HEADERS = 0x1;
  private static final int RST_STREAM = 0x3;
  private static final int SETTINGS = 0x4;
  private static final int PING = 0x6;
  private static final int GOAWAY = 0x7;
  private static final int END_STREAM = 0x1;
  private static final int ACK = 0x1;
  private static final int END_HEADERS = 0x4;
  private static final int MILLIS_MAX = 20_000;

  private final Socket socket;
  private final DataInputStream in;
  private final DataOutputStream out;

  private RawConnection(Socket socket) throws IOException {
    this.socket = socket;
    socket.setTcpNoDelay(true);
    socket.setSoTimeout(MILLIS_MAX);
    in = new DataInputStream(new BufferedInputStream(socket.getInputStream(), 1024));
    out = new DataOutputStream(socket.getOutputStream());
  }

  static RawConnection open(int port) throws IOException {
    return new RawConnection(new Socket(InetAddress.getLoopbackAddress(), port));
  }

  /// Makes the connection's only call and returns the DATA bytes of the reply.
  int call(String path, byte[] body) throws IOException {
    out.write(request(path, body));
    int dataBytes = 0;
    while (true) {
      int length = in.readUnsignedByte() << 16 | in.readUnsignedShort();
      int type = in.readUnsignedByte();
      int flags = in.readUnsignedByte();
      in.readInt();
      byte[] payload = in.readNBytes(length);
      switch (type) {
        case DATA -> dataBytes += length;
        case SETTINGS, PING -> acknowledge(type, flags, payload);
        case RST_STREAM, GOAWAY -> throw new IOException("refused, frame type " + type);
        default -> {
          // WINDOW_UPDATE and the like change nothing for one small call.
        }
      }
      if ((type == DATA || type == HEADERS) && (flags & END_STREAM) != 0) {
        return dataBytes;
      }
    }
  }

  private void acknowledge(int type, int flags, byte[] payload) throws IOException {
    if ((flags & ACK) == 0) {
      var bytes = new ByteArrayOutputStream();
      frame(bytes, type, ACK, 0, type == PING ? payload : new byte[0]);
      out.write(bytes.toByteArray());
    }
  }

  private static byte[] request(String path, byte[] body) throws IOException {
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
    var bytes = new ByteArrayOutputStream();
    bytes.writeBytes("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".getBytes(StandardCharsets.US_ASCII));
    frame(bytes, SETTINGS, 0, 0, new byte[0]);
    frame(bytes, HEADERS, END_HEADERS, 1, fields.toByteArray());
    frame(bytes, DATA, END_STREAM, 1, body);
    return bytes.toByteArray();
  }

  private static void field(ByteArrayOutputStream to, byte[] name, String value) {
    to.writeBytes(name);
    to.write(value.length());
    to.writeBytes(value.getBytes(StandardCharsets.US_ASCII));
  }

  private static void frame(
      ByteArrayOutputStream to, int type, int flags, int stream, byte[] payload)
      throws IOException {
    var header = new DataOutputStream(to);
    header.writeByte(payload.length >> 16);
    header.writeShort(payload.length);
    header.writeByte(type);
    header.writeByte(flags);
    header.writeInt(stream);
    header.write(payload);
  }

  @Override
  public void close() throws IOException {
    socket.close();
  }
}
