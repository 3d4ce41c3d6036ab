package dev.weftline.internal.net;

import java.io.IOException;
import java.net.BindException;
import java.net.ConnectException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;

/// The file that a Unix domain socket has in the file system. Netty removes it when it closes the
/// socket; after a crash it stays, and the kernel refuses to bind where one lies.
final class SocketFile {
  /// The type bits of a file's mode, and their value for a socket: stat(2).
  private static final int TYPE_MASK = 0170000;

  private static final int TYPE_SOCKET = 0140000;

  private SocketFile() {}

  /// Removes the file at `path` when it is a socket nobody listens on any more.
  ///
  /// @throws BindException when somebody does, or when it is no socket
  static void removeStale(Path path) throws IOException {
    if (!Files.exists(path, LinkOption.NOFOLLOW_LINKS)) return;
    if (!isSocket(path)) {
      throw new BindException(
          path + " exists and is not a socket: remove the file or choose another path");
    }
    if (isServed(path)) {
      throw new BindException(
          path
              + " is already in use (BindException): stop the other process or choose another path");
    }
    Files.deleteIfExists(path);
  }

  private static boolean isSocket(Path path) throws IOException {
    int mode = (Integer) Files.getAttribute(path, "unix:mode", LinkOption.NOFOLLOW_LINKS);
    return (mode & TYPE_MASK) == TYPE_SOCKET;
  }

  private static boolean isServed(Path path) throws IOException {
    try (var probe = SocketChannel.open(StandardProtocolFamily.UNIX)) {
      probe.configureBlocking(false); // a full backlog means that somebody listens: do not wait
      probe.connect(UnixDomainSocketAddress.of(path));
      return true;
    } catch (ConnectException _) {
      return false; // connection refused: bound once, and nobody listens
    }
  }
}
