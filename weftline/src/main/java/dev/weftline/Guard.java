package dev.weftline;

import io.grpc.StatusException;
import java.security.Principal;
import java.util.Collection;
import java.util.List;
import java.util.Optional;

/// Stands before the methods of a server and decides which calls are let in: authentication and
/// authorisation. Guards are asked in the order in which they were added, on the call thread,
/// before interceptors and the method; they may block. Any number of threads at once.
///
/// A guard stands before every method that the server has, also those of grpc-java services,
/// health, reflection and fallback registries. One that throws anything lets nobody in. When the
/// client gives up or the deadline passes meanwhile, the guard's thread is interrupted and the
/// method does not run.
///
/// The call thread may be carried by an event loop: what computes for long, such as public-key
/// cryptography, belongs on a thread of its own ([Thread#startVirtualThread]), which runs on the
/// JDK's scheduler. A guard that holds the loop for longer than the stall budget moves the method
/// that it stands before.
@FunctionalInterface
public interface Guard {
  /// Lets the call in, and tells who calls, if that is known here.
  ///
  /// @throws StatusException to refuse the call; its status and trailers go to the client
  Optional<Principal> admit(CallInfo call) throws StatusException;

  /// The methods that this guard makes a difference for, so that a misspelt one does not stay
  /// unguarded, or closed: a server without a fallback registry is not built when it has no method
  /// of that name.
  ///
  /// Each is `package.Service/Method`, `package.Service/*`, `package.*` for every service in and
  /// below a package, or `*`.
  default Collection<String> methods() {
    return List.of();
  }
}
