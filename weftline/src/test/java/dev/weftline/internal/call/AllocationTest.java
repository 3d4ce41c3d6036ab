package dev.weftline.internal.call;

import static dev.weftline.testing.Probe.ask;
import static dev.weftline.testing.Probe.framed;
import static org.assertj.core.api.Assertions.assertThat;

import dev.weftline.internal.http.Exchange;
import dev.weftline.internal.http.ExchangeHandler;
import dev.weftline.internal.http.Fields;
import dev.weftline.internal.protocol.StatusTrailers;
import dev.weftline.testing.EchoService;
import dev.weftline.testing.MemoryExchange;
import dev.weftline.testing.Probe;
import dev.weftline.testing.StraightProbe;
import io.grpc.Metadata;
import io.grpc.Status;
import io.netty.buffer.ByteBuf;
import java.lang.management.ManagementFactory;
import org.junit.jupiter.api.Test;

/// On a busy machine time lies and allocation does not: what one unary call allocates, from its
/// header section to its response, without the exchange below. What it allocates on a server is
/// recorded, and held to, by the benchmarks' `CallAllocationTest`.
final class AllocationTest {
  private static final int CALLS = 3_000;
  private static final int ROUNDS = 8;

  /// Room for noise above what was measured, 1.4 KB with the messages: two threads hand over every
  /// step.
  private static final long BYTES_PER_CALL_MAX = 2_500;

  /// Answers without a call: what is left is the exchange in memory itself.
  private record Answering(Exchange exchange) implements ExchangeHandler {
    private static final Fields HEADERS = Fields.constant();
    private static final byte[] BODY = new byte[8];

    @Override
    public void receiveData(ByteBuf data, int length) {
      data.skipBytes(length);
      exchange.consumed(length);
    }

    @Override
    public void receiveEnd(Fields trailers) {
      exchange.respond(HEADERS, BODY, StatusTrailers.of(Status.OK, new Metadata()));
    }

    @Override
    public void sent(int unsentBytes) {}

    @Override
    public void closed(Close cause) {}
  }

  @Test
  void aUnaryCallOfAGrpcJavaService() {
    expectFew("grpc-java service", Probe.router(new EchoService()));
  }

  @Test
  void aUnaryCallOfAStraightLineMethod() {
    var service = StraightProbe.echo().service();
    expectFew("straight-line method", Probe.router(new CallCounters(), service));
  }

  private static void expectFew(String what, ExchangeHandler.Factory router) {
    ExchangeHandler.Factory nothing = (exchange, _) -> new Answering(exchange);
    perCall(router);
    perCall(nothing);
    long call = Long.MAX_VALUE;
    long exchange = Long.MAX_VALUE;
    for (int round = 0; round < ROUNDS; round++) {
      call = Math.min(call, perCall(router));
      exchange = Math.min(exchange, perCall(nothing));
    }
    System.getLogger(AllocationTest.class.getName())
        .log(System.Logger.Level.INFO, "bytes per unary call, {0}: {1}", what, call - exchange);
    assertThat(call - exchange).isBetween(300L, BYTES_PER_CALL_MAX);
  }

  private static long perCall(ExchangeHandler.Factory factory) {
    var threads = (com.sun.management.ThreadMXBean) ManagementFactory.getThreadMXBean();
    var request = MemoryExchange.request(Probe.UNARY);
    var body = framed(ask("x"));
    long before = threads.getTotalThreadAllocatedBytes();
    for (int i = 0; i < CALLS; i++) {
      MemoryExchange.open(factory, request, false).dataAndEnd(body).await();
    }
    return (threads.getTotalThreadAllocatedBytes() - before) / CALLS;
  }
}
