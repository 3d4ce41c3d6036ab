package dev.weftline.server;

import dev.weftline.LiveCall;
import dev.weftline.http.Request;
import dev.weftline.http.Response;
import dev.weftline.server.AccessLog.Format;
import java.io.IOException;
import java.net.SocketAddress;
import java.security.Principal;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;
import java.util.stream.Stream;

/// Pages about a server for whoever runs it, on an address of their own: plain HTTP, as words or,
/// for those who ask with `Accept: application/json` or `?format=json`, as JSON.
///
/// They are served by a server of their own with one loop, so that they answer while the loops of
/// the other one are busy. Whoever starts them closes them.
final class AdminPages implements AutoCloseable {
  private static final String INDEX =
      """
      /calls       the calls that are served now, the oldest first; ?stack=true with their stacks
      /stats       what the server counts
      /placements  where the calls of each method run
      /livez       200 while the process answers
      /healthz     200 while the server takes calls, 503 before and after
      Add ?format=json for JSON.
      """;

  private final Server shown;
  private final Server pages;

  AdminPages(Server shown, SocketAddress address) {
    this.shown = shown;
    this.pages =
        Server.builder()
            .address(address)
            .loops(1)
            .grace(Duration.ZERO)
            .http("/", _ -> Response.text(200, INDEX))
            .http("/calls", this::calls)
            .http("/stats", this::stats)
            .http("/placements", this::placements)
            .http("/livez", _ -> Response.text(200, "ok\n"))
            .http("/healthz", _ -> healthz())
            .build();
  }

  /// @throws IOException with one sentence for the operator, when the address is taken
  void start() throws IOException {
    pages.start();
  }

  List<SocketAddress> addresses() {
    return pages.addresses();
  }

  @Override
  public void close() {
    pages.close();
  }

  Response calls(Request request) throws InterruptedException {
    boolean stacks = request.parameter("stack").equals(Optional.of("true"));
    return rows(request, shown.calls().stream(), (call, row) -> call(call, row, stacks));
  }

  private static Row call(LiveCall call, Row row, boolean withStack) {
    var ledger = call.ledger();
    row.text("method", call.method())
        .text("peer", AccessLine.address(call.peer()))
        .text("principal", call.principal().map(Principal::getName).orElse(null))
        .millis("ageMs", call.age().toNanos());
    call.deadlineLeft().ifPresent(left -> row.millis("deadlineLeftMs", left.toNanos()));
    row.text("phase", call.phase().name())
        .number("requests", call.requests())
        .number("requestBytes", call.requestBytes())
        .number("replies", call.replies())
        .number("responseBytes", call.responseBytes())
        .millis("requestMs", ledger.request())
        .millis("queueMs", ledger.queue())
        .millis("handlerMs", ledger.handler())
        .millis("receiveWaitMs", ledger.receiveWait())
        .millis("sendWaitMs", ledger.sendWait())
        .millis("writeMs", ledger.write());
    if (withStack) row.lines("stack", call.stack().stream().map(Object::toString).toList());
    return row;
  }

  Response stats(Request request) {
    var metrics = shown.metrics();
    return rows(
        request,
        Stream.concat(metrics.methods().stream(), metrics.measures().stream()),
        (counted, row) ->
            switch (counted) {
              case MethodMetrics method -> method(method, row);
              case Measure measure -> measure(measure, row);
              default -> throw new IllegalStateException("not counted: " + counted);
            });
  }

  private static Row method(MethodMetrics method, Row row) {
    row.text("method", method.method()).number("started", method.started());
    for (var ended : method.ended()) {
      double calls = Math.max(1, ended.calls());
      row.number(ended.status().name(), ended.calls())
          .decimal(ended.status().name() + ".meanMs", 1e3 * ended.duration().sum() / calls);
    }
    return row;
  }

  private static Row measure(Measure measure, Row row) {
    row.text("measure", measure.name());
    measure.labels().forEach(row::text);
    return row.decimal("value", measure.value()).text("unit", measure.unit());
  }

  Response placements(Request request) {
    return rows(
        request,
        shown.placements().stream(),
        (method, row) ->
            row.text("method", method.method())
                .text("placement", method.placement().name())
                .text("now", method.now().name())
                .number("callsOnLoop", method.callsOnLoop())
                .number("callsShared", method.callsShared())
                .number("stalls", method.stalls())
                .millis("longestHoldMs", method.longestHold().toNanos()));
  }

  private Response healthz() {
    return shown.isServing()
        ? Response.text(200, "serving\n")
        : Response.text(503, "not serving\n");
  }

  private interface Spelling<T> {
    Row spell(T value, Row row);
  }

  private static <T> Response rows(
      Request request, Stream<? extends T> values, Spelling<T> spelling) {
    boolean json =
        request.parameter("format").equals(Optional.of("json"))
            || request
                .field("accept")
                .filter(types -> types.contains("application/json"))
                .isPresent();
    Function<T, String> row =
        value -> spelling.spell(value, new Row(json ? Format.JSON : Format.TEXT)).end();
    var rows = values.map(row).toList();
    return json
        ? Response.json(200, "[" + String.join(",\n", rows) + "]\n")
        : Response.text(200, rows.isEmpty() ? "" : String.join("\n", rows) + "\n");
  }
}
