package dev.weftline.internal.admission;

import com.google.protobuf.Any;
import com.google.protobuf.Duration;
import com.google.rpc.ErrorInfo;
import com.google.rpc.RetryInfo;
import dev.weftline.internal.http.Fields;
import dev.weftline.internal.protocol.StatusTrailers;
import io.grpc.Metadata;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.protobuf.StatusProto;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.atomic.AtomicReferenceArray;
import org.jspecify.annotations.Nullable;

/// What calls of one method that are turned away are told. Made once for each reason and limit, in
/// a few variants that say different times to come again, so that an answer costs no more than
/// sending it, and those who were turned away together do not come back together. Any thread.
final class Answers {
  private static final String DOMAIN = "weftline.dev";

  /// Gaps between neighbours are an eighth or more, and the mean is a little below a second: a
  /// server that is overloaded is so for seconds.
  private static final int[] RETRY_MILLIS = {300, 400, 550, 700, 850, 1_000, 1_250, 1_500};

  /// gRFC A6: a client whose retry policy names the status waits so long before it tries again.
  private static final Metadata.Key<String> PUSHBACK =
      Metadata.Key.of("grpc-retry-pushback-ms", Metadata.ASCII_STRING_MARSHALLER);

  private record Answer(long limit, List<Fields> variants) {}

  private final String method;
  private final AtomicReferenceArray<@Nullable Answer> answers =
      new AtomicReferenceArray<>(Refusal.values().length);

  Answers(String method) {
    this.method = method;
  }

  /// @param limit that the call came up against
  Fields to(Refusal why, long limit) {
    var known = answers.get(why.ordinal());
    if (known == null || known.limit != limit) {
      known = make(why, limit);
      answers.set(why.ordinal(), known);
    }
    return known.variants.get(ThreadLocalRandom.current().nextInt(known.variants.size()));
  }

  private Answer make(Refusal why, long limit) {
    var variants = new ArrayList<Fields>(RETRY_MILLIS.length);
    for (int millis : RETRY_MILLIS) variants.add(trailers(why, limit, millis));
    return new Answer(limit, variants);
  }

  /// The same for a call that has begun.
  StatusRuntimeException failure(Refusal why, long limit) {
    return failure(
        why, limit, RETRY_MILLIS[ThreadLocalRandom.current().nextInt(RETRY_MILLIS.length)]);
  }

  private Fields trailers(Refusal why, long limit, int retryMillis) {
    var failure = failure(why, limit, retryMillis);
    var metadata = failure.getTrailers();
    return StatusTrailers.trailersOnly(
            failure.getStatus(), metadata != null ? metadata : new Metadata())
        .withoutTable();
  }

  private StatusRuntimeException failure(Refusal why, long limit, int retryMillis) {
    var text = method + ": " + sentence(why, limit);
    var info =
        ErrorInfo.newBuilder()
            .setReason(why.name())
            .setDomain(DOMAIN)
            .putMetadata("limit", Long.toString(limit))
            .putMetadata("setting", why.setting())
            .putMetadata("method", method);
    var retry =
        RetryInfo.newBuilder()
            .setRetryDelay(
                Duration.newBuilder()
                    .setSeconds(retryMillis / 1_000)
                    .setNanos(retryMillis % 1_000 * 1_000_000));
    var status =
        com.google.rpc.Status.newBuilder()
            .setCode(Status.Code.RESOURCE_EXHAUSTED.value())
            .setMessage(text)
            .addDetails(Any.pack(info.build()))
            .addDetails(Any.pack(retry.build()))
            .build();
    var failure = StatusProto.toStatusRuntimeException(status);
    var metadata = failure.getTrailers();
    if (metadata != null) metadata.put(PUSHBACK, Integer.toString(retryMillis));
    return failure;
  }

  private static String sentence(Refusal why, long limit) {
    return switch (why) {
      case CONCURRENCY_LIMIT -> "the server is at its limit of " + limit + " calls at once";
      case QUEUE_WAIT -> "no place came free in time among " + limit + " calls at once";
      case DEADLINE_TOO_SHORT ->
          "the deadline is too short: calls took " + limit + " ms at least of late";
      case BYTE_BUDGET -> "the server holds as many bytes as it may, " + limit;
    };
  }
}
