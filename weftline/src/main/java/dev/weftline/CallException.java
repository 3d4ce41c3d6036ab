package dev.weftline;

import com.google.protobuf.Any;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.Message;
import io.grpc.Metadata;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.protobuf.StatusProto;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/// A status with details, as gRPC's richer error model has it: thrown by a method, it ends the
/// call, and the client reads the details with [#detail] or in its own language's way.
///
/// ```java
/// throw new CallException(
///     Status.Code.INVALID_ARGUMENT,
///     "the name is empty",
///     BadRequest.newBuilder().addFieldViolations(...).build());
/// ```
///
/// The details are messages of `google.rpc` (ErrorInfo, BadRequest, RetryInfo, …) or any others.
/// They travel in the trailer `grpc-status-details-bin`, as a `google.rpc.Status`.
public final class CallException extends StatusRuntimeException {
  private static final long serialVersionUID = 1;

  /// @throws IllegalArgumentException for code OK, which is no failure
  public CallException(Status.Code code, String message, Message... details) {
    super(code.toStatus().withDescription(message), trailers(code, message, List.of(details)));
  }

  private static @Nullable Metadata trailers(
      Status.Code code, String message, List<Message> details) {
    if (code == Status.Code.OK) throw new IllegalArgumentException("OK is no failure: " + message);
    if (details.isEmpty()) return null;
    var status = com.google.rpc.Status.newBuilder().setCode(code.value()).setMessage(message);
    for (var detail : details) status.addDetails(Any.pack(detail));
    return StatusProto.toStatusRuntimeException(status.build()).getTrailers();
  }

  /// The first detail of this type that came with a failure; empty when there is none, or when it
  /// cannot be read.
  ///
  /// @param failure a [StatusRuntimeException] or [StatusException], or what has one as its cause
  public static <T extends Message> Optional<T> detail(Throwable failure, Class<T> type) {
    var status = StatusProto.fromThrowable(failure);
    if (status == null) return Optional.empty();
    for (var detail : status.getDetailsList()) {
      try {
        if (detail.is(type)) return Optional.of(detail.unpack(type));
      } catch (InvalidProtocolBufferException e) {
        // What a peer put there is no reason to fail twice.
        return Optional.empty();
      }
    }
    return Optional.empty();
  }
}
