package dev.weftline.internal.call;

import io.grpc.Status;
import java.util.EnumMap;
import java.util.Map;

/// The calls of one method on all loops: what the tallies of a moment add up to. Whoever adds owns
/// it.
public final class MethodCount {
  /// Calls that ended with one status, by the buckets of [Bounds].
  public static final class Ended {
    public final long[] durations = new long[Bounds.NANOS.buckets()];
    public final long[] sent = new long[Bounds.BYTES.buckets()];
    public final long[] received = new long[Bounds.BYTES.buckets()];
    public long nanos;
    public long sentBytes;
    public long receivedBytes;
  }

  public long started;
  public final Map<Status.Code, Ended> ended = new EnumMap<>(Status.Code.class);
}
