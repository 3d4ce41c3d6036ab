package dev.weftline;

import java.net.SocketAddress;
import java.security.Principal;
import java.time.Duration;
import java.util.List;
import java.util.Optional;

/// A call that is served just now: a snapshot, for whoever asks what a server is doing.
///
/// @param method its full name, such as `helloworld.Greeter/SayHello`
/// @param peer the client, or the proxy before it
/// @param age since its headers came
/// @param deadlineLeft never negative; empty when the client set no deadline
/// @param phase what it is in, or waits for
/// @param ledger where its time went so far
/// @param requestBytes octets of the messages received so far, without their prefixes
/// @param requests messages received so far
/// @param responseBytes octets of the messages sent so far, without their prefixes
/// @param replies messages sent so far
/// @param principal who calls, if a [Guard] has told
/// @param thread its call thread; empty before it runs
public record LiveCall(
    String method,
    SocketAddress peer,
    Duration age,
    Optional<Duration> deadlineLeft,
    CallLedger.Phase phase,
    CallLedger ledger,
    long requestBytes,
    int requests,
    long responseBytes,
    int replies,
    Optional<Principal> principal,
    Optional<Thread> thread) {

  /// What its thread executes now; empty before it runs and after it ended.
  public List<StackTraceElement> stack() {
    return thread.map(t -> List.of(t.getStackTrace())).orElse(List.of());
  }
}
