package dev.weftline.cli;

import org.jspecify.annotations.Nullable;

/// A command cannot be tried in this environment: its message is all there is to say. Stackless,
/// because the reason lies outside this program.
final class CannotStart extends Exception {
  CannotStart(@Nullable String message) {
    super(message, null, false, false);
  }
}
