package dev.weftline.interop;

import io.grpc.ForwardingServerCall.SimpleForwardingServerCall;
import io.grpc.Metadata;
import io.grpc.ServerCall;
import io.grpc.ServerCallHandler;
import io.grpc.ServerInterceptor;
import io.grpc.Status;

/// Metadata that comes back: one key before the first message, the other in the trailers
/// (custom_metadata).
final class EchoMetadata implements ServerInterceptor {
  private static final Metadata.Key<String> INITIAL =
      Metadata.Key.of("x-grpc-test-echo-initial", Metadata.ASCII_STRING_MARSHALLER);
  private static final Metadata.Key<byte[]> TRAILING =
      Metadata.Key.of("x-grpc-test-echo-trailing-bin", Metadata.BINARY_BYTE_MARSHALLER);

  @Override
  public <Q, A> ServerCall.Listener<Q> interceptCall(
      ServerCall<Q, A> call, Metadata request, ServerCallHandler<Q, A> next) {
    if (!request.containsKey(INITIAL) && !request.containsKey(TRAILING)) {
      return next.startCall(call, request);
    }
    return next.startCall(
        new SimpleForwardingServerCall<Q, A>(call) {
          @Override
          public void sendHeaders(Metadata headers) {
            copy(INITIAL, request, headers);
            super.sendHeaders(headers);
          }

          @Override
          public void close(Status status, Metadata trailers) {
            copy(TRAILING, request, trailers);
            super.close(status, trailers);
          }
        },
        request);
  }

  private static <T> void copy(Metadata.Key<T> key, Metadata from, Metadata to) {
    var values = from.getAll(key);
    if (values == null) return;
    for (var value : values) to.put(key, value);
  }
}
