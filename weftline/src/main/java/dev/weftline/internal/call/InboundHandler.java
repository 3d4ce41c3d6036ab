package dev.weftline.internal.call;

/// What a [Route] leads to.
@FunctionalInterface
public interface InboundHandler {
  /// Serves one call, on its own call thread, from its first to its last moment. Must not throw.
  void handle(InboundCall call);

  /// Whether it takes messages when it wants them, and never asks for them with `request`.
  default boolean pulls() {
    return false;
  }
}
