package dev.weftline.internal.testing;

import org.jspecify.annotations.Nullable;

/// How the bytes of a [ScriptedPeer] reach an engine and come back.
public interface Link {
  /// Each element arrives as one read; all of them in one read batch where the link can do that.
  /// Dropped when the engine has closed.
  void write(byte[]... reads);

  /// What the engine wrote since; null when nothing came (in memory at once, on a socket after some
  /// seconds) or when the engine has closed.
  byte @Nullable [] read();

  /// Whether `read` has everything there will be, without waiting.
  boolean isImmediate();

  /// Whether the engine keeps its side open, as far as `read` has seen.
  boolean isOpen();

  /// Gives the engine the time it takes between its last frame and its close.
  void lingers();

  /// Closes like a peer that vanishes.
  void close();
}
