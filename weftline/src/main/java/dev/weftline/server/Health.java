package dev.weftline.server;

import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.jspecify.annotations.Nullable;

/// What a server says to those who ask for its health: load balancers and clients by
/// `grpc.health.v1.Health`, probes by `/healthz`.
///
/// The server as a whole and each of its services are SERVING before the first connection can come,
/// unless something was set or checked before. Once the server drains everything is NOT_SERVING for
/// good, and whatever is set after that changes nothing. Any thread may call any method.
public final class Health {
  /// The name of the server as a whole.
  public static final String SERVER = "";

  private static final Logger log = System.getLogger(Health.class.getName());

  // Guarded by this; whoever changes them tells those who wait.
  private final Map<String, Boolean> serving = new TreeMap<>();
  private final List<Checked> checks = new ArrayList<>();
  private boolean draining;
  private boolean closing;

  private volatile boolean asked;

  Health(List<String> services) {
    serving.put(SERVER, true);
    for (var service : services) serving.put(service, true);
  }

  // ---- The application's side.

  /// Says whether `service` can be called.
  ///
  /// @param service its full name, also of one that the server does not have; [#SERVER] for the
  ///   server as a whole, which leaves the services as they are
  public synchronized void set(String service, boolean isServing) {
    serving.put(service, isServing);
    notifyAll();
  }

  /// Lets the status depend on something else. Until it was there for the first time it counts as
  /// missing, and it is looked at until the server drains.
  public void check(HealthCheck check) {
    var checked = new Checked(check);
    synchronized (this) {
      if (draining) return;
      serving.putIfAbsent(check.service(), true);
      checks.add(checked);
      notifyAll();
      checked.thread.start();
    }
  }

  /// Whether `service`, or [#SERVER], is said to serve now; false for one that nobody knows.
  public boolean isServing(String service) {
    return status(service) == Status.SERVING;
  }

  // ---- The server's side.

  enum Status {
    SERVING,
    NOT_SERVING,
    UNKNOWN
  }

  synchronized Status status(String service) {
    var said = serving.get(service);
    if (said == null) return Status.UNKNOWN;
    if (draining || !said) return Status.NOT_SERVING;
    for (var check : checks) {
      if (!check.passed && check.concerns(service)) return Status.NOT_SERVING;
    }
    return Status.SERVING;
  }

  /// All there are.
  synchronized Map<String, Status> all() {
    var all = new TreeMap<String, Status>();
    for (var service : serving.keySet()) all.put(service, status(service));
    return all;
  }

  /// Waits until the status of `service` is another than `known`.
  ///
  /// @return null when the server closes
  synchronized @Nullable Status awaitOther(String service, @Nullable Status known)
      throws InterruptedException {
    for (; ; ) {
      var now = status(service);
      // A watch that is open hears NOT_SERVING before its end. One that comes this late hears
      // nothing, so that its client waits before it tries again.
      if (now != known && (known != null || !closing)) return now;
      if (closing) return null;
      wait();
    }
  }

  /// Somebody outside wants to know: a server that drains has to tell before it closes.
  void ask() {
    if (!asked) asked = true;
  }

  boolean wasAsked() {
    return asked;
  }

  /// Nothing is served from now on, for good.
  synchronized void drain() {
    draining = true;
    for (var check : checks) check.thread.interrupt();
    notifyAll();
  }

  /// Nobody need wait for news any more.
  synchronized void close() {
    closing = true;
    notifyAll();
  }

  private synchronized void told(Checked checked, boolean passes, String why) {
    if (checked.passed == passes && checked.looked) return;
    checked.looked = true;
    checked.passed = passes;
    if (passes) {
      log.log(Level.INFO, "health check {0} passes", checked.check.name());
    } else {
      log.log(Level.WARNING, "health check {0} fails: {1}", checked.check.name(), why);
    }
    notifyAll();
  }

  /// One check, and the thread that makes it.
  private final class Checked {
    private final HealthCheck check;
    private final Thread thread = Thread.ofVirtual().name("health check").unstarted(this::run);

    // Guarded by Health.this.
    private boolean looked;
    private boolean passed;

    Checked(HealthCheck check) {
      this.check = check;
    }

    boolean concerns(String service) {
      return check.service().equals(SERVER) || check.service().equals(service);
    }

    private void run() {
      try {
        for (; ; ) {
          look();
          Thread.sleep(check.interval());
        }
      } catch (InterruptedException e) {
        log.log(Level.DEBUG, "no more looks at {0}: the server drains", check.name());
      }
    }

    private void look() throws InterruptedException {
      var look = new FutureTask<>(check.probe());
      var looking = Thread.startVirtualThread(look);
      try {
        boolean there = look.get(check.timeout().toNanos(), TimeUnit.NANOSECONDS);
        told(this, there, "it says so");
      } catch (TimeoutException e) {
        told(this, false, "no answer within " + check.timeout().toMillis() + " ms");
        looking.interrupt();
        looking.join(); // one that does not listen keeps one thread, and not one for each interval
      } catch (ExecutionException e) {
        told(this, false, String.valueOf(e.getCause()));
      } finally {
        looking.interrupt();
      }
    }
  }
}
