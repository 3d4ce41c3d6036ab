package dev.weftline.internal.hpack;

/// The peer's field block breaks RFC 7541. The two tables no longer agree then, so this always ends
/// the connection, as COMPRESSION_ERROR (RFC 9113 §4.3). Stackless, because a peer can cause it at
/// will; the message names the rule.
public final class HpackException extends Exception {
  HpackException(String message) {
    super(message, null, false, false);
  }
}
