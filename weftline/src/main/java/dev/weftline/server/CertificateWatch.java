package dev.weftline.server;

import dev.weftline.internal.net.Identity;
import dev.weftline.internal.net.Tls;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/// Keeps a server's TLS as its files have it: looks at them from a thread of its own, proves what
/// is new, and lets new handshakes use it. What is no good is refused, and what was in use stays.
///
/// It reads the files and compares, rather than ask the kernel for events (inotify). Kubernetes
/// replaces a directory behind the symbolic link `..data`, where no watched file changes; network
/// file systems report nothing of what another host writes; and times and sizes of files are too
/// coarse for two writes within a second. A few kilobytes every ten seconds cost nothing.
///
/// Any thread may call. Whoever makes one closes it.
final class CertificateWatch implements AutoCloseable {
  private static final Logger log = System.getLogger(CertificateWatch.class.getName());

  /// What proved good is read once more after this: a chain that is cut between two certificates is
  /// a good chain, too, while its writer is still at it.
  private static final Duration SETTLE = Duration.ofMillis(100);

  private final TlsFiles files;
  private final Clock clock;
  private final Tls tls;
  private final Thread thread;
  private volatile CertificateInfo info; // written under this
  private volatile boolean closed;

  // Guarded by this.
  private TlsFiles.Contents used;
  private Expiry expiry;
  private Instant nextWarning;
  private boolean broken; // as the last look found them
  private @Nullable String reported; // the fault of that warning, until the files are good again

  /// Looks at the files for the first time.
  ///
  /// @throws IllegalArgumentException with a sentence that names the file and what is wrong
  CertificateWatch(TlsFiles files, Clock clock) {
    this.files = files;
    this.clock = clock;
    var contents = files.read();
    var identity = files.identity(contents);
    this.tls = files.tls(identity, contents);
    this.used = contents;
    this.expiry = Expiry.of(identity.certificate());
    this.nextWarning = expiry.firstWarning(clock.instant());
    this.info = CertificateInfo.of(identity, clock.instant(), 0, 0);
    this.thread = Thread.ofPlatform().daemon().name("weftline-certificates").unstarted(this::run);
    warnOfDates(clock.instant());
  }

  /// Looks again and again from now on, unless the files are to be left alone.
  void start() {
    if (!files.reload().isZero()) thread.start();
  }

  /// What connections use. Closed with the watch.
  Tls tls() {
    return tls;
  }

  CertificateInfo info() {
    return info;
  }

  private void run() {
    try {
      while (true) {
        Thread.sleep(files.reload());
        look();
      }
    } catch (InterruptedException _) {
      // closed
    }
  }

  /// One look. A fault that the next look finds gone was a writer at work, and is not reported.
  synchronized void look() throws InterruptedException {
    try {
      var seen = files.read();
      if (!seen.same(used)) {
        var identity = proved(seen);
        Thread.sleep(settle());
        if (!files.read().same(seen)) return;
        take(identity, seen);
      }
      broken = false;
      reported = null;
    } catch (RuntimeException e) {
      // Whatever a parser or provider makes of bytes that are no certificate: the watch goes on.
      if (Thread.currentThread().isInterrupted()) return; // closed, in the middle of reading
      var fault = Objects.requireNonNullElse(e.getMessage(), e.toString());
      if (broken && !fault.equals(reported)) refuse(fault);
      broken = true;
    }
    warnOfDates(clock.instant());
  }

  private Duration settle() {
    return files.reload().compareTo(SETTLE) < 0 ? files.reload() : SETTLE;
  }

  /// Looks now, believing that nobody is writing. Whether there was something new.
  ///
  /// @throws IllegalArgumentException with a sentence, when the files are no good
  synchronized boolean reload() {
    if (closed) throw new IllegalStateException("the server has been closed");
    try {
      var seen = files.read();
      if (seen.same(used)) return false;
      take(proved(seen), seen);
    } catch (IllegalArgumentException e) {
      info = info.refusedOnceMore();
      throw e;
    }
    broken = false;
    reported = null;
    warnOfDates(clock.instant());
    return true;
  }

  private Identity proved(TlsFiles.Contents contents) {
    var identity = files.identity(contents);
    var now = clock.instant();
    var offered = Expiry.of(identity.certificate());
    if (!offered.isValid(now) && expiry.isValid(now)) {
      throw new IllegalArgumentException(
          now.isAfter(offered.notAfter())
              ? identity + " has expired at " + offered.notAfter()
              : identity + " is not valid before " + offered.notBefore());
    }
    return identity;
  }

  private void take(Identity identity, TlsFiles.Contents contents) {
    if (closed) return;
    tls.replace(files.tls(identity, contents));
    used = contents;
    expiry = Expiry.of(identity.certificate());
    nextWarning = expiry.firstWarning(clock.instant());
    info = CertificateInfo.of(identity, clock.instant(), info.reloads() + 1, info.refusals());
    log.log(
        Level.INFO,
        "new handshakes use {0}, serial {1}, until {2}",
        identity,
        info.serial(),
        info.notAfter());
  }

  private void refuse(String fault) {
    reported = fault;
    info = info.refusedOnceMore();
    log.log(
        Level.WARNING,
        "{0}; certificate {1} ({2}) stays in use, until {3}",
        fault,
        info.serial(),
        info.subject(),
        info.notAfter());
  }

  private void warnOfDates(Instant now) {
    if (now.isBefore(nextWarning)) return;
    nextWarning = expiry.warningAfter(now);
    var left = Duration.between(now, expiry.notAfter());
    log.log(
        Level.WARNING,
        now.isBefore(expiry.notBefore())
            ? "{0}: certificate {1} ({2}) is not valid before {4}, clients refuse it"
            : left.isNegative()
                ? "{0}: certificate {1} ({2}) has expired at {3}, clients refuse it"
                : "{0}: certificate {1} ({2}) expires at {3}, in {5} days and {6} hours",
        files,
        info.serial(),
        info.subject(),
        expiry.notAfter(),
        expiry.notBefore(),
        left.toDays(),
        left.toHoursPart());
  }

  /// Ends the looks, and TLS for connections to come. Waits for nobody, least of all for a file
  /// system that hangs: what comes after is released by [Tls#replace].
  @Override
  public void close() {
    closed = true;
    thread.interrupt();
    tls.close();
  }
}
