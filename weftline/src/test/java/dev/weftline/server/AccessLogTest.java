package dev.weftline.server;

import static dev.weftline.testing.Probe.answer;
import static dev.weftline.testing.Probe.ask;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.weftline.CallLedger;
import dev.weftline.CallReport;
import dev.weftline.internal.http.Fields;
import dev.weftline.probe.ProbeGrpc;
import dev.weftline.testing.RunningServer;
import dev.weftline.testing.StraightProbe;
import io.grpc.ManagedChannel;
import io.grpc.Metadata;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.stub.MetadataUtils;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.Principal;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/// One line about each call that is over.
@Timeout(60)
final class AccessLogTest {
  @TempDir Path folder;

  private static CallReport report(String method, Status status) throws IOException {
    var peer = new InetSocketAddress(InetAddress.getByAddress(new byte[] {127, 0, 0, 1}), 1234);
    var ledger = new CallLedger(0, 20_000, 3_100_000, 0, 0, 5_000, 3_125_000);
    return new CallReport(method, true, status, Optional.empty(), ledger, 10, 1, 20, 2, peer);
  }

  private static Fields request() {
    return new Fields(4)
        .add(":authority", "greeter.example")
        .add("user-agent", "grpc-java-netty/1.85.1")
        .add("traceparent", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01");
  }

  /// Serves, calls and closes, and gives what was written.
  private List<String> written(AccessLog log, StraightProbe probe, Calls calls) throws Exception {
    var file = folder.resolve("access.log");
    try (var server =
        RunningServer.with(
            builder -> builder.addService(probe.service()).accessLog(log.to(file)))) {
      calls.make(server.channel());
    }
    return Files.readAllLines(file);
  }

  private interface Calls {
    void make(ManagedChannel channel) throws Exception;
  }

  @Test
  void aLineOfJson() throws IOException {
    Principal ada = () -> "ada";
    var line = AccessLine.of(report("a.B/C", Status.OK), request(), ada);
    assertThat(line.spelled(AccessLog.Format.JSON))
        .matches("\\{\"time\":\"[-0-9T:.Z]+\",.*")
        .endsWith(
            ",\"method\":\"a.B/C\",\"status\":\"OK\",\"peer\":\"127.0.0.1:1234\","
                + "\"authority\":\"greeter.example\",\"userAgent\":\"grpc-java-netty/1.85.1\","
                + "\"traceId\":\"4bf92f3577b34da6a3ce929d0e0e4736\",\"principal\":\"ada\","
                + "\"requests\":1,\"requestBytes\":10,\"replies\":2,\"responseBytes\":20,"
                + "\"totalMs\":3.125,\"requestMs\":0.000,\"queueMs\":0.020,\"handlerMs\":3.100,"
                + "\"receiveWaitMs\":0.000,\"sendWaitMs\":0.000,\"writeMs\":0.005}");
  }

  @Test
  void aLineOfWords() throws IOException {
    var notFound = Status.NOT_FOUND.withDescription("no \"such\" user");
    var line = AccessLine.of(report("a.B/C", notFound), new Fields(0), null);
    assertThat(line.spelled(AccessLog.Format.TEXT))
        .contains(
            " method=a.B/C status=NOT_FOUND message=\"no \\\"such\\\" user\" peer=127.0.0.1:1234"
                + " requests=1 ");
  }

  /// What a client sends can neither end a line, nor end a string, nor steer a terminal.
  @Test
  void hostileMetadataStaysInItsString() throws IOException {
    var hostile = "x\",\"status\":\"OK\n\r\u001b[2J\u0085\u009b\\";
    var request = new Fields(1).add("user-agent", hostile);
    for (var format : AccessLog.Format.values()) {
      var spelled = AccessLine.of(report("a.B/C", Status.OK), request, null).spelled(format);
      assertThat(spelled)
          .contains("x\\\",\\\"status\\\":\\\"OK\\u000a\\u000d\\u001b[2J\\u0085\\u009b\\\\\"")
          .doesNotContain("\n", "\r", "\u001b");
    }
  }

  @Test
  void longFieldsAreCut() throws IOException {
    var request = new Fields(1).add("user-agent", "a".repeat(10_000));
    var line = AccessLine.of(report("m".repeat(10_000), Status.OK), request, null);
    assertThat(line.spelled(AccessLog.Format.JSON)).hasSizeLessThan(1_200);
  }

  @Test
  void aLoneSurrogateIsEscapedAndAPairIsNot() {
    var quoted = new StringBuilder();
    JsonText.quote(quoted, "a\ud83d\ude00b\ud83dc\u2028");
    assertThat(quoted).hasToString("\"a\ud83d\ude00b\\ud83dc\\u2028\"");
  }

  @Test
  void everyCallHasItsLine() throws Exception {
    var probe =
        StraightProbe.unary(ask -> {
          if (ask.getNumber() == 0) return answer("fine");
          throw Status.NOT_FOUND.withDescription("nobody").asRuntimeException();
        });
    var lines =
        written(
            AccessLog.json(),
            probe,
            channel -> {
              var agent = new Metadata();
              agent.put(
                  Metadata.Key.of("traceparent", Metadata.ASCII_STRING_MARSHALLER),
                  "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01");
              var stub =
                  ProbeGrpc.newBlockingStub(channel)
                      .withInterceptors(MetadataUtils.newAttachHeadersInterceptor(agent));
              stub.unary(ask(0));
              assertThatThrownBy(() -> stub.unary(ask(1)))
                  .isInstanceOf(StatusRuntimeException.class);
            });
    assertThat(lines).hasSize(2);
    assertThat(lines.getFirst())
        .contains("\"method\":\"weftline.probe.Probe/Unary\",\"status\":\"OK\"")
        .contains("\"userAgent\":\"grpc-java-")
        .contains("\"traceId\":\"4bf92f3577b34da6a3ce929d0e0e4736\"");
    assertThat(lines.getLast()).contains("\"status\":\"NOT_FOUND\",\"message\":\"nobody\"");
  }

  @Test
  void samplingKeepsEveryFailure() throws Exception {
    var probe =
        StraightProbe.unary(ask -> {
          if (ask.getNumber() == 0) return answer("fine");
          throw Status.NOT_FOUND.asRuntimeException();
        });
    var lines =
        written(
            AccessLog.text().sampled(0),
            probe,
            channel -> {
              var stub = ProbeGrpc.newBlockingStub(channel);
              for (int i = 0; i < 20; i++) stub.unary(ask(0));
              for (int i = 0; i < 3; i++) {
                assertThatThrownBy(() -> stub.unary(ask(1)))
                    .isInstanceOf(StatusRuntimeException.class);
              }
            });
    assertThat(lines).hasSize(3).allMatch(line -> line.contains(" status=NOT_FOUND "));
  }

  @Test
  void aRefusedCallHasItsLineToo() throws Exception {
    var lines =
        written(
            AccessLog.text(),
            StraightProbe.unary(ask -> answer(ask.getText())),
            channel -> {
              var unknown =
                  ProbeGrpc.getUnaryMethod().toBuilder()
                      .setFullMethodName("no.Such/Method")
                      .build();
              assertThatThrownBy(() ->
                      io.grpc.stub.ClientCalls.blockingUnaryCall(
                          channel, unknown, io.grpc.CallOptions.DEFAULT, ask("x")))
                  .isInstanceOf(StatusRuntimeException.class);
            });
    assertThat(lines).hasSize(1);
    assertThat(lines.getFirst())
        .contains(" method=no.Such/Method status=UNIMPLEMENTED ")
        .contains(" refusal=UNKNOWN_METHOD ");
  }

  /// Nobody reads the queue before the start, so it fills.
  @Test
  void linesAreDroppedAndCountedWhenTheQueueIsFull() throws IOException {
    var file = folder.resolve("full.log");
    var writer = new AccessWriter(AccessLog.text().to(file));
    var report = report("a.B/C", Status.OK);
    for (int i = 0; i < AccessLog.LINES_WAITING_MAX + 5; i++) {
      writer.ended(report, Fields.EMPTY, null);
    }
    assertThat(writer.dropped()).isEqualTo(5);
    writer.start();
    writer.close();
    assertThat(Files.readAllLines(file)).hasSize(AccessLog.LINES_WAITING_MAX);
  }

  @Test
  void aPrincipalThatThrowsCostsItsLineOnly() throws IOException {
    var file = folder.resolve("principal.log");
    var writer = new AccessWriter(AccessLog.text().to(file));
    Principal broken =
        () -> {
          throw new IllegalStateException("broken on purpose");
        };
    writer.ended(report("a.B/C", Status.OK), Fields.EMPTY, broken);
    writer.ended(report("a.B/D", Status.OK), Fields.EMPTY, null);
    writer.start();
    writer.close();
    assertThat(Files.readAllLines(file)).hasSize(1);
    assertThat(writer.dropped()).isEqualTo(1);
  }

  @Test
  void aFileThatCannotBeWrittenStopsTheStartWithASentence() {
    var server = Server.builder().port(0).accessLog(AccessLog.json().to(folder)).build();
    assertThatThrownBy(server::start)
        .isInstanceOf(IOException.class)
        .hasMessageStartingWith("the access log cannot be written to " + folder);
  }

  @Test
  void aShareIsFromZeroToOne() {
    assertThatThrownBy(() -> AccessLog.json().sampled(1.5))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("a share of calls is from 0 to 1, not 1.5");
    assertThatThrownBy(() -> AccessLog.json().sampled(Double.NaN))
        .isInstanceOf(IllegalArgumentException.class);
  }
}
