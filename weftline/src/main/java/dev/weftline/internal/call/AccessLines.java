package dev.weftline.internal.call;

import dev.weftline.CallReport;
import dev.weftline.internal.http.Fields;
import java.security.Principal;
import org.jspecify.annotations.Nullable;

/// Is told of every call that is over, whether it began or not, on its loop: must not block.
@FunctionalInterface
public interface AccessLines {
  /// A call is over.
  ///
  /// @param request the header section, which must not be kept: it may be large
  /// @param caller null when nobody has told
  void ended(CallReport report, Fields request, @Nullable Principal caller);
}
