package dev.weftline.server;

import com.google.common.util.concurrent.Futures;
import com.google.common.util.concurrent.ListenableFuture;
import io.grpc.InternalInstrumented;
import io.grpc.InternalLogId;

/// Something that grpc-java's channelz can show.
abstract class Instrumented<T> implements InternalInstrumented<T> {
  private final InternalLogId logId;

  Instrumented(String type, String details) {
    this.logId = InternalLogId.allocate(type, details);
  }

  abstract T stats();

  @Override
  public ListenableFuture<T> getStats() {
    return Futures.immediateFuture(stats());
  }

  @Override
  public InternalLogId getLogId() {
    return logId;
  }
}
