package dev.weftline.internal.call;

/// Why requests are refused for what they say: the labels they are counted under.
final class Refusal {
  static final String NOT_FOUND = "NOT_FOUND";
  static final String NOT_HTTP2 = "NOT_HTTP2";
  static final String NOT_POST = "NOT_POST";
  static final String NOT_GRPC = "NOT_GRPC";
  static final String UNKNOWN_ENCODING = "UNKNOWN_ENCODING";
  static final String MALFORMED_TIMEOUT = "MALFORMED_TIMEOUT";
  static final String UNKNOWN_METHOD = "UNKNOWN_METHOD";
  static final String MALFORMED_MESSAGE = "MALFORMED_MESSAGE";
  static final String MESSAGE_TOO_LARGE = "MESSAGE_TOO_LARGE";
  static final String WRONG_CARDINALITY = "WRONG_CARDINALITY";

  private Refusal() {}
}
