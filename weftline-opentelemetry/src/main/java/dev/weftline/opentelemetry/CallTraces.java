package dev.weftline.opentelemetry;

import dev.weftline.CallInfo;
import dev.weftline.CallObserver;
import dev.weftline.CallReport;
import io.grpc.Status;
import io.opentelemetry.api.OpenTelemetry;
import io.opentelemetry.api.common.AttributeKey;
import io.opentelemetry.api.trace.Span;
import io.opentelemetry.api.trace.SpanKind;
import io.opentelemetry.api.trace.StatusCode;
import io.opentelemetry.api.trace.Tracer;
import io.opentelemetry.context.Context;
import io.opentelemetry.context.propagation.TextMapGetter;
import io.opentelemetry.context.propagation.TextMapPropagator;
import java.net.InetSocketAddress;
import org.jspecify.annotations.Nullable;

/// A span for every call that is served, in the trace that its client has told (W3C Trace Context,
/// or whatever propagators the SDK was given), current while the method runs. What the SDK does not
/// sample costs next to nothing.
///
/// ```java
/// Server.builder().observe(CallTraces.of(openTelemetry))
/// ```
///
/// Attributes follow OpenTelemetry's semantic conventions for gRPC; beside them stands the ledger
/// of the call, in seconds: `weftline.ledger.queue`, `.handler`, `.receive_wait`, `.send_wait`,
/// `.write`.
///
/// Spans end on event loops: use a span processor that hands them over, as the batch processor
/// does. Any number of threads, any number of servers.
public final class CallTraces implements CallObserver {
  private static final AttributeKey<String> SYSTEM = AttributeKey.stringKey("rpc.system.name");
  private static final AttributeKey<String> METHOD = AttributeKey.stringKey("rpc.method");
  private static final AttributeKey<String> STATUS =
      AttributeKey.stringKey("rpc.response.status_code");
  private static final AttributeKey<String> ERROR = AttributeKey.stringKey("error.type");
  private static final AttributeKey<String> CLIENT = AttributeKey.stringKey("client.address");
  private static final AttributeKey<Long> CLIENT_PORT = AttributeKey.longKey("client.port");
  private static final AttributeKey<Double> QUEUE = ledger("queue");
  private static final AttributeKey<Double> HANDLER = ledger("handler");
  private static final AttributeKey<Double> RECEIVE_WAIT = ledger("receive_wait");
  private static final AttributeKey<Double> SEND_WAIT = ledger("send_wait");
  private static final AttributeKey<Double> WRITE = ledger("write");

  private static AttributeKey<Double> ledger(String part) {
    return AttributeKey.doubleKey("weftline.ledger." + part);
  }

  private static final TextMapGetter<CallInfo> FIELDS =
      new TextMapGetter<>() {
        @Override
        @SuppressWarnings("deprecation") // and yet it has to be there
        public Iterable<String> keys(CallInfo call) {
          return call.headers().keys();
        }

        @Override
        public @Nullable String get(@Nullable CallInfo call, String name) {
          return call == null ? null : call.header(name).orElse(null);
        }
      };

  private final Tracer tracer;
  private final TextMapPropagator propagator;

  private CallTraces(OpenTelemetry telemetry) {
    this.tracer = telemetry.getTracer("dev.weftline");
    this.propagator = telemetry.getPropagators().getTextMapPropagator();
  }

  /// Traces by this SDK, with its sampler and its propagators.
  public static CallTraces of(OpenTelemetry telemetry) {
    return new CallTraces(telemetry);
  }

  @Override
  public Observation begin(CallInfo call) {
    var parent = propagator.extract(Context.root(), call, FIELDS);
    var method = call.method().getFullMethodName();
    var span =
        tracer
            .spanBuilder(method)
            .setSpanKind(SpanKind.SERVER)
            .setParent(parent)
            .setAttribute(SYSTEM, "grpc")
            .setAttribute(METHOD, method)
            .startSpan();
    if (span.isRecording() && call.peer() instanceof InetSocketAddress inet) {
      span.setAttribute(CLIENT, inet.getHostString());
      span.setAttribute(CLIENT_PORT, (long) inet.getPort());
    }
    return new Traced(span, parent.with(span));
  }

  private record Traced(Span span, Context context) implements Observation {
    @Override
    @SuppressWarnings("MustBeClosedChecker") // by whoever has entered
    public Scope enter() {
      return context.makeCurrent()::close;
    }

    @Override
    public void ended(CallReport report) {
      if (span.isRecording()) describe(report);
      span.end();
    }

    private void describe(CallReport report) {
      var status = report.status();
      var code = status.getCode();
      span.setAttribute(STATUS, code.name());
      if (isError(code)) {
        span.setAttribute(ERROR, code.name());
        var description = status.getDescription();
        span.setStatus(StatusCode.ERROR, description == null ? "" : description);
      }
      var ledger = report.ledger();
      span.setAttribute(QUEUE, ledger.queue() / 1e9);
      span.setAttribute(HANDLER, ledger.handler() / 1e9);
      span.setAttribute(RECEIVE_WAIT, ledger.receiveWait() / 1e9);
      span.setAttribute(SEND_WAIT, ledger.sendWait() / 1e9);
      span.setAttribute(WRITE, ledger.write() / 1e9);
    }

    /// What is an error on the server's side of a call, after the semantic conventions for gRPC:
    /// the other codes say something of the request.
    private static boolean isError(Status.Code code) {
      return switch (code) {
        case UNKNOWN, DEADLINE_EXCEEDED, UNIMPLEMENTED, INTERNAL, UNAVAILABLE, DATA_LOSS -> true;
        case OK,
            CANCELLED,
            INVALID_ARGUMENT,
            NOT_FOUND,
            ALREADY_EXISTS,
            PERMISSION_DENIED,
            RESOURCE_EXHAUSTED,
            FAILED_PRECONDITION,
            ABORTED,
            OUT_OF_RANGE,
            UNAUTHENTICATED ->
            false;
      };
    }
  }
}
