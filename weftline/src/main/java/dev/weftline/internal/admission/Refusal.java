package dev.weftline.internal.admission;

import io.grpc.Status;

/// Why a call was turned away for the server's own reasons. The names are the `reason` of the
/// `google.rpc.ErrorInfo` that clients get, and of the counters.
public enum Refusal {
  /// As many calls as may be are under way, and as many wait as may wait.
  CONCURRENCY_LIMIT("overload.limits"),
  /// It waited for a place for as long as one may.
  QUEUE_WAIT("overload.queueWait"),
  /// Its deadline comes before the method's calls of late were done.
  DEADLINE_TOO_SHORT("overload.deadlines"),
  /// The server holds as many octets for its clients as it may.
  BYTE_BUDGET("overload.budgetBytes");

  private final String setting;

  Refusal(String setting) {
    this.setting = setting;
  }

  /// What such a call ends with, for whoever counts and logs; clients are told more.
  public Status status() {
    return Status.RESOURCE_EXHAUSTED.withDescription(name());
  }

  /// The option that decides about it.
  String setting() {
    return setting;
  }
}
