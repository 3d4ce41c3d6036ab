package dev.weftline.client;

import static dev.weftline.testing.Probe.answer;
import static org.assertj.core.api.Assertions.assertThat;

import dev.weftline.Service;
import dev.weftline.probe.Answer;
import dev.weftline.probe.Ask;
import dev.weftline.probe.ProbeGrpc;
import dev.weftline.testing.RunningServer;
import io.grpc.CallOptions;
import io.netty.util.ResourceLeakDetector;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.logging.Handler;
import java.util.logging.LogRecord;
import java.util.logging.Logger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
final class OutboundCallTest {
  /// The replies that have arrived lie in buffers of the channel, which are given back when they
  /// are read and not when they are garbage.
  @Test
  void closingACallGivesBackTheBuffersOfRepliesThatNobodyRead() throws InterruptedException {
    var leaks = new ConcurrentLinkedQueue<String>();
    var log = Logger.getLogger(ResourceLeakDetector.class.getName());
    var listening = new Recording(leaks);
    log.addHandler(listening);
    try (var server = RunningServer.with(builder -> builder.addService(endless()))) {
      for (int round = 0; round < 10; round++) {
        for (int i = 0; i < 20; i++) closeAfterTheFirstReply(server);
        // Netty looks for garbage when it allocates.
        System.gc();
        Thread.sleep(20);
      }
      closeAfterTheFirstReply(server);
    } finally {
      log.removeHandler(listening);
    }
    assertThat(leaks).isEmpty();
  }

  private static Service endless() {
    return Service.builder(ProbeGrpc.getServiceDescriptor())
        .serverStreaming(
            ProbeGrpc.getDownMethod(),
            (_, replies) -> {
              for (; ; ) replies.send(answer("x".repeat(100)));
            })
        .build();
  }

  private static void closeAfterTheFirstReply(RunningServer server) {
    try (OutboundCall<Ask, Answer> call =
        OutboundCall.open(
            server.channel(),
            ProbeGrpc.getDownMethod(),
            CallOptions.DEFAULT,
            Ask.getDefaultInstance())) {
      assertThat(call.iterator()).hasNext();
    }
  }

  private static final class Recording extends Handler {
    private final Queue<String> leaks;

    Recording(Queue<String> leaks) {
      this.leaks = leaks;
    }

    @Override
    public void publish(LogRecord record) {
      if (record.getMessage().startsWith("LEAK"))
        leaks.add(record.getMessage().lines().findFirst().orElseThrow());
    }

    @Override
    public void flush() {}

    @Override
    public void close() {}
  }
}
