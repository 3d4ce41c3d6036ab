package dev.weftline.server;

import java.nio.file.Path;

/// How a server writes one line about each call that is over: when, method, status, sizes, times,
/// client. Lines are written by a thread of their own; where that falls behind by more than
/// [#LINES_WAITING_MAX], lines are dropped and counted (`weftline.server.access_log.dropped`), and
/// no call waits.
///
/// ```java
/// Server.builder().accessLog(AccessLog.json().to(Path.of("access.log")).sampled(0.01))
/// ```
///
/// @param format of a line
/// @param sampled the share of calls with status OK that get a line, 0 to 1; all others always do
/// @param target where lines go
public record AccessLog(Format format, double sampled, Target target) {
  /// A line is some hundred octets and refers to a few strings of its request, each cut at 256
  /// octets, so that this is some MiB.
  public static final int LINES_WAITING_MAX = 8_192;

  /// How a line is spelled.
  public enum Format {
    /// One object (RFC 8259).
    JSON,
    /// `name=value` pairs, values quoted as in JSON where they are not plain words.
    TEXT
  }

  /// Where lines go.
  public sealed interface Target {
    /// The system logger `dev.weftline.access`, at INFO.
    record SystemLogger() implements Target {}

    /// The standard output.
    record StandardOutput() implements Target {}

    /// Appended to a file, which is made when it is not there.
    record ToFile(Path path) implements Target {}
  }

  /// @throws IllegalArgumentException for a share that is none
  public AccessLog {
    if (!(sampled >= 0 && sampled <= 1)) {
      throw new IllegalArgumentException("a share of calls is from 0 to 1, not " + sampled);
    }
  }

  /// A JSON object for each call, to the system logger.
  public static AccessLog json() {
    return new AccessLog(Format.JSON, 1, new Target.SystemLogger());
  }

  /// Words for each call, to the system logger.
  public static AccessLog text() {
    return new AccessLog(Format.TEXT, 1, new Target.SystemLogger());
  }

  /// The same with a line for only this share of the calls that ended with OK.
  public AccessLog sampled(double share) {
    return new AccessLog(format, share, target);
  }

  /// The same, appended to a file.
  public AccessLog to(Path file) {
    return new AccessLog(format, sampled, new Target.ToFile(file));
  }

  /// The same, on the standard output.
  public AccessLog toStandardOutput() {
    return new AccessLog(format, sampled, new Target.StandardOutput());
  }
}
