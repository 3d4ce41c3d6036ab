package dev.weftline.cli;

import sun.misc.Signal;

/// SIGTERM and SIGINT for a command that does not serve: a server takes them by itself.
///
/// `sun.misc.Signal` is in `jdk.unsupported`, which JEP 260 keeps because there is no replacement.
final class StopSignals {
  private StopSignals() {}

  /// From now on both signals run this, on a thread of the JVM, instead of ending the JVM.
  static void handle(Runnable action) {
    for (var name : new String[] {"TERM", "INT"}) {
      Signal.handle(new Signal(name), _ -> action.run());
    }
  }
}
