package dev.weftline;

/// Where the time of one call went, in nanoseconds. The parts follow each other and add up:
///
/// ```
///  opened      ready        begun                      ended          over
///    │ request   │  queue     │ handler                  │  write       │
///    │           │            │  ⊇ receiveWait, sendWait │              │
///    └───────────┴────────────┴───────── total ──────────┴──────────────┘
/// ```
///
/// - *opened*: the loop looks at what brought the call's headers;
/// - *ready*: its thread can be started: the request is whole, or, for a method that takes a stream
///   of requests, at once;
/// - *begun*: its thread runs, before guards, interceptors and the method;
/// - *ended*: the status is decided, by the method's return or whatever came first;
/// - *over*: the response is written to its end, or the stream is gone.
///
/// A part that a call never came to is 0: one that was refused has `request` and `write` only, one
/// whose deadline passed in the queue has no `handler`. While a call is open, the part that it is
/// in reaches until now.
///
/// The loop reads its clock once for all that one read brings and for all that one turn writes, so
/// `request` is 0 where the request came with the headers, and calls of one batch share a time.
///
/// @param request until the request was whole
/// @param queue from there until the call thread ran
/// @param handler from there until the status was decided, whoever decided it
/// @param receiveWait of `handler`: the method waited for the client's messages
/// @param sendWait of `handler`: the method waited for the client to take what was sent
/// @param write from the status until the last octet was written, or the stream was gone
/// @param total from the headers to the end
public record CallLedger(
    long request,
    long queue,
    long handler,
    long receiveWait,
    long sendWait,
    long write,
    long total) {

  /// Of a call that was refused within the read that brought it.
  public static final CallLedger NONE = new CallLedger(0, 0, 0, 0, 0, 0, 0);

  /// What a call is in, or waits for.
  public enum Phase {
    /// The rest of the request.
    REQUEST("waiting for the rest of the request"),
    /// A thread.
    QUEUE("waiting for a thread"),
    /// Its method runs, or waits for something of its own.
    HANDLER("running"),
    /// The method waits for the client's next message.
    CLIENT_MESSAGE("waiting for the client's next message"),
    /// The method waits for the client to take what was sent.
    SEND_WINDOW("waiting for the client to take what was sent"),
    /// The end of the response is to be written.
    WRITE("waiting to be written");

    private final String text; // behind "still"

    Phase(String text) {
      this.text = text;
    }

    @Override
    public String toString() {
      return text;
    }
  }

  /// `queue 3.0 ms, handler 180 ms (120 ms of it waiting for the client's messages), write 0.2 ms`;
  /// parts below a microsecond are left out.
  @Override
  public String toString() {
    var text = new StringBuilder();
    part(text, "request", request);
    part(text, "queue", queue);
    part(text, "handler", handler);
    if (receiveWait >= 1_000) {
      text.append(" (")
          .append(millis(receiveWait))
          .append(" of it waiting for the client's messages)");
    }
    if (sendWait >= 1_000) {
      text.append(" (").append(millis(sendWait)).append(" of it waiting for the client to read)");
    }
    part(text, "write", write);
    return text.isEmpty() ? "no time" : text.toString();
  }

  private static void part(StringBuilder text, String name, long nanos) {
    if (nanos < 1_000) return;
    if (!text.isEmpty()) text.append(", ");
    text.append(name).append(' ').append(millis(nanos));
  }

  /// `0.012 ms`, `3.1 ms`, `180 ms`: what a person compares at a glance.
  public static String millis(long nanos) {
    // By hand: a surge of calls that expire together tells this on the loop, which String.format
    // would hold for long while it is not compiled.
    if (nanos >= 100_000_000) return (nanos + 500_000) / 1_000_000 + " ms";
    if (nanos >= 1_000_000) {
      long tenths = (nanos + 50_000) / 100_000;
      return tenths / 10 + "." + tenths % 10 + " ms";
    }
    long micros = (Math.max(0, nanos) + 500) / 1_000;
    return micros / 1_000 + "." + (1_000 + micros % 1_000 + "").substring(1) + " ms";
  }
}
