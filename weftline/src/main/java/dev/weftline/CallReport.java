package dev.weftline;

import io.grpc.Status;
import java.net.SocketAddress;
import java.util.Optional;

/// What became of one call.
///
/// @param method its full name as the client asked for it, such as `helloworld.Greeter/SayHello`
/// @param known whether the server has that method. What it does not have is a name that the client
///   made up: it must not become the label of a metric or the name of a span
/// @param status what the call ended with, as far as the server knows: the client's own may differ
///   where it gave the call up
/// @param refusal why the call was refused before its method was thought of, as one of a few
///   constants such as `UNKNOWN_METHOD`; empty for all others
/// @param ledger where its time went
/// @param requestBytes octets of the messages received, compressed where they were, without their
///   prefixes
/// @param requests messages received
/// @param responseBytes octets of the messages sent, in the same way
/// @param replies messages sent
/// @param peer the client, or the proxy before it
public record CallReport(
    String method,
    boolean known,
    Status status,
    Optional<String> refusal,
    CallLedger ledger,
    long requestBytes,
    int requests,
    long responseBytes,
    int replies,
    SocketAddress peer) {}
