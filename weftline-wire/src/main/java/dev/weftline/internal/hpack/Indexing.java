package dev.weftline.internal.hpack;

import dev.weftline.internal.http.Field;

/// How a field that stands in no table is sent (RFC 7541 §6.2).
///
/// Hot: asked for each field of a section that is not constant.
enum Indexing {
  /// It will come again: into the table.
  INCREMENTAL,
  /// Its value is unlikely to come again, and would push out one that does.
  WITHOUT,
  /// RFC 7541 §7.1.3: a secret somebody may try to guess, so nobody on the way may index it.
  NEVER;

  /// A sixteenth of the usual table; longer values hardly repeat.
  private static final int VALUE_BYTES_MAX = 256;

  static Indexing of(Field field) {
    var name = field.name();
    return switch (name) {
      case "authorization",
          "proxy-authorization",
          "authentication-info",
          "proxy-authentication-info",
          "cookie",
          "set-cookie",
          "api-key",
          "x-api-key",
          "x-goog-api-key",
          "x-amz-security-token",
          "x-auth-token",
          "x-csrf-token" ->
          NEVER;
      case ":path",
          "age",
          "b3",
          "baggage",
          "content-length",
          "content-range",
          "date",
          "etag",
          "expires",
          "grpc-message",
          "grpc-timeout",
          "if-match",
          "if-modified-since",
          "if-none-match",
          "if-range",
          "last-modified",
          "location",
          "range",
          "retry-after",
          "traceparent",
          "tracestate",
          "x-request-id" ->
          WITHOUT;
      default ->
          field.value().length() > VALUE_BYTES_MAX || name.endsWith("-bin") ? WITHOUT : INCREMENTAL;
    };
  }
}
