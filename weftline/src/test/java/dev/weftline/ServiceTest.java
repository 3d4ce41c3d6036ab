package dev.weftline;

import static dev.weftline.testing.Probe.answer;
import static dev.weftline.testing.Probe.ask;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.google.protobuf.Descriptors;
import com.google.protobuf.DynamicMessage;
import dev.weftline.probe.Answer;
import dev.weftline.probe.Ask;
import dev.weftline.probe.ProbeGrpc;
import dev.weftline.server.Server;
import dev.weftline.testing.EchoService;
import dev.weftline.testing.RunningServer;
import dev.weftline.testing.StraightProbe;
import io.grpc.health.v1.HealthGrpc;
import io.grpc.protobuf.services.ProtoReflectionServiceV1;
import io.grpc.reflection.v1.ServerReflectionGrpc;
import io.grpc.reflection.v1.ServerReflectionRequest;
import io.grpc.reflection.v1.ServerReflectionResponse;
import io.grpc.stub.StreamObserver;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/// Services assembled by hand, and what is refused before the first call.
@Timeout(60)
final class ServiceTest {
  private static final Descriptors.ServiceDescriptor PROBE =
      Ask.getDescriptor().getFile().findServiceByName("Probe");

  private static Descriptors.FieldDescriptor text(Descriptors.Descriptor type) {
    return Objects.requireNonNull(type.findFieldByName("text"));
  }

  /// All that is known is a descriptor, such as one read from a file: no generated code serves.
  @Test
  void aServiceWithoutGeneratedCode() {
    var asked = text(PROBE.findMethodByName("Unary").getInputType());
    var answered = PROBE.findMethodByName("Unary").getOutputType();
    Handler.Unary<DynamicMessage, DynamicMessage> shout =
        request -> {
          var said = request.getField(asked).toString();
          return DynamicMessage.newBuilder(answered)
              .setField(text(answered), said.toUpperCase(java.util.Locale.ROOT))
              .build();
        };
    var service =
        Service.builder(PROBE)
            .unary("Unary", shout)
            .<DynamicMessage, DynamicMessage>bidirectional(
                "Chat",
                (requests, replies) -> {
                  for (var request : requests) replies.send(shout.call(request));
                })
            .build();
    try (var server = RunningServer.with(builder -> builder.addService(service))) {
      assertThat(server.blocking().unary(ask("hey"))).isEqualTo(answer("HEY"));
      assertThatThrownBy(() -> server.blocking().down(ask("x")).next())
          .hasMessageContaining("UNIMPLEMENTED");
    }
  }

  /// Reflection describes it as it would a generated one.
  @Test
  void aServiceWithoutGeneratedCodeIsReflected() throws Exception {
    var service = Service.builder(PROBE).build();
    try (var server =
        RunningServer.with(builder ->
            builder.addService(service).addService(ProtoReflectionServiceV1.newInstance()))) {
      var reply = new CompletableFuture<ServerReflectionResponse>();
      var requests =
          ServerReflectionGrpc.newStub(server.channel())
              .serverReflectionInfo(
                  new StreamObserver<ServerReflectionResponse>() {
                    @Override
                    public void onNext(ServerReflectionResponse response) {
                      reply.complete(response);
                    }

                    @Override
                    public void onError(Throwable t) {
                      reply.completeExceptionally(t);
                    }

                    @Override
                    public void onCompleted() {}
                  });
      requests.onNext(
          ServerReflectionRequest.newBuilder()
              .setFileContainingSymbol("weftline.probe.Probe")
              .build());
      var files = reply.get(10, TimeUnit.SECONDS).getFileDescriptorResponse();
      requests.onCompleted();
      assertThat(files.getFileDescriptorProtoList()).isNotEmpty();
    }
  }

  @Test
  void aMethodThatTheDescriptorDoesNotHaveIsRefused() {
    Handler.Unary<Ask, Answer> method = _ -> answer("x");
    assertThatThrownBy(() -> Service.builder(ProbeGrpc.getServiceDescriptor()).unary("Uno", method))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("weftline.probe.Probe has no method Uno; it has [Unary, Down, Up, Chat]");
    assertThatThrownBy(() ->
            Service.builder(HealthGrpc.getServiceDescriptor())
                .unary(ProbeGrpc.getUnaryMethod(), method))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("weftline.probe.Probe/Unary is no method of grpc.health.v1.Health");
  }

  @Test
  void aHandlerOfAnotherShapeIsRefused() {
    assertThatThrownBy(
            () -> {
              Handler.Unary<Ask, Answer> method = _ -> answer("x");
              Service.builder(ProbeGrpc.getServiceDescriptor()).unary("Chat", method);
            })
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("weftline.probe.Probe/Chat is BIDI_STREAMING, its handler UNARY");
  }

  @Test
  void twoHandlersOfOneMethodAreRefused() {
    assertThatThrownBy(() -> StraightProbe.echo().andUnary(_ -> answer("again")))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("weftline.probe.Probe/Unary has two handlers");
  }

  @Test
  void twoServicesOfOneNameAreRefused() {
    var builder =
        Server.builder()
            .port(0)
            .addService(StraightProbe.echo().service())
            .addService(new EchoService());
    assertThatThrownBy(builder::start)
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("two services are named weftline.probe.Probe");
  }

  @Test
  void aPlacementIsForAMethodThatIsServed() {
    var service = StraightProbe.unary(_ -> answer("x")).service();
    assertThat(service.place("Unary", Placement.SHARED).methods())
        .extracting(Service.Method::placement)
        .containsExactly(Placement.SHARED);
    assertThatThrownBy(() -> service.place("Chat", Placement.SHARED))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("weftline.probe.Probe serves no method Chat; it serves [Unary]");
  }

  @Placed(Placement.SHARED)
  static class Slow {
    @Placed(Placement.LOOP)
    public Answer unary(Ask ask) {
      return answer(ask.getText());
    }

    public void down(Ask ask, Sender<Answer> answers) {
      answers.send(answer(ask.getText()));
    }
  }

  @Test
  void placementsAreReadFromTheImplementation() {
    var slow = new Slow();
    var service =
        Service.builder(ProbeGrpc.getServiceDescriptor())
            .unary(ProbeGrpc.getUnaryMethod(), slow::unary)
            .serverStreaming(ProbeGrpc.getDownMethod(), slow::down)
            .placedAs(Slow.class)
            .build();
    assertThat(service.methods())
        .extracting(Service.Method::placement)
        .containsExactly(Placement.LOOP, Placement.SHARED);
  }

  /// A service needs no server to be tested: its streams are an iterable and a lambda.
  @Test
  void aMethodIsTestedWithoutAServer() throws Exception {
    Handler.Bidirectional<Ask, Answer> echo =
        (asks, answers) -> {
          for (var ask : asks) answers.send(answer(ask.getNumber()));
        };
    var answers = new ArrayList<Answer>();
    echo.call(Receiver.of(List.of(ask(1), ask(2))), answers::add);
    assertThat(answers).containsExactly(answer(1), answer(2));
  }
}
