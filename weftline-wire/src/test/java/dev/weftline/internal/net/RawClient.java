package dev.weftline.internal.net;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.DataInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.SocketException;
import java.nio.charset.StandardCharsets;

/// A client that says exactly the bytes it is told to.
final class RawClient implements AutoCloseable {
  static final String PREFACE = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

  /// An empty SETTINGS frame.
  static final String SETTINGS = "\0\0\0\4\0\0\0\0\0";

  static final int SETTINGS_TYPE = 4;
  static final int GOAWAY_TYPE = 7;

  private static final int PATIENCE_MILLIS = 10_000;

  private final Socket socket;
  private final DataInputStream in;
  private final OutputStream out;

  RawClient(Socket socket) throws IOException {
    this.socket = socket;
    socket.setSoTimeout(PATIENCE_MILLIS);
    in = new DataInputStream(socket.getInputStream());
    out = socket.getOutputStream();
  }

  static RawClient to(int port) throws IOException {
    return to("127.0.0.1", port);
  }

  static RawClient to(String host, int port) throws IOException {
    var socket = new Socket();
    socket.setTcpNoDelay(true);
    socket.connect(new InetSocketAddress(InetAddress.ofLiteral(host), port), PATIENCE_MILLIS);
    return new RawClient(socket);
  }

  Socket socket() {
    return socket;
  }

  RawClient says(String octets) throws IOException {
    out.write(octets.getBytes(StandardCharsets.ISO_8859_1));
    out.flush();
    return this;
  }

  /// Reads to the empty line that ends the header section of an HTTP/1 response.
  String hearsHttp1Head() throws IOException {
    var head = new StringBuilder();
    while (head.indexOf("\r\n\r\n") < 0) head.append((char) in.readUnsignedByte());
    return head.toString();
  }

  /// Reads frames up to one of this type, and returns its payload.
  byte[] hearsFrame(int type) throws IOException {
    while (true) {
      int lengthAndType = in.readInt();
      in.skipNBytes(5); // flags, stream
      var payload = in.readNBytes(lengthAndType >>> 8);
      if ((lengthAndType & 0xff) == type) return payload;
    }
  }

  void hearsSettingsFirst() throws IOException {
    int lengthAndType = in.readInt();
    assertThat(lengthAndType & 0xff).isEqualTo(SETTINGS_TYPE);
    in.skipNBytes(5 + (lengthAndType >>> 8));
  }

  /// The next `octets` octets.
  String hears(int octets) throws IOException {
    return new String(in.readNBytes(octets), StandardCharsets.ISO_8859_1);
  }

  /// Everything up to the end of the connection.
  String hearsTheRest() throws IOException {
    return new String(in.readAllBytes(), StandardCharsets.ISO_8859_1);
  }

  /// Reads to the end, be it a close or a reset.
  void seesTheConnectionEnd() throws IOException {
    InputStream rest = in;
    try {
      rest.readAllBytes();
    } catch (SocketException e) {
      assertThat(e).hasMessageContaining("reset");
    }
  }

  @Override
  public void close() throws IOException {
    socket.close();
  }
}
