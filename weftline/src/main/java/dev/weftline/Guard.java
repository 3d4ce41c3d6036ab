package dev.weftline;

import io.grpc.StatusException;
import java.security.Principal;
import java.util.Optional;

/// Stands before the methods of a server and decides which calls are let in: authentication and
/// authorisation. Guards are asked in the order in which they were added, on the call thread,
/// before interceptors and the method; they may block. Any number of threads at once.
@FunctionalInterface
public interface Guard {
  /// Lets the call in, and tells who calls, if that is known here.
  ///
  /// @throws StatusException to refuse the call; its status and trailers go to the client
  Optional<Principal> admit(CallInfo call) throws StatusException;
}
