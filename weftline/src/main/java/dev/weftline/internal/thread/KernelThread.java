package dev.weftline.internal.thread;

import java.io.IOException;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.lang.management.ManagementFactory;
import java.lang.management.ThreadMXBean;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/// A platform thread as the kernel sees it: has it computed, does it wait? Any thread may ask.
interface KernelThread {
  enum State {
    /// Computes, or waits for nothing but a core.
    RUNNABLE,
    /// Waits for something else: a lock, a disk, another process.
    WAITING,
    /// Only Linux tells.
    UNKNOWN
  }

  /// The CPU time that it has used; -1 when nobody counts that. About 0.3 µs.
  long cpuNanos();

  /// Opens a file, so it is asked about suspects only.
  State state();

  /// The one that runs this: a virtual thread's carrier has another identity.
  static KernelThread current() {
    return new OfJvm(Thread.currentThread().threadId(), OfJvm.statusFile());
  }

  /// By the JVM's identity, and by Linux's.
  ///
  /// @param status Linux's file on the thread (proc(5)); null elsewhere
  record OfJvm(long id, @Nullable Path status) implements KernelThread {
    private static final Logger log = System.getLogger(KernelThread.class.getName());

    /// Loaded when the first thread is asked about: not while a server starts.
    private static final class Clock {
      static final @Nullable ThreadMXBean CLOCK = clock();

      private static @Nullable ThreadMXBean clock() {
        var threads = ManagementFactory.getThreadMXBean();
        return threads.isThreadCpuTimeSupported() && threads.isThreadCpuTimeEnabled()
            ? threads
            : null;
      }
    }

    private static @Nullable Path statusFile() {
      var self = Path.of("/proc/thread-self");
      try {
        return self.resolveSibling(Files.readSymbolicLink(self)).resolve("stat");
      } catch (IOException | UnsupportedOperationException e) {
        log.log(Level.DEBUG, "no kernel that tells whether a thread waits: {0}", e.toString());
        return null;
      }
    }

    @Override
    public long cpuNanos() {
      var clock = Clock.CLOCK;
      return clock == null ? -1 : clock.getThreadCpuTime(id);
    }

    @Override
    public State state() {
      if (status == null) return State.UNKNOWN;
      try {
        return stateIn(Files.readString(status, StandardCharsets.ISO_8859_1));
      } catch (IOException e) {
        log.log(Level.DEBUG, "{0} is gone: {1}", status, e.toString());
        return State.UNKNOWN;
      }
    }

    /// proc(5): `pid (name) state …`, and the name may contain anything.
    static State stateIn(String stat) {
      int name = stat.lastIndexOf(')');
      if (name < 0 || name + 2 >= stat.length()) return State.UNKNOWN;
      return switch (stat.charAt(name + 2)) {
        case 'R' -> State.RUNNABLE;
        case 'S', 'D' -> State.WAITING;
        default -> State.UNKNOWN; // stopped, traced, ending
      };
    }
  }
}
