package dev.weftline.cli;

import io.grpc.Status;
import java.net.ConnectException;
import java.net.UnknownHostException;
import java.util.logging.Level;
import java.util.logging.Logger;
import org.jspecify.annotations.Nullable;

/// A call that a command made in vain, as one sentence with a hint.
record FailedCall(String target, Status status) {
  /// The channel logs why it could not connect, with a stack trace; our one line says it too.
  private static final Logger CHANNEL_LOG = Logger.getLogger("io.grpc.internal.ManagedChannelImpl");

  /// From now on nothing but our sentence says why a channel could not connect.
  static void quiet() {
    CHANNEL_LOG.setLevel(Level.OFF);
  }

  String sentence() {
    var text = new StringBuilder(target).append(": ").append(status.getCode());
    if (status.getDescription() != null) text.append(": ").append(status.getDescription());
    if (status.getCause() != null) text.append(": ").append(status.getCause().getMessage());
    return text.toString().lines().findFirst().orElseThrow() + hint();
  }

  private String hint() {
    return switch (status.getCode()) {
      case UNIMPLEMENTED -> " (is it a weft demo?)";
      case UNAVAILABLE -> {
        if (hasCause(ConnectException.class)) yield " (nobody listens there: start a weft demo)";
        if (hasCause(UnknownHostException.class)) yield " (is the name of the host right?)";
        yield "";
      }
      default -> "";
    };
  }

  private boolean hasCause(Class<? extends Throwable> type) {
    for (@Nullable Throwable cause = status.getCause(); cause != null; cause = cause.getCause()) {
      if (type.isInstance(cause)) return true;
    }
    return false;
  }
}
