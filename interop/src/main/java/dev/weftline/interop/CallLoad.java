package dev.weftline.interop;

import dev.weftline.interop.proto.OrcaLoadReport;
import io.grpc.Context;
import io.grpc.Contexts;
import io.grpc.ForwardingServerCall.SimpleForwardingServerCall;
import io.grpc.Metadata;
import io.grpc.ServerCall;
import io.grpc.ServerCallHandler;
import io.grpc.ServerInterceptor;
import io.grpc.Status;
import io.grpc.protobuf.ProtoUtils;
import java.util.concurrent.atomic.AtomicReference;

/// The load report of one call, sent in its trailers (ORCA per query, gRPC A51).
final class CallLoad implements ServerInterceptor {
  private static final Metadata.Key<OrcaLoadReport> TRAILER =
      Metadata.Key.of(
          "endpoint-load-metrics-bin",
          ProtoUtils.metadataMarshaller(OrcaLoadReport.getDefaultInstance()));

  private static final Context.Key<AtomicReference<OrcaLoadReport>> REPORT =
      Context.key("call-load");

  /// Sets what the current call reports.
  static void report(OrcaLoadReport report) {
    REPORT.get().set(report);
  }

  @Override
  public <Q, A> ServerCall.Listener<Q> interceptCall(
      ServerCall<Q, A> call, Metadata request, ServerCallHandler<Q, A> next) {
    var report = new AtomicReference<OrcaLoadReport>(OrcaLoadReport.getDefaultInstance());
    var reporting =
        new SimpleForwardingServerCall<Q, A>(call) {
          @Override
          public void close(Status status, Metadata trailers) {
            var last = report.get();
            if (!last.equals(OrcaLoadReport.getDefaultInstance())) trailers.put(TRAILER, last);
            super.close(status, trailers);
          }
        };
    return Contexts.interceptCall(
        Context.current().withValue(REPORT, report), reporting, request, next);
  }
}
