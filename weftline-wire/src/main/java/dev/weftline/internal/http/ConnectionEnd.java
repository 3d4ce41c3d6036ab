package dev.weftline.internal.http;

/// Why this side ended a connection whose frames were all in order: the reasons of gRPC's A8 and
/// A9.
public enum ConnectionEnd {
  /// It had its age.
  MAX_AGE,
  /// No stream was open for long enough.
  MAX_IDLE,
  /// Nothing was read since our PING.
  KEEPALIVE_TIMEOUT,
  /// The peer's own PINGs came too often.
  TOO_MANY_PINGS;

  private final String debugData;

  ConnectionEnd() {
    this.debugData = name().toLowerCase(java.util.Locale.ROOT);
  }

  /// What GOAWAY says of it (RFC 9113 §6.8), in the spelling that gRPC's clients look for.
  public String debugData() {
    return debugData;
  }
}
