package dev.weftline.tutorial;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.weftline.tutorial.hello.GreeterGrpc;
import dev.weftline.tutorial.hello.HelloReply;
import dev.weftline.tutorial.hello.HelloRequest;
import io.grpc.Status;
import io.grpc.StatusException;
import io.grpc.StatusRuntimeException;
import java.io.IOException;
import java.util.ArrayList;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(30)
class HelloTest {
  private TutorialServer server;
  private GreeterGrpc.GreeterBlockingV2Stub greeter;

  @BeforeEach
  void start() throws IOException {
    server = new TutorialServer();
    greeter = GreeterGrpc.newBlockingV2Stub(server.channel());
  }

  @AfterEach
  void stop() throws InterruptedException {
    server.stop();
  }

  @Test
  void oneGreetingForOneName() throws StatusException {
    assertThat(greeter.sayHello(name("Ada"))).isEqualTo(reply("Hello Ada"));
  }

  @Test
  void tenGreetingsInOrderWhenNoNumberIsAsked() throws Exception {
    var greetings = new ArrayList<String>();
    var call = greeter.sayHelloStream(name("Ada"));
    while (call.hasNext()) greetings.add(call.read().getMessage());

    assertThat(greetings)
        .hasSize(10)
        .startsWith("Hello Ada, 1 of 10", "Hello Ada, 2 of 10")
        .endsWith("Hello Ada, 10 of 10");
  }

  @Test
  void asManyGreetingsAsAsked() throws Exception {
    var call = greeter.sayHelloStream(name("Ada").toBuilder().setReplies(1_000).build());
    int greetings = 0;
    for (; call.hasNext(); greetings++) {
      assertThat(call.read().getMessage()).isEqualTo("Hello Ada, %d of 1000", greetings + 1);
    }
    assertThat(greetings).isEqualTo(1_000);
  }

  @Test
  void aNumberOfGreetingsNobodyCouldMeanIsRefused() {
    var call = greeter.sayHelloStream(name("Ada").toBuilder().setReplies(-1).build());
    assertThatThrownBy(call::read)
        .isInstanceOfSatisfying(
            StatusException.class,
            refusal -> {
              assertThat(refusal.getStatus().getCode()).isEqualTo(Status.Code.INVALID_ARGUMENT);
              assertThat(refusal)
                  .hasMessageContaining("replies must be within 0 and")
                  .hasMessageContaining("-1");
            });
  }

  @Test
  void eachNameIsGreetedBeforeTheNextIsSent() throws Exception {
    var call = greeter.sayHelloBidi();
    for (var name : new String[] {"Ada", "Grace", "Barbara"}) {
      assertThat(call.write(name(name))).isTrue();
      assertThat(call.read()).isEqualTo(reply("Hello " + name));
    }
    call.halfClose();
    assertThat(call.read()).as("the end of the stream").isNull();
  }

  @Test
  void theClientOfTheTutorialDoesBoth() {
    try (var client = new HelloClient(server.target())) {
      assertThat(client.hello("World")).isEqualTo("Hello World");

      var greetings = new ArrayList<String>();
      client.helloStream("World", greetings::add);
      assertThat(greetings).hasSize(10).first().isEqualTo("Hello World, 1 of 10");
    }
  }

  @Test
  void theClientSaysThatNobodyListens() throws InterruptedException {
    var target = server.target();
    server.stop();
    try (var client = new HelloClient(target)) {
      assertThatThrownBy(() -> client.hello("World"))
          .isInstanceOfSatisfying(
              StatusRuntimeException.class,
              failure ->
                  assertThat(failure.getStatus().getCode()).isEqualTo(Status.Code.UNAVAILABLE));
    }
  }

  private static HelloRequest name(String name) {
    return HelloRequest.newBuilder().setName(name).build();
  }

  private static HelloReply reply(String message) {
    return HelloReply.newBuilder().setMessage(message).build();
  }
}
