package dev.weftline.server;

import java.time.Duration;
import java.util.concurrent.Callable;

/// A dependency that a server cannot do without, looked at again and again: a database, a back end,
/// a disk.
///
/// ```java
/// server.health().check(HealthCheck.of("database", () -> connection.isValid(1)));
/// ```
///
/// @param name what the log calls it
/// @param service whose status depends on it; empty for the server as a whole with all its services
/// @param interval from the end of one look to the next; health answers from the last one, however
///   often it is asked
/// @param timeout after which a look has failed; its thread is interrupted
/// @param probe whether the dependency is there; an exception says that it is not. Runs on a
///   virtual thread, one at a time
public record HealthCheck(
    String name, String service, Duration interval, Duration timeout, Callable<Boolean> probe) {
  /// What probes of orchestrators are used to: they notice within half a minute, and a dependency
  /// that answers slowly is not asked more often for it.
  private static final Duration INTERVAL = Duration.ofSeconds(5);

  private static final Duration TIMEOUT = Duration.ofSeconds(1);

  public HealthCheck {
    if (!interval.isPositive()) throw new IllegalArgumentException("interval: " + interval);
    if (!timeout.isPositive()) throw new IllegalArgumentException("timeout: " + timeout);
  }

  /// For the server as a whole, every 5 s, with 1 s to answer.
  public static HealthCheck of(String name, Callable<Boolean> probe) {
    return new HealthCheck(name, Health.SERVER, INTERVAL, TIMEOUT, probe);
  }

  /// For this service alone.
  public HealthCheck withService(String newService) {
    return new HealthCheck(name, newService, interval, timeout, probe);
  }

  public HealthCheck withInterval(Duration newInterval) {
    return new HealthCheck(name, service, newInterval, timeout, probe);
  }

  public HealthCheck withTimeout(Duration newTimeout) {
    return new HealthCheck(name, service, interval, newTimeout, probe);
  }
}
