package dev.weftline.internal.http2;

/// What one connection may cost us. Every number has its reason; change it here.
///
/// @param streamsMax streams a peer may have open at once, sent as SETTINGS_MAX_CONCURRENT_STREAMS.
///   Finite, because an endless number lets one peer take all memory; high, because clients queue
///   silently above it
/// @param fieldBytesMax one field section, decoded, as RFC 9113 §6.5.2 counts it; 16 KiB is what
///   proxies allow
/// @param windowBytes what a peer may send before we give credit: the start value of RFC 9113
///   §6.9.2
/// @param windowBytesMax how far a window may grow with the measured bandwidth-delay product;
///   bounds unread bytes per connection
/// @param handshakeMillis from the accepted socket to the peer's first SETTINGS, TLS included; a
///   silent peer costs no more
/// @param tableBytesMax our HPACK decoding table, sent as SETTINGS_HEADER_TABLE_SIZE (RFC 7541
///   §4.2)
public record Http2Limits(
    int streamsMax,
    int fieldBytesMax,
    int windowBytes,
    int windowBytesMax,
    int handshakeMillis,
    int tableBytesMax) {
  public static final Http2Limits DEFAULT =
      new Http2Limits(1_000, 16 << 10, 65_535, 4 << 20, 10_000, 4_096);

  public Http2Limits {
    if (streamsMax < 1) throw new IllegalArgumentException("streamsMax: " + streamsMax);
    if (fieldBytesMax < 256) throw new IllegalArgumentException("fieldBytesMax: " + fieldBytesMax);
    if (windowBytes < 1_024) throw new IllegalArgumentException("windowBytes: " + windowBytes);
    if (windowBytesMax < windowBytes) {
      throw new IllegalArgumentException("windowBytesMax: " + windowBytesMax);
    }
    if (handshakeMillis < 1) {
      throw new IllegalArgumentException("handshakeMillis: " + handshakeMillis);
    }
    if (tableBytesMax < 0) throw new IllegalArgumentException("tableBytesMax: " + tableBytesMax);
  }
}
