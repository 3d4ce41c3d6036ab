package dev.weftline.interop;

import io.grpc.Grpc;
import io.grpc.Server;
import io.grpc.ServerCredentials;
import java.io.IOException;
import java.net.InetAddress;
import java.net.UnknownHostException;

/// The server of the interop suite, assembled as any grpc-java application does it: Weftline is
/// found on the class path.
final class InteropServer {
  /// very_large_request sends 10 MiB; grpc-java's own tests allow 16.
  private static final int MESSAGE_BYTES_MAX = 16 << 20;

  private InteropServer() {}

  /// Listens on `port`, any free one for 0. The caller shuts it down.
  ///
  /// @throws IllegalArgumentException when the credentials are no good
  /// @throws IOException when the port cannot be had
  static Server start(int port, ServerCredentials credentials) throws IOException {
    var load = new ServerLoad();
    return Grpc.newServerBuilderForPort(port, credentials)
        .maxInboundMessageSize(MESSAGE_BYTES_MAX)
        .decompressorRegistry(CompressionMark.decompressors())
        .addService(new TestService(hostname(), load).definition())
        .addService(load)
        .build()
        .start();
  }

  private static String hostname() {
    try {
      return InetAddress.getLocalHost().getHostName();
    } catch (UnknownHostException e) {
      return "localhost"; // a machine whose own name resolves to nothing
    }
  }
}
