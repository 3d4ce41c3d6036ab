package dev.weftline.internal.thread;

import java.io.IOException;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.MethodType;
import java.net.DatagramPacket;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.SocketTimeoutException;
import java.time.Duration;
import java.util.concurrent.Executor;
import org.jspecify.annotations.Nullable;

/// The JDK's virtual threads, with a say in what carries them.
///
/// JDK 25 can give a virtual thread a scheduler of its own, but not through public API: the
/// constructor `VirtualThread(Executor, String, int, Runnable)` is open only to those for whom the
/// JVM was started with `--add-opens java.base/java.lang=ALL-UNNAMED`. Where it is closed, or a
/// later JDK has another constructor, every virtual thread runs on the JDK's scheduler.
public final class VirtualThreads {
  /// What the JVM must be told, in the words of its command line.
  private static final String FLAG = "--add-opens java.base/java.lang=ALL-UNNAMED";

  /// A datagram socket that hears nothing for so long has asked a poller.
  private static final int POLL_MILLIS = 1;

  private static final Duration WARM_UP_MAX = Duration.ofSeconds(2);

  private static final Logger log = System.getLogger(VirtualThreads.class.getName());

  /// A door into the JDK that is open or not; looked for once.
  private sealed interface Door {
    /// @param newThread `(Executor, Runnable)Thread`, an unstarted virtual thread
    /// @param jdkScheduler what carries virtual threads unless told otherwise
    record Open(MethodHandle newThread, Executor jdkScheduler) implements Door {}

    record Closed(String why) implements Door {}
  }

  private static final Door DOOR = look();
  // Constants to the JIT, which inlines a static final handle and nothing less.
  private static final @Nullable MethodHandle NEW_THREAD =
      DOOR instanceof Door.Open open ? open.newThread() : null;
  private static final @Nullable Executor JDK_SCHEDULER =
      DOOR instanceof Door.Open open ? open.jdkScheduler() : null;

  private static boolean prepared; // guarded by the class

  private VirtualThreads() {}

  private static Door look() {
    try {
      var lookup = MethodHandles.privateLookupIn(Thread.class, MethodHandles.lookup());
      var type = lookup.findClass("java.lang.VirtualThread");
      var constructor =
          lookup.findConstructor(
              type,
              MethodType.methodType(
                  void.class, Executor.class, String.class, int.class, Runnable.class));
      // No name, no characteristics: as Thread.startVirtualThread has it.
      var newThread =
          MethodHandles.insertArguments(constructor, 1, null, 0)
              .asType(MethodType.methodType(Thread.class, Executor.class, Runnable.class));
      var scheduler =
          lookup
              .findStatic(type, "defaultScheduler", MethodType.methodType(Executor.class))
              .invoke();
      return new Door.Open(newThread, (Executor) scheduler);
    } catch (Throwable e) { // a MethodHandle's signature; each means the same to us
      return new Door.Closed(String.valueOf(e.getMessage()));
    }
  }

  /// Whether threads can be given a scheduler.
  public static boolean areSchedulable() {
    return NEW_THREAD != null;
  }

  /// A virtual thread that has not been started and that `scheduler` carries: it is given a
  /// continuation whenever the thread can run, from any thread, also from one that must not block.
  ///
  /// @throws IllegalStateException when threads are not [schedulable][#areSchedulable()]
  static Thread unstarted(Executor scheduler, Runnable task) {
    var constructor = NEW_THREAD;
    if (constructor == null) throw closed();
    try {
      return (Thread) constructor.invokeExact(scheduler, task);
    } catch (RuntimeException | Error e) {
      throw e;
    } catch (Throwable e) {
      throw new IllegalStateException("a constructor without checked exceptions threw one", e);
    }
  }

  /// Runs a continuation where the JDK runs virtual threads.
  ///
  /// @throws IllegalStateException when threads are not [schedulable][#areSchedulable()]
  static void onJdkScheduler(Runnable continuation) {
    var scheduler = JDK_SCHEDULER;
    if (scheduler == null) throw closed();
    scheduler.execute(continuation);
  }

  private static IllegalStateException closed() {
    return new IllegalStateException("virtual threads take no scheduler: " + DOOR);
  }

  /// To be called before the first server listens; what is done, is done once per JVM. Says at INFO
  /// what is missing when threads cannot be given a scheduler.
  ///
  /// The JVM's socket pollers are virtual threads themselves, made by the first virtual thread that
  /// waits for a socket and carried by what carries that one. So we wait for a socket here, on the
  /// JDK's scheduler.
  public static synchronized void prepare() {
    if (prepared) return;
    prepared = true;
    switch (DOOR) {
      case Door.Open(_, var jdkScheduler) -> warmPollers(jdkScheduler);
      case Door.Closed(var why) ->
          log.log(
              Level.INFO,
              "call threads run on the JDK''s scheduler; start the JVM with {0} and the event"
                  + " loops carry them, which is cheaper ({1})",
              FLAG,
              why);
    }
  }

  private static void warmPollers(Executor jdkScheduler) {
    // Named, because a virtual thread that calls us would hand its own scheduler down.
    var reader = unstarted(jdkScheduler, VirtualThreads::readNothing);
    reader.start();
    try {
      if (!reader.join(WARM_UP_MAX)) log.log(Level.DEBUG, "the socket pollers are slow to start");
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private static void readNothing() {
    var anyPort = new InetSocketAddress(InetAddress.getLoopbackAddress(), 0);
    try (var socket = new DatagramSocket(anyPort)) {
      socket.setSoTimeout(POLL_MILLIS);
      socket.receive(new DatagramPacket(new byte[1], 1));
    } catch (SocketTimeoutException e) {
      log.log(Level.TRACE, "the socket pollers have started");
    } catch (IOException e) {
      log.log(Level.DEBUG, "no socket to start the pollers with", e);
    }
  }
}
