package dev.weftline.server;

import java.io.IOException;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/// The life of one server: its states, and what happens when on the way to its end.
///
/// ```
///   0                    lame duck               + grace          + farewell
///   │ DRAINING           │ CLOSING               │                │ CLOSED
///   │ health says no,    │ GOAWAY, no new calls, │ calls that are │ connections
///   │ calls are told,    │ calls finish          │ left are cut   │ are closed
///   │ and still welcome  │                       │                │
/// ```
///
/// It ends as soon as the last connection has closed. Any thread may call any method but a loop.
final class Lifecycle {
  /// ```
  ///   STARTING ─▶ SERVING ─▶ DRAINING ─▶ CLOSING ─▶ CLOSED
  ///       │          └────────────────────▲           ▲
  ///       └───────────────────────────────────────────┘
  /// ```
  enum State {
    /// Built, and not listening yet.
    STARTING,
    SERVING,
    /// A lame duck: serves as before, while those who ask for health learn to go elsewhere.
    DRAINING,
    /// Takes neither connections nor calls; those it has may finish.
    CLOSING,
    CLOSED;

    /// It listens.
    State serve() {
      return switch (this) {
        case STARTING -> SERVING;
        case SERVING, DRAINING, CLOSING, CLOSED ->
            throw new IllegalStateException("Already started");
      };
    }

    /// It is told to stop, and has time.
    State drain() {
      return switch (this) {
        case STARTING -> CLOSED;
        case SERVING -> DRAINING;
        case DRAINING, CLOSING, CLOSED -> this;
      };
    }

    /// It is to take nothing new.
    State close() {
      return switch (this) {
        case STARTING -> CLOSED;
        case SERVING, DRAINING -> CLOSING;
        case CLOSING, CLOSED -> this;
      };
    }

    /// Its last connection has closed.
    State end() {
      return switch (this) {
        case CLOSING -> CLOSED;
        case STARTING, SERVING, DRAINING -> throw new IllegalStateException("ended while " + this);
        case CLOSED -> this;
      };
    }
  }

  /// What a server does at each turn of its life. Called one after the other, in this order.
  interface Turns {
    /// Listens.
    void serve() throws IOException;

    /// Tells health and the calls that the end is near.
    ///
    /// @return how long calls are welcome after that
    Duration drain();

    /// Takes nothing new. Does not wait.
    ///
    /// @return done when the last connection has closed
    CompletableFuture<Void> close();

    /// Ends the calls that are left. Does not wait.
    void cut();

    /// Closes the connections that are left. Does not wait.
    void disconnect();

    /// Lets go of everything.
    void end();
  }

  private static final Logger log = System.getLogger(Server.class.getName());

  /// After calls were cut: time for their trailers to be written.
  private static final Duration FAREWELL = Duration.ofMillis(500);

  private final Turns turns;
  private final Duration grace;
  private final CountDownLatch closing = new CountDownLatch(1);
  private final CountDownLatch closed = new CountDownLatch(1);
  private volatile State state = State.STARTING; // written by who holds this
  private boolean cut; // guarded by this

  /// @param grace how long calls may take to finish once no new ones come
  Lifecycle(Duration grace, Turns turns) {
    this.grace = grace;
    this.turns = turns;
  }

  State state() {
    return state;
  }

  synchronized void start() throws IOException {
    var next = state.serve();
    turns.serve();
    state = next;
  }

  /// Goes all the way to CLOSED, on a thread of its own; at once when it never served.
  void drain() {
    Duration lameDuck;
    synchronized (this) {
      if (state == State.STARTING) {
        close();
        return;
      }
      if (state.drain() == state) return;
      state = state.drain();
      lameDuck = turns.drain();
    }
    if (lameDuck.isPositive()) {
      log.log(
          Level.INFO,
          "draining: calls are served for {0} s more, then they have {1} s to finish",
          seconds(lameDuck),
          seconds(grace));
    }
    startApart(() -> finish(lameDuck));
  }

  /// On a platform thread: methods that keep every carrier busy do not hold it up.
  private static void startApart(Runnable task) {
    Thread.ofPlatform().name("weftline-drain").start(task);
  }

  private void finish(Duration lameDuck) {
    try {
      closing.await(lameDuck.toNanos(), TimeUnit.NANOSECONDS);
      shutdown(grace);
    } catch (InterruptedException e) {
      shutdownNow(); // nobody but this class knows the thread, so whoever did it means it
    }
  }

  /// Takes nothing new from now on. Does not wait, and gives calls all the time they want.
  synchronized void close() {
    var before = state;
    if (before.close() == before) return;
    state = before.close();
    if (before == State.STARTING) {
      turns.end();
      closing.countDown();
      closed.countDown();
      return;
    }
    if (before == State.SERVING) turns.drain();
    closing.countDown();
    // The last connection ends on its loop, and a loop cannot await itself.
    turns.close().whenCompleteAsync((_, _) -> end(), Lifecycle::startApart);
  }

  /// Takes nothing new, waits `grace` at most and cuts what is left then. Returns when everything
  /// is closed.
  void shutdown(Duration grace) throws InterruptedException {
    close();
    if (await(grace)) return;
    cut();
    if (await(FAREWELL)) return;
    turns.disconnect();
    await();
  }

  /// As above, with no time to finish and without waiting.
  void shutdownNow() {
    close();
    cut();
    startApart(() -> {
      try {
        if (await(FAREWELL)) return;
      } catch (InterruptedException e) {
        log.log(Level.DEBUG, "interrupted while the last trailers are written", e);
      }
      turns.disconnect();
    });
  }

  private synchronized void cut() {
    if (cut || state == State.CLOSED) return;
    cut = true;
    turns.cut();
  }

  private synchronized void end() {
    if (state == State.CLOSED) return;
    state = state.end();
    turns.end();
    closed.countDown();
  }

  void await() throws InterruptedException {
    closed.await();
  }

  private boolean await(Duration timeout) throws InterruptedException {
    return await(TimeUnit.NANOSECONDS.convert(timeout), TimeUnit.NANOSECONDS);
  }

  boolean await(long timeout, TimeUnit unit) throws InterruptedException {
    return closed.await(timeout, unit);
  }

  private static double seconds(Duration time) {
    return time.toMillis() / 1e3;
  }
}
