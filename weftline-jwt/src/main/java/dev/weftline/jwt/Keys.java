package dev.weftline.jwt;

import java.io.IOException;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.jspecify.annotations.Nullable;

/// The keys of a guard, kept fresh: read again before they are old, and at once when a token means
/// one that is not there.
///
/// Keys are read on a thread of its own, by one at a time, so that no call's deadline can tear the
/// reading that others wait for. Only calls cause it: a guard that nobody asks reads nothing. Any
/// thread.
final class Keys {
  /// @param ahead from this age on keys are read again while the old ones still serve
  /// @param fresh from this age on calls wait for that
  /// @param usable from this age on keys that cannot be read again are no longer used
  /// @param pause between two readings
  /// @param pauseUnknown the same, where a token means a key that is not there: anybody can send
  ///   such tokens
  record Times(
      Duration ahead, Duration fresh, Duration usable, Duration pause, Duration pauseUnknown) {
    /// A key that its owner withdraws is used for five minutes at most, or for an hour when the
    /// owner cannot be reached. A rotation is noticed within ten seconds.
    static final Times URL =
        new Times(
            Duration.ofMinutes(4),
            Duration.ofMinutes(5),
            Duration.ofHours(1),
            Duration.ofSeconds(5),
            Duration.ofSeconds(10));

    /// A file is cheap to read, and the last good one is better than none.
    static final Times FILE =
        new Times(
            Duration.ofSeconds(2),
            Duration.ofSeconds(5),
            NEVER,
            Duration.ofSeconds(1),
            Duration.ofSeconds(1));

    static final Times FIXED = new Times(NEVER, NEVER, NEVER, NEVER, NEVER);
  }

  /// Longer than any process lives, and no overflow in nanoseconds.
  private static final Duration NEVER = Duration.ofDays(36_500);

  private static final Logger log = System.getLogger(JwtGuard.class.getName());

  /// There are no keys to check tokens with.
  static final class Unavailable extends Exception {
    private static final long serialVersionUID = 1;

    Unavailable(String message) {
      super(message, null, false, false);
    }
  }

  private record Loaded(List<TokenKey> keys, long atNanos) {}

  private final KeyOrigin origin;
  private final Times times;
  private volatile @Nullable Loaded loaded; // null until keys were read for the first time
  private volatile @Nullable String fault; // of the last reading

  // Guarded by this.
  private @Nullable CompletableFuture<Void> reading; // the last one
  private long begunNanos;

  Keys(KeyOrigin origin, Times times) {
    this.origin = origin;
    this.times = times;
  }

  /// Reads the keys for the first time, on this thread.
  List<TokenKey> load() throws IOException, InterruptedException {
    var keys = origin.read();
    loaded = new Loaded(keys, System.nanoTime());
    return keys;
  }

  /// The keys as they are now. Waits only while there are none, or for the first reading of old
  /// ones.
  ///
  /// @throws InterruptedException when the call is given up meanwhile
  List<TokenKey> current() throws Unavailable, InterruptedException {
    var known = loaded;
    long age = known == null ? 0 : System.nanoTime() - known.atNanos;
    if (known != null && age < times.ahead.toNanos()) return known.keys;
    var begun = begin(times.pause);
    // While the owner is away each reading may take its full time; the old keys do not wait for it.
    boolean waits = known == null || age >= usableNanos() || age >= freshNanos() && fault == null;
    if (begun != null && waits) await(begun);
    var now = loaded;
    if (now != null && System.nanoTime() - now.atNanos < usableNanos()) return now.keys;
    throw new Unavailable("no keys from " + origin + ": " + fault);
  }

  /// The keys after a token meant none of `seen`: read again if that was not just done.
  List<TokenKey> newerThan(List<TokenKey> seen) throws InterruptedException {
    var known = loaded;
    if (known == null || !known.keys.equals(seen)) return known == null ? seen : known.keys;
    var begun = begin(times.pauseUnknown);
    if (begun != null) await(begun);
    var now = loaded;
    return now == null ? seen : now.keys;
  }

  private long freshNanos() {
    return times.fresh.toNanos();
  }

  private long usableNanos() {
    return times.usable.toNanos();
  }

  /// Starts reading. Or gives what is under way; null when the last reading began less than `pause`
  /// ago and has ended.
  synchronized @Nullable CompletableFuture<Void> begin(Duration pause) {
    var last = reading;
    if (last != null) {
      if (!last.isDone()) return last;
      if (System.nanoTime() - begunNanos < pause.toNanos()) return null;
    }
    var begun = new CompletableFuture<Void>();
    reading = begun;
    begunNanos = System.nanoTime();
    Thread.startVirtualThread(() -> {
      try {
        read();
      } finally {
        begun.complete(null);
      }
    });
    return begun;
  }

  private void read() {
    try {
      var keys = origin.read();
      if (fault != null) log.log(Level.INFO, "keys are read from {0} again", origin);
      if (keys.isEmpty()) log.log(Level.WARNING, "{0} has no key that checks tokens", origin);
      loaded = new Loaded(keys, System.nanoTime());
      fault = null;
      log.log(Level.DEBUG, "{0} keys from {1}", keys.size(), origin);
    } catch (IOException | InterruptedException | RuntimeException e) {
      fault = String.valueOf(e.getMessage());
      log.log(Level.WARNING, "keys cannot be read from {0}: {1}", origin, fault);
      log.log(Level.DEBUG, "keys cannot be read", e);
    }
  }

  private static void await(CompletableFuture<Void> reading) throws InterruptedException {
    try {
      // A reading is bounded itself; the second is for its thread to be scheduled.
      reading.get(KeyOrigin.READ_MAX.toMillis() + 1_000, TimeUnit.MILLISECONDS);
    } catch (TimeoutException | ExecutionException e) {
      log.log(Level.DEBUG, "keys are still being read", e);
    }
  }
}
