package dev.weftline.cli;

import java.util.concurrent.LinkedBlockingQueue;
import java.util.function.Consumer;
import sun.misc.Signal;

/// SIGTERM and SIGINT as something a command waits for.
///
/// A shutdown hook would be the portable way, but the JVM exits with 143 or 130 however cleanly its
/// hooks end, and orchestrators take that for a failure. A hook also cannot tell which signal came,
/// nor see a second one. `sun.misc.Signal` is in `jdk.unsupported`, which JEP 260 keeps because
/// there is no replacement.
final class StopSignals {
  private final LinkedBlockingQueue<String> received = new LinkedBlockingQueue<>();

  private StopSignals() {}

  /// From now on both signals arrive here instead of ending the JVM.
  static StopSignals caught() {
    var signals = new StopSignals();
    handle(signals.received::add);
    return signals;
  }

  /// The name of the next signal, for example `SIGTERM`.
  String await() throws InterruptedException {
    return received.take();
  }

  /// Runs this for each further signal, on a thread of the JVM.
  void onNext(Runnable action) {
    handle(_ -> action.run());
    if (!received.isEmpty()) action.run(); // one came before we listened
  }

  private static void handle(Consumer<String> arrived) {
    for (var name : new String[] {"TERM", "INT"}) {
      Signal.handle(new Signal(name), signal -> arrived.accept("SIG" + signal.getName()));
    }
  }
}
