package dev.weftline.server;

import dev.weftline.CallReport;
import dev.weftline.internal.http.Field;
import dev.weftline.internal.http.Fields;
import dev.weftline.internal.protocol.TraceParent;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.security.Principal;
import java.time.Instant;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/// One line of the access log, before it is spelled.
///
/// Both spellings are numbers and quoted strings in a row, never nested and never read, so that a
/// library for JSON would bring more than the few lines here.
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
    var line = new Line(format);
    var ledger = report.ledger();
    var status = report.status();
    line.text("time", Instant.ofEpochMilli(endedMillis).toString());
    line.text("method", cut(report.method()));
    line.text("status", status.getCode().name());
    line.text("message", status.isOk() ? null : cut(status.getDescription()));
    line.text("refusal", report.refusal().orElse(null));
    line.text("peer", cut(address(report.peer())));
    line.text("authority", authority);
    line.text("userAgent", userAgent);
    line.text("traceId", traceId);
    line.text("principal", caller == null ? null : cut(caller.getName()));
    line.number("requests", report.requests());
    line.number("requestBytes", report.requestBytes());
    line.number("replies", report.replies());
    line.number("responseBytes", report.responseBytes());
    line.millis("totalMs", ledger.total());
    line.millis("requestMs", ledger.request());
    line.millis("queueMs", ledger.queue());
    line.millis("handlerMs", ledger.handler());
    line.millis("receiveWaitMs", ledger.receiveWait());
    line.millis("sendWaitMs", ledger.sendWait());
    line.millis("writeMs", ledger.write());
    return line.end();
  }

  /// `192.0.2.1:443`, `[2001:db8::1]:443`, or what else the address says of itself.
  static String address(SocketAddress address) {
    if (!(address instanceof InetSocketAddress inet) || inet.isUnresolved()) {
      return address.toString();
    }
    var host = inet.getAddress().getHostAddress();
    return (host.indexOf(':') >= 0 ? "[" + host + "]" : host) + ":" + inet.getPort();
  }

  /// A line while it is spelled.
  private static final class Line {
    private final boolean json;
    private final StringBuilder line = new StringBuilder(512);

    Line(AccessLog.Format format) {
      this.json = format == AccessLog.Format.JSON;
      if (json) line.append('{');
    }

    void text(String name, @Nullable String value) {
      if (value == null) return;
      name(name);
      if (json || !isWord(value)) JsonText.quote(line, value);
      else line.append(value);
    }

    void number(String name, long value) {
      name(name);
      line.append(value);
    }

    void millis(String name, long nanos) {
      name(name);
      line.append(String.format(Locale.ROOT, "%.3f", nanos / 1e6));
    }

    String end() {
      return (json ? line.append('}') : line).toString();
    }

    private void name(String name) {
      if (line.length() > (json ? 1 : 0)) line.append(json ? ',' : ' ');
      if (json) line.append('"').append(name).append("\":");
      else line.append(name).append('=');
    }

    private static boolean isWord(String value) {
      for (int i = 0; i < value.length(); i++) {
        char c = value.charAt(i);
        if (c <= ' ' || c > '~' || c == '"' || c == '=' || c == '\\') return false;
      }
      return !value.isEmpty();
    }
  }
}
