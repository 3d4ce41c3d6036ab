package dev.weftline.internal.call;

import dev.weftline.CallLedger;
import java.util.Locale;

/// A ledger as a field: a list of metrics with durations in milliseconds, as Server-Timing has it
/// (W3C, "Server Timing", §3).
final class LedgerTrailer {
  private LedgerTrailer() {}

  static String of(CallLedger ledger) {
    return String.format(
        Locale.ROOT,
        "request;dur=%.3f, queue;dur=%.3f, handler;dur=%.3f, receive-wait;dur=%.3f,"
            + " send-wait;dur=%.3f, total;dur=%.3f",
        ledger.request() / 1e6,
        ledger.queue() / 1e6,
        ledger.handler() / 1e6,
        ledger.receiveWait() / 1e6,
        ledger.sendWait() / 1e6,
        ledger.total() / 1e6);
  }
}
