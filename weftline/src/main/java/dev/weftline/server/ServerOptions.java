package dev.weftline.server;

import static dev.weftline.server.ServerOption.ADDRESS;
import static dev.weftline.server.ServerOption.BYTES;
import static dev.weftline.server.ServerOption.COUNT;
import static dev.weftline.server.ServerOption.FILE;
import static dev.weftline.server.ServerOption.LIST;
import static dev.weftline.server.ServerOption.NUMBERS;
import static dev.weftline.server.ServerOption.SHARE;
import static dev.weftline.server.ServerOption.SWITCH;
import static dev.weftline.server.ServerOption.TEXT;
import static dev.weftline.server.ServerOption.TIME;
import static dev.weftline.server.ServerOption.oneOf;
import static java.lang.Math.toIntExact;

import dev.weftline.Placement;
import java.util.List;

/// Every option that operators may set, once: what reads flags, environment and files, and the
/// table in the README, are made of this list.
final class ServerOptions {
  static final List<ServerOption<?>> ALL =
      List.of(
          new ServerOption<>(
              "port",
              "port",
              COUNT,
              "a free one",
              "the port, on every interface; `PORT` means the same",
              (d, v) -> d.builder.port(v)),
          new ServerOption<>(
              "address",
              "address",
              ADDRESS,
              "every interface",
              "an address to listen on as well; `unix:/path` is a Unix domain socket",
              (d, v) -> d.builder.address(v)),
          new ServerOption<>(
              "reuse-port",
              "reusePort",
              SWITCH,
              "off",
              "SO_REUSEPORT: a new process may listen beside the old one",
              (d, v) -> d.builder.reusePort(v)),
          new ServerOption<>(
              "loops", "loops", COUNT, "one per core", "event loops", (d, v) -> d.builder.loops(v)),
          new ServerOption<>(
              "placement",
              "placement",
              oneOf(Placement.class),
              "adaptive",
              "where calls run whose method does not say: on their event loop, on the JDK's scheduler, or whichever suits",
              (d, v) -> d.builder.placement(v)),
          new ServerOption<>(
              "stall-budget",
              "stallBudget",
              TIME,
              "2ms",
              "how long a call may hold its loop before it is reported and its method moves away",
              (d, v) -> d.builder.stallBudget(v)),
          new ServerOption<>(
              "tls-chain",
              "tls",
              FILE,
              "plain text",
              "the certificate chain, PEM; looked at again every 10 s",
              (d, v) -> {
                d.chain = v;
              }),
          new ServerOption<>(
              "tls-key",
              "tls",
              FILE,
              "plain text",
              "its private key, PEM",
              (d, v) -> {
                d.key = v;
              }),
          new ServerOption<>(
              "tls-key-password",
              "TlsFiles.pem",
              TEXT,
              "none",
              "the password of that key",
              (d, v) -> {
                d.keyPassword = v;
              }),
          new ServerOption<>(
              "tls-store",
              "TlsFiles.pkcs12",
              FILE,
              "plain text",
              "a PKCS#12 store with both, instead",
              (d, v) -> {
                d.store = v;
              }),
          new ServerOption<>(
              "tls-store-password",
              "TlsFiles.pkcs12",
              TEXT,
              "empty",
              "its password",
              (d, v) -> {
                d.storePassword = v;
              }),
          new ServerOption<>(
              "tls-client-roots",
              "TlsFiles.withClients…",
              FILE,
              "clients are not asked",
              "the roots that client certificates must lead to, PEM",
              (d, v) -> {
                d.clientRoots = v;
              }),
          new ServerOption<>(
              "tls-client-certificates",
              "TlsFiles.withClients…",
              oneOf(ServerDraft.ClientCertificates.class),
              "required",
              "whether clients must show one, where roots are given",
              (d, v) -> {
                d.clientCertificates = v;
              }),
          new ServerOption<>(
              "lame-duck",
              "lameDuck",
              TIME,
              "5s",
              "how long a server that drains still takes calls, if anybody ever asked for health",
              (d, v) -> d.builder.lameDuck(v)),
          new ServerOption<>(
              "grace",
              "grace",
              TIME,
              "20s",
              "how long a server that takes nothing new lets calls finish",
              (d, v) -> d.builder.grace(v)),
          new ServerOption<>(
              "signals",
              "signals",
              SWITCH,
              "on",
              "SIGTERM and SIGINT drain the server and end the process",
              (d, v) -> d.builder.signals(v)),
          new ServerOption<>(
              "health",
              "health",
              SWITCH,
              "on",
              "grpc.health.v1.Health, `/healthz` and `/livez`",
              (d, v) -> d.builder.health(v)),
          new ServerOption<>(
              "reflection",
              "reflection",
              SWITCH,
              "on",
              "reflection v1 and v1alpha",
              (d, v) -> d.builder.reflection(v)),
          new ServerOption<>(
              "channelz",
              "channelz",
              SWITCH,
              "off",
              "grpc.channelz.v1.Channelz",
              (d, v) -> d.builder.channelz(v)),
          new ServerOption<>(
              "max-inbound-message",
              "Limits.maxInboundMessageBytes",
              BYTES,
              "4MiB",
              "one message, before and after decompression",
              (d, v) -> d.limits(l -> l.withMaxInboundMessageBytes(toIntExact(v)))),
          new ServerOption<>(
              "send-buffer",
              "Limits.sendBufferBytes",
              BYTES,
              "256KiB",
              "what one call may have unsent before its sender waits",
              (d, v) -> d.limits(l -> l.withSendBufferBytes(toIntExact(v)))),
          new ServerOption<>(
              "max-streams",
              "Limits.streamsMax",
              COUNT,
              "1000",
              "calls open on one connection",
              (d, v) -> d.limits(l -> l.withStreamsMax(v))),
          new ServerOption<>(
              "max-fields",
              "Limits.fieldBytesMax",
              BYTES,
              "16KiB",
              "metadata of one request",
              (d, v) -> d.limits(l -> l.withFieldBytesMax(toIntExact(v)))),
          new ServerOption<>(
              "window",
              "Limits.windowBytes",
              BYTES,
              "64KiB",
              "flow-control window of one call at first",
              (d, v) ->
                  d.limits(l ->
                      l.withWindowBytes(
                          toIntExact(v), Math.max(toIntExact(v), l.windowBytesMax())))),
          new ServerOption<>(
              "max-window",
              "Limits.windowBytesMax",
              BYTES,
              "4MiB",
              "how far that grows with bandwidth and delay",
              (d, v) -> d.limits(l -> l.withWindowBytes(l.windowBytes(), toIntExact(v)))),
          new ServerOption<>(
              "handshake",
              "Limits.handshake",
              TIME,
              "10s",
              "from accept to the client's first SETTINGS",
              (d, v) -> d.limits(l -> l.withHandshake(v))),
          new ServerOption<>(
              "max-connections",
              "ConnectionLimits.connectionsMax",
              COUNT,
              "by heap and file descriptors",
              "open at once; what comes then is closed at once, before TLS, and counted",
              (d, v) -> d.connections(c -> c.withConnectionsMax(v))),
          new ServerOption<>(
              "max-connections-per-peer",
              "ConnectionLimits.perPeerMax",
              COUNT,
              "any number",
              "the same from one IPv4 address or IPv6 network of 64 bits",
              (d, v) -> d.connections(c -> c.withPerPeerMax(v))),
          new ServerOption<>(
              "max-idle",
              "ConnectionLimits.idleMax",
              TIME,
              "for ever",
              "after so long without a call a connection is drained",
              (d, v) -> d.connections(c -> c.withIdleMax(v))),
          new ServerOption<>(
              "max-age",
              "ConnectionLimits.ageMax",
              TIME,
              "for ever",
              "at this age, give or take a tenth, a connection is drained",
              (d, v) -> d.connections(c -> c.withAgeMax(v))),
          new ServerOption<>(
              "max-age-grace",
              "ConnectionLimits.ageGrace",
              TIME,
              "for ever",
              "what calls on an old connection get to finish",
              (d, v) -> d.connections(c -> c.withAgeGrace(v))),
          new ServerOption<>(
              "keepalive-time",
              "ConnectionLimits.keepaliveTime",
              TIME,
              "2h",
              "silence before the server pings",
              (d, v) -> d.connections(c -> c.withKeepaliveTime(v))),
          new ServerOption<>(
              "keepalive-timeout",
              "ConnectionLimits.keepaliveTimeout",
              TIME,
              "20s",
              "silence after that before it gives up",
              (d, v) -> d.connections(c -> c.withKeepaliveTimeout(v))),
          new ServerOption<>(
              "permit-keepalive-time",
              "ConnectionLimits.permitKeepaliveTime",
              TIME,
              "5s",
              "how often a client may ping; more often is `too_many_pings`",
              (d, v) -> d.connections(c -> c.withPermitKeepaliveTime(v))),
          new ServerOption<>(
              "permit-keepalive-without-calls",
              "ConnectionLimits.permitKeepaliveWithoutCalls",
              SWITCH,
              "on",
              "whether it may without calls",
              (d, v) -> d.connections(c -> c.withPermitKeepaliveWithoutCalls(v))),
          new ServerOption<>(
              "proxy-protocol",
              "proxyProtocol",
              LIST,
              "nobody",
              "addresses and networks whose connections begin with a PROXY header (1 or 2), which tells the client",
              (d, v) -> d.builder.proxyProtocol(v.toArray(String[]::new))),
          new ServerOption<>(
              "x-forwarded",
              "xForwarded",
              LIST,
              "nobody",
              "those whose X-Forwarded-For and -Proto name the client of a request",
              (d, v) -> d.builder.xForwarded(v.toArray(String[]::new))),
          new ServerOption<>(
              "forwarded",
              "forwarded",
              LIST,
              "nobody",
              "those whose Forwarded (RFC 7239) does",
              (d, v) -> d.builder.forwarded(v.toArray(String[]::new))),
          new ServerOption<>(
              "adaptive",
              "Overload.adaptive",
              SWITCH,
              "on",
              "finds how many calls of each unary method may be under way; no limit while calls take as long as they do alone",
              (d, v) -> d.overload(o -> o.withAdaptive(v))),
          new ServerOption<>(
              "deadlines",
              "Overload.deadlines",
              SWITCH,
              "on",
              "refuses calls that cannot be done before their deadline, by what the method's calls took of late",
              (d, v) -> d.overload(o -> o.withDeadlines(v))),
          new ServerOption<>(
              "limits",
              "Overload.withLimit",
              NUMBERS,
              "none",
              "calls at once of a method, `pkg.Service/Method=64`, or of each method of a service; streams too",
              (d, v) -> v.forEach((method, calls) -> d.overload(o -> o.withLimit(method, calls)))),
          new ServerOption<>(
              "max-calls",
              "Overload.callsMax",
              COUNT,
              "any number",
              "calls at once, all methods together",
              (d, v) -> d.overload(o -> o.withCallsMax(v))),
          new ServerOption<>(
              "priorities",
              "Overload.withPriority",
              NUMBERS,
              "0",
              "whose waiting calls take a free place of `max-calls` first: the higher number",
              (d, v) ->
                  v.forEach((method, first) -> d.overload(o -> o.withPriority(method, first)))),
          new ServerOption<>(
              "queue-wait",
              "Overload.queueWait",
              TIME,
              "100ms",
              "how long a call may wait for a place; under an adaptive limit no longer than calls usually take",
              (d, v) -> d.overload(o -> o.withQueueWait(v))),
          new ServerOption<>(
              "byte-budget",
              "Overload.budgetBytes",
              BYTES,
              "a quarter of the heap",
              "what the server may hold for its clients: unread replies, requests that have not come whole",
              (d, v) -> d.overload(o -> o.withBudgetBytes(v))),
          new ServerOption<>(
              "http-content",
              "httpContentBytesMax",
              BYTES,
              "1MiB",
              "what one plain HTTP request may bring",
              (d, v) -> d.builder.httpContentBytesMax(toIntExact(v))),
          new ServerOption<>(
              "http-timeout",
              "httpTimeout",
              TIME,
              "30s",
              "how long it may take",
              (d, v) -> d.builder.httpTimeout(v)),
          new ServerOption<>(
              "access-log",
              "accessLog",
              oneOf(AccessLog.Format.class),
              "none",
              "a line for each call, to the system logger `dev.weftline.access`",
              (d, v) -> {
                d.accessLog = v == AccessLog.Format.JSON ? AccessLog.json() : AccessLog.text();
              }),
          new ServerOption<>(
              "access-log-sampled",
              "AccessLog.sampled",
              SHARE,
              "1",
              "the share of calls that ended well which get one",
              (d, v) -> {
                d.sampled = v;
              }),
          new ServerOption<>(
              "access-log-file",
              "AccessLog.to",
              FILE,
              "the system logger",
              "where lines go instead",
              (d, v) -> {
                d.accessLogFile = v;
              }),
          new ServerOption<>(
              "admin-port",
              "admin",
              COUNT,
              "none",
              "`/calls`, `/stats`, `/placements`, `/livez`, `/healthz` at this port of the loopback interface",
              (d, v) -> d.builder.admin(v)),
          new ServerOption<>(
              "ledger-trailer",
              "ledgerTrailer",
              SWITCH,
              "off",
              "clients may ask for the ledger of a call with `weftline-debug: ledger`",
              (d, v) -> d.builder.ledgerTrailer(v)));

  private ServerOptions() {}

  /// The list as a Markdown table.
  static String markdown() {
    var table =
        new StringBuilder(
            "| flag, variable, line of a file | in code | default | |\n|---|---|---|---|\n");
    for (var option : ALL) {
      table.append(
          "| `%s` | `%s` | %s | %s |%n"
              .formatted(option.name(), option.code(), option.preset(), option.meaning()));
    }
    return table.toString();
  }
}
