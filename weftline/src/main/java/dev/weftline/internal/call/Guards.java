package dev.weftline.internal.call;

import dev.weftline.Guard;
import io.grpc.Metadata;
import io.grpc.Status;
import io.grpc.StatusException;
import io.grpc.StatusRuntimeException;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.util.List;

/// The guards of a server, in the order in which they are asked. Any thread.
record Guards(List<Guard> guards) {
  static final Guards NONE = new Guards(List.of());

  private static final Logger log = System.getLogger(Guards.class.getName());

  /// A guard that fails lets nobody in.
  private static final Status NOT_DECIDED =
      Status.INTERNAL.withDescription("the call cannot be authorised");

  Guards {
    guards = List.copyOf(guards);
  }

  boolean isEmpty() {
    return guards.isEmpty();
  }

  /// On the call thread: whether all let the call in. One that does not ends it. A call that was
  /// cancelled meanwhile is not let in: nobody waits for it.
  boolean admit(InboundCall call) {
    for (var guard : guards) {
      if (call.isCancelled() || !admit(call, guard)) return false;
    }
    return !call.isCancelled();
  }

  private static boolean admit(InboundCall call, Guard guard) {
    var method = call.method().getFullMethodName();
    Status status;
    Metadata trailers = null;
    try {
      guard.admit(call).ifPresent(call::identified);
      return true;
    } catch (StatusException e) {
      status = e.getStatus();
      trailers = e.getTrailers();
    } catch (StatusRuntimeException e) {
      status = e.getStatus();
      trailers = e.getTrailers();
    } catch (Throwable e) {
      // What tears a guard of a cancelled call out of its wait is no news.
      var level = call.isCancelled() ? Level.DEBUG : Level.WARNING;
      log.log(level, "a guard failed before " + method, e);
      status = NOT_DECIDED;
    }
    if (status.isOk()) {
      log.log(Level.WARNING, "a guard refused {0} with OK", method);
      status = NOT_DECIDED;
    }
    if (call.response().close(status, trailers != null ? trailers : new Metadata())) {
      call.settings().counters().refuseByGuard(status.getCode());
    }
    return false;
  }
}
