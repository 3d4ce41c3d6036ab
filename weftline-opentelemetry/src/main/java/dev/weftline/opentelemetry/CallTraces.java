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
import java.util.concurrent.ThreadLocalRandom;
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
  private final String[] fields; // that tell of a trace
  private final double share;

  private CallTraces(Tracer tracer, TextMapPropagator propagator, double share) {
    this.tracer = tracer;
    this.propagator = propagator;
    this.fields = propagator.fields().toArray(String[]::new);
    this.share = share;
  }

  /// Traces by this SDK, with its sampler and its propagators.
  public static CallTraces of(OpenTelemetry telemetry) {
    return new CallTraces(
        telemetry.getTracer("dev.weftline"), telemetry.getPropagators().getTextMapPropagator(), 1);
  }

  /// The same for only this share of the calls that come without a trace; those that come with one
  /// are followed as it says. What is not chosen is not touched: calls that its method makes decide
  /// for themselves. The SDK's sampler is asked of what was chosen, so leave it at its default,
  /// which follows parents and takes everything else.
  ///
  /// @throws IllegalArgumentException for a share that is not from 0 to 1
  public CallTraces sampled(double share) {
    if (!(share >= 0 && share <= 1)) {
      throw new IllegalArgumentException("a share of calls is from 0 to 1, not " + share);
    }
    return new CallTraces(tracer, propagator, share);
  }

  @Override
  public @Nullable Observation begin(CallInfo call) {
    if (share < 1 && ThreadLocalRandom.current().nextDouble() >= share && isRoot(call)) return null;
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

  private boolean isRoot(CallInfo call) {
    for (var field : fields) {
      if (call.header(field).isPresent()) return false;
    }
    return true;
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
