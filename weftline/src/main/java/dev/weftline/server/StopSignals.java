package dev.weftline.server;

import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import sun.misc.Signal;
import sun.misc.SignalHandler;

/// SIGTERM and SIGINT of this process, for all its servers that want them: the first one drains
/// them all and ends the process, with 0 when every call finished and 3 when some were cut; a
/// second one closes them at once. Taken with the first server's start, given back with the last
/// one's end.
///
/// A shutdown hook would be the portable way, but the JVM exits with 143 or 130 however cleanly its
/// hooks end, and orchestrators take that for a failure. A hook also cannot tell which signal came,
/// nor see a second one. `sun.misc.Signal` is in `jdk.unsupported`, which JEP 260 keeps because
/// there is no replacement. Where it is missing or the JVM keeps signals for itself a hook has to
/// do.
final class StopSignals {
  private static final Logger log = System.getLogger(Server.class.getName());

  /// Calls were cut. Not 1, which is a Java program's own failure, nor 2, a wrong command line.
  private static final int CALLS_CUT = 3;

  /// What threads that waited for the end of a server have for their own last work. With the lame
  /// duck and the grace time it fits into the 30 s that Kubernetes gives.
  private static final Duration EPILOGUE = Duration.ofSeconds(2);

  private static final StopSignals OF_PROCESS = new StopSignals();

  // Guarded by this.
  private final Set<Server> servers = new LinkedHashSet<>();
  private final Set<Thread> waiting = new LinkedHashSet<>();
  private final SignalHandler handler = this::received;
  private final Map<Signal, SignalHandler> before = new LinkedHashMap<>();
  private @Nullable Thread hook; // where signals cannot be had
  private boolean stopping;
  private long callsCut;

  private StopSignals() {}

  static StopSignals ofProcess() {
    return OF_PROCESS;
  }

  /// `server` listens and is to be drained by a signal; at once if that came before.
  void add(Server server) {
    synchronized (this) {
      if (servers.isEmpty() && !stopping) take();
      servers.add(server);
      if (!stopping) return;
    }
    server.drain();
  }

  /// `server` is closed. Nothing happens when it was never added.
  synchronized void remove(Server server) {
    if (!servers.remove(server)) return;
    callsCut += server.callsCut();
    if (servers.isEmpty() && !stopping) giveBack();
    notifyAll();
  }

  /// The current thread waits for the end of a server, and has something to do after it.
  synchronized void awaits() {
    waiting.removeIf(thread -> !thread.isAlive());
    waiting.add(Thread.currentThread());
  }

  private void take() {
    try {
      for (var name : new String[] {"TERM", "INT"}) {
        var signal = new Signal(name);
        before.put(signal, Signal.handle(signal, handler));
      }
    } catch (IllegalArgumentException | LinkageError e) {
      giveBack();
      log.log(
          Level.INFO,
          "this JVM keeps signals for itself ({0}): servers drain when it shuts down",
          e.getMessage());
      hook = Thread.ofPlatform().name("weftline-stop").unstarted(this::drainAll);
      Runtime.getRuntime().addShutdownHook(hook);
    }
  }

  private void giveBack() {
    callsCut = 0;
    before.forEach((signal, handler) -> {
      var current = Signal.handle(signal, handler);
      if (!current.equals(this.handler)) Signal.handle(signal, current); // somebody came after us
    });
    before.clear();
    var added = hook;
    hook = null;
    if (added == null) return;
    try {
      Runtime.getRuntime().removeShutdownHook(added);
    } catch (IllegalStateException e) {
      log.log(Level.DEBUG, "the hook runs already: {0}", e.getMessage());
    }
  }

  /// On a thread of the JVM for each signal.
  private void received(Signal signal) {
    boolean second;
    Set<Server> told;
    synchronized (this) {
      second = stopping;
      stopping = true;
      told = new LinkedHashSet<>(servers);
    }
    if (second) {
      log.log(Level.INFO, "SIG{0} again: closing at once", signal.getName());
      told.forEach(Server::shutdownNow);
      return;
    }
    log.log(Level.INFO, "SIG{0}: draining, a second signal closes at once", signal.getName());
    // Not a daemon: the process does not end by itself before its exit code is known.
    Thread.ofPlatform().name("weftline-stop").daemon(false).start(this::exit);
  }

  private void exit() {
    drainAll();
    long cut;
    Set<Thread> last;
    synchronized (this) {
      cut = callsCut;
      last = new LinkedHashSet<>(waiting);
    }
    try {
      long end = System.nanoTime() + EPILOGUE.toNanos();
      for (var thread : last) thread.join(Duration.ofNanos(end - System.nanoTime()));
    } catch (InterruptedException e) {
      log.log(Level.DEBUG, "exiting without waiting for others", e);
    }
    System.exit(cut == 0 ? 0 : CALLS_CUT);
  }

  /// Drains all servers and waits for their end.
  private void drainAll() {
    Set<Server> told;
    synchronized (this) {
      stopping = true;
      told = new LinkedHashSet<>(servers);
    }
    told.forEach(Server::drain);
    try {
      synchronized (this) {
        while (!servers.isEmpty()) wait();
      }
    } catch (InterruptedException e) {
      told.forEach(Server::shutdownNow);
    }
  }
}
