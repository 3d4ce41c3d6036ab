package dev.weftline.interop;

import com.google.protobuf.Duration;
import dev.weftline.interop.proto.OpenRcaServiceGrpc;
import dev.weftline.interop.proto.OrcaLoadReport;
import dev.weftline.interop.proto.OrcaLoadReportRequest;
import io.grpc.Context;
import io.grpc.Status;
import io.grpc.stub.ServerCallStreamObserver;
import io.grpc.stub.StreamObserver;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;

/// The load report of the whole server, sent again and again to whoever asks (ORCA out of band,
/// gRPC A51).
final class ServerLoad extends OpenRcaServiceGrpc.OpenRcaServiceImplBase {
  /// What one listener may cost: ten small messages a second.
  private static final long INTERVAL_NANOS_MIN = TimeUnit.MILLISECONDS.toNanos(100);

  /// A client that wants less than one report a day is not waiting for one.
  private static final long INTERVAL_SECONDS_MAX = TimeUnit.DAYS.toSeconds(1);

  /// The interop description lets one client at a time set the report, or two would see each
  /// other's.
  private final Semaphore reporter = new Semaphore(1);

  private volatile OrcaLoadReport report = OrcaLoadReport.getDefaultInstance();

  /// Waits until no other call sets the report; `leave` lets the next one in, from any thread.
  void enter() throws InterruptedException {
    reporter.acquire();
  }

  void leave() {
    reporter.release();
  }

  void report(OrcaLoadReport report) {
    this.report = report;
  }

  @Override
  public void streamCoreMetrics(
      OrcaLoadReportRequest request, StreamObserver<OrcaLoadReport> reports) {
    long nanos = nanos(request.getReportInterval());
    // With a handler set, reports that cross the client's cancellation are dropped, not thrown.
    ((ServerCallStreamObserver<OrcaLoadReport>) reports).setOnCancelHandler(() -> {});
    var call = Context.current();
    try {
      while (!call.isCancelled()) {
        reports.onNext(report);
        TimeUnit.NANOSECONDS.sleep(nanos);
      }
    } catch (InterruptedException e) {
      // A server that interrupts cancelled calls has told us the same as isCancelled.
      Thread.currentThread().interrupt();
    }
    reports.onError(Status.CANCELLED.withDescription("nobody listens").asRuntimeException());
  }

  private static long nanos(Duration interval) {
    long seconds = Math.clamp(interval.getSeconds(), 0, INTERVAL_SECONDS_MAX);
    return Math.max(INTERVAL_NANOS_MIN, TimeUnit.SECONDS.toNanos(seconds) + interval.getNanos());
  }
}
