package dev.weftline.server;

import dev.weftline.CallReport;
import dev.weftline.internal.http.Field;
import dev.weftline.internal.http.Fields;
import dev.weftline.internal.protocol.TraceParent;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.security.Principal;
import java.time.Instant;
import org.jspecify.annotations.Nullable;

/// One line of the access log, before it is spelled.
record AccessLine(
    long endedMillis,
    CallReport report,
    @Nullable String authority,
    @Nullable String userAgent,
    @Nullable String traceId,
    @Nullable Principal caller) {
  /// What a client says of itself is cut here: a browser's user agent fits.
  private static final int CHARS_MAX = 256;

  static AccessLine of(CallReport report, Fields request, @Nullable Principal caller) {
    var authority = request.value(Field.Kind.AUTHORITY);
    return new AccessLine(
        System.currentTimeMillis(),
        report,
        cut(authority != null ? authority : request.value(Field.Kind.HOST)),
        cut(request.value("user-agent")),
        TraceParent.traceId(request.value("traceparent")),
        caller);
  }

  private static @Nullable String cut(@Nullable String text) {
    return text == null || text.length() <= CHARS_MAX ? text : text.substring(0, CHARS_MAX);
  }

  /// The line, without its end.
  String spelled(AccessLog.Format format) {
    var ledger = report.ledger();
    var status = report.status();
    return new Row(format)
        .text("time", Instant.ofEpochMilli(endedMillis).toString())
        .text("method", cut(report.method()))
        .text("status", status.getCode().name())
        .text("message", status.isOk() ? null : cut(status.getDescription()))
        .text("refusal", report.refusal().orElse(null))
        .text("peer", cut(address(report.peer())))
        .text("authority", authority)
        .text("userAgent", userAgent)
        .text("traceId", traceId)
        .text("principal", caller == null ? null : cut(caller.getName()))
        .number("requests", report.requests())
        .number("requestBytes", report.requestBytes())
        .number("replies", report.replies())
        .number("responseBytes", report.responseBytes())
        .millis("totalMs", ledger.total())
        .millis("requestMs", ledger.request())
        .millis("queueMs", ledger.queue())
        .millis("handlerMs", ledger.handler())
        .millis("receiveWaitMs", ledger.receiveWait())
        .millis("sendWaitMs", ledger.sendWait())
        .millis("writeMs", ledger.write())
        .end();
  }

  /// `192.0.2.1:443`, `[2001:db8::1]:443`, or what else the address says of itself.
  static String address(SocketAddress address) {
    if (!(address instanceof InetSocketAddress inet) || inet.isUnresolved()) {
      return address.toString();
    }
    var host = inet.getAddress().getHostAddress();
    return (host.indexOf(':') >= 0 ? "[" + host + "]" : host) + ":" + inet.getPort();
  }
}
