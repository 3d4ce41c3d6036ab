package dev.weftline.internal.call;

/// Marks what answers at once, whatever happens: it computes a little, waits for nothing and takes
/// no lock for long. Such a unary method, or handler of plain HTTP, needs no thread: the loop runs
/// it with the read that brought its request, before all that waits for a thread on a busy server.
///
/// For what the server itself offers, such as the health that a load balancer asks for.
public interface Prompt {}
