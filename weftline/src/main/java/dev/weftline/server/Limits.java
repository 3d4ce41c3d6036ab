package dev.weftline.server;

import dev.weftline.internal.http2.Http2Limits;
import java.time.Duration;

/// What one client may cost a server. Every number has a default with its reason; a server takes
/// others by [Server.Builder#limits].
///
/// @param maxInboundMessageBytes one received message, before and after decompression. 4 MiB, as in
///   every gRPC implementation, so that a service moves here without surprises; may be 100 MiB and
///   more
/// @param sendBufferBytes what one call may have handed over and the client not yet taken, before
///   `onNext` waits. 256 KiB keeps 25 Mbit/s busy over 80 ms, and bounds a thousand stalled calls
///   to 256 MiB
/// @param streamsMax calls one connection may have open at once. Finite, because an endless number
///   lets one client take all memory; high, because clients queue silently above it
/// @param fieldBytesMax the metadata of one request; 16 KiB is what proxies allow
/// @param windowBytes what a client may send on one call before it is given credit, at first
/// @param windowBytesMax how far that may grow with the measured bandwidth and delay; bounds what
///   is unread on one connection
/// @param handshake from the accepted socket to the client's first SETTINGS, TLS included
public record Limits(
    int maxInboundMessageBytes,
    int sendBufferBytes,
    int streamsMax,
    int fieldBytesMax,
    int windowBytes,
    int windowBytesMax,
    Duration handshake) {
  public static final Limits DEFAULT =
      new Limits(
          4 << 20,
          256 << 10,
          Http2Limits.DEFAULT.streamsMax(),
          Http2Limits.DEFAULT.fieldBytesMax(),
          Http2Limits.DEFAULT.windowBytes(),
          Http2Limits.DEFAULT.windowBytesMax(),
          Duration.ofMillis(Http2Limits.DEFAULT.handshakeMillis()));

  public Limits {
    if (maxInboundMessageBytes < 0) {
      throw new IllegalArgumentException("maxInboundMessageBytes: " + maxInboundMessageBytes);
    }
    if (sendBufferBytes < 1) {
      throw new IllegalArgumentException("sendBufferBytes: " + sendBufferBytes);
    }
    long millis = handshake.toMillis();
    if (millis < 1 || millis > Integer.MAX_VALUE) {
      throw new IllegalArgumentException("handshake: " + handshake);
    }
    http2(streamsMax, fieldBytesMax, windowBytes, windowBytesMax, (int) millis);
  }

  public Limits withMaxInboundMessageBytes(int bytes) {
    return new Limits(
        bytes, sendBufferBytes, streamsMax, fieldBytesMax, windowBytes, windowBytesMax, handshake);
  }

  public Limits withSendBufferBytes(int bytes) {
    return new Limits(
        maxInboundMessageBytes,
        bytes,
        streamsMax,
        fieldBytesMax,
        windowBytes,
        windowBytesMax,
        handshake);
  }

  public Limits withStreamsMax(int streams) {
    return new Limits(
        maxInboundMessageBytes,
        sendBufferBytes,
        streams,
        fieldBytesMax,
        windowBytes,
        windowBytesMax,
        handshake);
  }

  public Limits withFieldBytesMax(int bytes) {
    return new Limits(
        maxInboundMessageBytes,
        sendBufferBytes,
        streamsMax,
        bytes,
        windowBytes,
        windowBytesMax,
        handshake);
  }

  public Limits withWindowBytes(int first, int max) {
    return new Limits(
        maxInboundMessageBytes, sendBufferBytes, streamsMax, fieldBytesMax, first, max, handshake);
  }

  public Limits withHandshake(Duration timeout) {
    return new Limits(
        maxInboundMessageBytes,
        sendBufferBytes,
        streamsMax,
        fieldBytesMax,
        windowBytes,
        windowBytesMax,
        timeout);
  }

  Http2Limits http2() {
    return http2(
        streamsMax, fieldBytesMax, windowBytes, windowBytesMax, (int) handshake.toMillis());
  }

  private static Http2Limits http2(
      int streamsMax, int fieldBytesMax, int windowBytes, int windowBytesMax, int handshakeMillis) {
    return new Http2Limits(
        streamsMax,
        fieldBytesMax,
        windowBytes,
        windowBytesMax,
        handshakeMillis,
        Http2Limits.DEFAULT.tableBytesMax());
  }
}
