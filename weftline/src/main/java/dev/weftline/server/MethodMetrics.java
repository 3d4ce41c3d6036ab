package dev.weftline.server;

import dev.weftline.internal.call.Bounds;
import dev.weftline.internal.call.CallCounters;
import dev.weftline.internal.call.MethodCount;
import io.grpc.Status;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/// The calls of one method since the server started: a snapshot, after gRFC A66.
///
/// @param method its full name, such as `helloworld.Greeter/SayHello`; [#OTHER] for all methods
///   that the server does not have
/// @param started calls whose headers came, those still open included
/// @param ended the calls that are over, one entry for each status that occurred
public record MethodMetrics(String method, long started, List<Ended> ended) {
  /// What stands for every method that the server does not know: clients make up names as they
  /// like.
  public static final String OTHER = "other";

  public MethodMetrics {
    ended = List.copyOf(ended);
  }

  /// Those of every method that was called.
  static List<MethodMetrics> of(CallCounters counters) {
    var methods = new ArrayList<MethodMetrics>();
    for (var called : counters.byMethod(OTHER).entrySet()) {
      var ended = new ArrayList<Ended>();
      called.getValue().ended.forEach((code, spread) -> ended.add(Ended.of(code, spread)));
      methods.add(new MethodMetrics(called.getKey(), called.getValue().started, ended));
    }
    return methods;
  }

  /// The calls of a method that ended with one status.
  ///
  /// @param duration in seconds, from the headers to the end of the response
  /// @param sent octets of the messages of a call, compressed where they were, without prefixes
  /// @param received octets of the messages of a call, in the same way
  public record Ended(Status.Code status, Histogram duration, Histogram sent, Histogram received) {
    /// How many there were.
    public long calls() {
      return duration.count();
    }

    private static Ended of(Status.Code code, MethodCount.Ended spread) {
      return new Ended(
          code,
          histogram(Bounds.NANOS, 1e9, spread.durations, spread.nanos),
          histogram(Bounds.BYTES, 1, spread.sent, spread.sentBytes),
          histogram(Bounds.BYTES, 1, spread.received, spread.receivedBytes));
    }

    private static Histogram histogram(Bounds bounds, double unit, long[] counts, long sum) {
      return new Histogram(
          Arrays.stream(bounds.upper()).mapToObj(bound -> bound / unit).toList(),
          Arrays.stream(counts).boxed().toList(),
          sum / unit);
    }
  }
}
