package dev.weftline;

import static dev.weftline.testing.Probe.answer;
import static dev.weftline.testing.Probe.answerOf;
import static dev.weftline.testing.Probe.ask;
import static dev.weftline.testing.Probe.framed;
import static org.assertj.core.api.Assertions.assertThat;

import dev.weftline.client.OutboundCall;
import dev.weftline.internal.call.CallCounters;
import dev.weftline.internal.call.Route;
import dev.weftline.internal.call.Router;
import dev.weftline.internal.grpcjava.BridgedService;
import dev.weftline.internal.grpcjava.ConnectionAttributes;
import dev.weftline.internal.straight.ServiceRoutes;
import dev.weftline.probe.ProbeGrpc;
import dev.weftline.server.Server;
import dev.weftline.testing.MemoryExchange;
import dev.weftline.testing.Probe;
import dev.weftline.testing.Reports;
import dev.weftline.testing.RunningServer;
import dev.weftline.testing.StraightProbe;
import io.grpc.CallOptions;
import io.grpc.ClientCall;
import io.grpc.ClientInterceptor;
import io.grpc.Context;
import io.grpc.ForwardingClientCall.SimpleForwardingClientCall;
import io.grpc.ForwardingClientCallListener.SimpleForwardingClientCallListener;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import io.grpc.Status;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/// Where the time of a call went, and who is told.
@Timeout(60)
final class CallLedgerTest {
  private static final long MILLI = 1_000_000;

  private static final Metadata.Key<String> LEDGER =
      Metadata.Key.of("weftline-ledger", Metadata.ASCII_STRING_MARSHALLER);

  private final Reports reports = new Reports();

  private RunningServer serve(StraightProbe probe) {
    return serve(probe, builder -> builder);
  }

  private RunningServer serve(StraightProbe probe, UnaryOperator<Server.Builder> options) {
    return RunningServer.with(
        builder -> options.apply(builder.addService(probe.service()).observe(reports)));
  }

  /// A router without a server, for what a client on a socket would not do in time.
  private Router router(StraightProbe probe) {
    var bridge =
        new BridgedService(
            List.of(),
            null,
            List.of(),
            Context.ROOT,
            new ConnectionAttributes(List.of()),
            Probe.placements());
    var routes = new ArrayList<Route>(ServiceRoutes.of(probe.service(), bridge));
    return new Router(
        routes, null, Probe.settings(new CallCounters()).withObservers(List.of(reports)));
  }

  private static void assertAddsUp(CallLedger ledger) {
    assertThat(ledger.request() + ledger.queue() + ledger.handler() + ledger.write())
        .as("parts of %s", ledger)
        .isEqualTo(ledger.total());
    assertThat(ledger.receiveWait()).isBetween(0L, ledger.handler());
    assertThat(ledger.sendWait()).isBetween(0L, ledger.handler());
  }

  @Test
  void thePartsOfAUnaryCallAddUp() {
    var probe =
        StraightProbe.unary(ask -> {
          Thread.sleep(20);
          return answer(ask.getText());
        });
    try (var server = serve(probe)) {
      server.blocking().unary(ask("x"));
      var report = reports.ended();
      assertAddsUp(report.ledger());
      assertThat(report.ledger().handler()).isGreaterThanOrEqualTo(20 * MILLI);
      assertThat(report.ledger().receiveWait()).isZero();
      assertThat(report.ledger().sendWait()).isZero();
      assertThat(report.method()).isEqualTo("weftline.probe.Probe/Unary");
      assertThat(report.known()).isTrue();
      assertThat(report.status().isOk()).isTrue();
      assertThat(report.refusal()).isEmpty();
      assertThat(report.requests()).isEqualTo(1);
      assertThat(report.requestBytes()).isEqualTo(ask("x").getSerializedSize());
      assertThat(report.replies()).isEqualTo(1);
      assertThat(report.responseBytes()).isEqualTo(answer("x").getSerializedSize());
    }
    assertThat(reports.left()).as("told once").isZero();
  }

  @Test
  void waitingForTheClientsMessagesIsAccountedFor() throws Exception {
    var waiting = new CountDownLatch(1);
    var probe =
        StraightProbe.up(asks -> {
          int sum = 0;
          waiting.countDown();
          for (var ask : asks) sum += ask.getNumber();
          return answer(sum);
        });
    try (var server = serve(probe)) {
      var call = OutboundCall.open(server.channel(), ProbeGrpc.getUpMethod(), CallOptions.DEFAULT);
      call.send(ask(1));
      waiting.await();
      Thread.sleep(50);
      call.send(ask(2));
      call.halfClose();
      assertThat(call.reply()).isEqualTo(answer(3));
      var report = reports.ended();
      assertAddsUp(report.ledger());
      // Some of the 50 ms may have passed before the method came to wait.
      assertThat(report.ledger().receiveWait()).isGreaterThan(5 * MILLI);
      assertThat(report.requests()).isEqualTo(2);
    }
  }

  @Test
  void waitingForTheClientToReadIsAccountedFor() {
    var probe =
        StraightProbe.down((ask, answers) -> {
          for (int i = 0; i < ask.getNumber(); i++) answers.send(answerOf(64 << 10));
        });
    var exchange = MemoryExchange.open(router(probe), MemoryExchange.request(Probe.DOWN), false);
    exchange.window(0);
    exchange.dataAndEnd(framed(ask(16)));
    awaitFullBuffer(exchange);
    exchange.window(Long.MAX_VALUE);
    exchange.await();
    var report = reports.ended();
    assertAddsUp(report.ledger());
    assertThat(report.ledger().sendWait()).isGreaterThan(5 * MILLI);
    assertThat(report.replies()).isEqualTo(16);
    assertThat(report.responseBytes()).isEqualTo(16L * answerOf(64 << 10).getSerializedSize());
  }

  /// Until more is unsent than the send budget, and then for a time that can be told from none.
  private static void awaitFullBuffer(MemoryExchange exchange) {
    try {
      while (exchange.unsentBytes() <= Probe.SEND_BUFFER_BYTES) Thread.sleep(1);
      Thread.sleep(50);
    } catch (InterruptedException e) {
      throw new AssertionError(e);
    }
  }

  @Test
  void theTextOfADeadlineNamesThePartsAndWhatTheCallIsIn() {
    var probe =
        StraightProbe.unary(_ -> {
          Thread.sleep(60_000);
          return answer("too late");
        });
    var request = MemoryExchange.request(Probe.UNARY).add("grpc-timeout", "100m");
    var exchange = MemoryExchange.open(router(probe), request, false);
    exchange.dataAndEnd(framed(ask("x"))).await();
    assertThat(exchange.status()).isEqualTo("4");
    assertThat(exchange.message())
        .startsWith("deadline of 100 ms passed: ")
        .containsPattern("handler 1?[0-9][0-9](\\.[0-9])? ms")
        .endsWith(", still running");
    var report = reports.ended();
    assertAddsUp(report.ledger());
    assertThat(report.status().getCode()).isEqualTo(Status.Code.DEADLINE_EXCEEDED);
  }

  @Test
  void aCallWhoseRequestNeverCameIsRefusedAndSaysSo() {
    var request = MemoryExchange.request(Probe.UNARY).add("grpc-timeout", "50m");
    var exchange = MemoryExchange.open(router(StraightProbe.echo()), request, false);
    exchange.await();
    assertThat(exchange.message())
        .startsWith("deadline of 50.0 ms passed: request ")
        .endsWith(", still waiting for the rest of the request");
    var report = reports.refused();
    assertAddsUp(report.ledger());
    assertThat(report.ledger().request()).isGreaterThanOrEqualTo(50 * MILLI);
    assertThat(report.ledger().queue()).isZero();
    assertThat(report.ledger().handler()).isZero();
    assertThat(reports.left()).isZero();
  }

  @Test
  void aStreamThatWaitsForItsClientSaysSo() {
    var request = MemoryExchange.request(Probe.UP).add("grpc-timeout", "100m");
    var exchange = MemoryExchange.open(router(StraightProbe.echo()), request, false);
    exchange.await();
    assertThat(exchange.message())
        .contains("of it waiting for the client's messages)")
        .endsWith(", still waiting for the client's next message");
    assertThat(reports.ended().ledger().receiveWait()).isGreaterThan(5 * MILLI);
  }

  @Test
  void anUnknownMethodIsReportedUnderTheNameItWasAskedBy() {
    var exchange =
        MemoryExchange.open(
            router(StraightProbe.echo()), MemoryExchange.request("/no.Such/Method"), true);
    exchange.await();
    var report = reports.refused();
    assertThat(report.method()).isEqualTo("no.Such/Method");
    assertThat(report.known()).isFalse();
    assertThat(report.refusal()).contains("UNKNOWN_METHOD");
    assertThat(report.status().getCode()).isEqualTo(Status.Code.UNIMPLEMENTED);
    assertThat(report.ledger()).isEqualTo(CallLedger.NONE);
  }

  @Test
  void aCallThatItsClientGivesUpIsCancelled() throws Exception {
    var begun = new CountDownLatch(1);
    var probe =
        StraightProbe.unary(_ -> {
          begun.countDown();
          Thread.sleep(60_000);
          return answer("nobody waits");
        });
    var exchange = MemoryExchange.open(router(probe), MemoryExchange.request(Probe.UNARY), false);
    exchange.dataAndEnd(framed(ask("x")));
    begun.await();
    exchange.peerResets(8);
    var report = reports.ended();
    assertThat(report.status().getCode()).isEqualTo(Status.Code.CANCELLED);
    assertThat(report.ledger().write()).isZero();
    assertAddsUp(report.ledger());
  }

  @Test
  void anObserverThatThrowsHarmsNobody() {
    CallObserver broken =
        _ ->
            new CallObserver.Observation() {
              @Override
              public void ended(CallReport report) {
                throw new IllegalStateException("broken on purpose");
              }
            };
    try (var server =
        RunningServer.with(builder ->
            builder.addService(StraightProbe.echo().service()).observe(broken).observe(reports))) {
      assertThat(server.blocking().unary(ask("x"))).isEqualTo(answer("x"));
      assertThat(reports.ended().status().isOk()).isTrue();
    }
  }

  @Test
  void theTrailerTellsTheLedgerToThoseWhoAskWhereThatIsAllowed() {
    try (var server = serve(StraightProbe.echo(), builder -> builder.ledgerTrailer(true))) {
      var asking = new WithMetadata("weftline-debug", "ledger");
      server.blocking().withInterceptors(asking).unary(ask("x"));
      assertThat(asking.trailers().get(LEDGER))
          .matches(
              "request;dur=[0-9.]+, queue;dur=[0-9.]+, handler;dur=[0-9.]+, receive-wait;dur=0.000,"
                  + " send-wait;dur=0.000, total;dur=[0-9.]+");

      var notAsking = new WithMetadata("weftline-debug", "everything");
      server.blocking().withInterceptors(notAsking).unary(ask("x"));
      assertThat(notAsking.trailers().containsKey(LEDGER)).isFalse();
    }
  }

  @Test
  void theTrailerIsOffUnlessItIsSwitchedOn() {
    try (var server = serve(StraightProbe.echo())) {
      var asking = new WithMetadata("weftline-debug", "ledger");
      server.blocking().withInterceptors(asking).unary(ask("x"));
      assertThat(asking.trailers().containsKey(LEDGER)).isFalse();
    }
  }

  /// Sends a field with each call, and keeps the last trailers.
  private static final class WithMetadata implements ClientInterceptor {
    private final Metadata.Key<String> key;
    private final String value;
    private final AtomicReference<Metadata> trailers = new AtomicReference<>(new Metadata());

    WithMetadata(String key, String value) {
      this.key = Metadata.Key.of(key, Metadata.ASCII_STRING_MARSHALLER);
      this.value = value;
    }

    Metadata trailers() {
      return trailers.get();
    }

    @Override
    public <ReqT, RespT> ClientCall<ReqT, RespT> interceptCall(
        MethodDescriptor<ReqT, RespT> method, CallOptions options, io.grpc.Channel next) {
      return new SimpleForwardingClientCall<>(next.newCall(method, options)) {
        @Override
        public void start(Listener<RespT> listener, Metadata headers) {
          headers.put(key, value);
          super.start(
              new SimpleForwardingClientCallListener<>(listener) {
                @Override
                public void onClose(Status status, Metadata metadata) {
                  trailers.set(metadata);
                  super.onClose(status, metadata);
                }
              },
              headers);
        }
      };
    }
  }
}
