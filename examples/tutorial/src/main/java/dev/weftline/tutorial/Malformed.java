package dev.weftline.tutorial;

import com.google.rpc.BadRequest;
import com.google.rpc.BadRequest.FieldViolation;
import dev.weftline.CallException;
import io.grpc.Status;

/// A request that makes no sense, as its sender is told: INVALID_ARGUMENT, a sentence, and which
/// field it is about, for programs.
final class Malformed {
  private Malformed() {}

  static CallException field(String field, String description) {
    var violation = FieldViolation.newBuilder().setField(field).setDescription(description);
    return new CallException(
        Status.Code.INVALID_ARGUMENT,
        field + " " + description,
        BadRequest.newBuilder().addFieldViolations(violation).build());
  }
}
