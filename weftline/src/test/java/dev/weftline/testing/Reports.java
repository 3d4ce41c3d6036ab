package dev.weftline.testing;

import dev.weftline.CallInfo;
import dev.weftline.CallObserver;
import dev.weftline.CallReport;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;

/// An observer that keeps what it is told of the ends of calls.
public final class Reports implements CallObserver {
  private final BlockingQueue<CallReport> ended = new LinkedBlockingQueue<>();
  private final BlockingQueue<CallReport> refused = new LinkedBlockingQueue<>();

  @Override
  public Observation begin(CallInfo call) {
    return new Observation() {
      @Override
      public void ended(CallReport report) {
        ended.add(report);
      }
    };
  }

  @Override
  public void refused(CallReport report) {
    refused.add(report);
  }

  /// The next call that began and is over; waits for it.
  public CallReport ended() {
    return next(ended);
  }

  /// The next call that never began and is over; waits for it.
  public CallReport refused() {
    return next(refused);
  }

  /// What nobody has asked for.
  public int left() {
    return ended.size() + refused.size();
  }

  private static CallReport next(BlockingQueue<CallReport> reports) {
    try {
      var report = reports.poll(10, TimeUnit.SECONDS);
      if (report == null) throw new AssertionError("no call ended within 10 s");
      return report;
    } catch (InterruptedException e) {
      throw new AssertionError(e);
    }
  }
}
