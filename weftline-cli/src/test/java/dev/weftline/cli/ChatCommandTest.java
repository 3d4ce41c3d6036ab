package dev.weftline.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.weftline.Receiver;
import dev.weftline.Sender;
import dev.weftline.Service;
import dev.weftline.server.Server;
import dev.weftline.tutorial.Tutorial;
import dev.weftline.tutorial.chat.Chat;
import dev.weftline.tutorial.chat.ChatMessage;
import io.grpc.Grpc;
import io.grpc.InsecureChannelCredentials;
import io.grpc.protobuf.services.HealthStatusManager;
import java.io.IOException;
import java.net.ServerSocket;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
class ChatCommandTest {
  private Server server;
  private String target;

  @BeforeEach
  void start() throws IOException {
    serve(Tutorial.services());
  }

  private void serve(List<Service> services) throws IOException {
    var builder = Server.builder().port(0).grace(Duration.ZERO);
    services.forEach(builder::addService);
    server = builder.start();
    target = "localhost:" + server.port();
  }

  @AfterEach
  void stop() {
    server.close();
  }

  @Test
  void whatIsPipedInIsSaidAndTheBotHeardOut() throws Exception {
    try (var ada = chat("Ada")) {
      ada.type("hi");
      ada.endInput();
      assertThat(ada.out())
          .containsExactly(
              "room: welcome, Ada, we are 1",
              "bot: that was 1 word",
              "bot: backwards it is: ih",
              "room: goodbye, Ada");
      assertThat(ada.err()).isEmpty();
      assertThat(ada.exitCode()).isZero();
    }
  }

  @Test
  void twoHearEachOtherUntilOneQuits() throws Exception {
    try (var ada = chat("Ada")) {
      ada.awaitLine("welcome, Ada");
      try (var grace = chat("Grace")) {
        ada.awaitLine("Grace is here");
        ada.type("hello, Grace");
        assertThat(grace.awaitLine("hello")).isEqualTo("Ada: hello, Grace");
        grace.type("");
        grace.type("hello, Ada");
        assertThat(ada.awaitLine("hello, Ada")).isEqualTo("Grace: hello, Ada");

        grace.type("/quit");
        grace.awaitLine("goodbye, Grace");
        assertThat(grace.exitCode()).isZero();
      }
      ada.awaitLine("Grace has left");
    }
  }

  @Test
  void ctrlCLeavesAtOnceAndCleanly() throws Exception {
    try (var ada = chat("Ada");
        var grace = chat("Grace")) {
      ada.awaitLine("welcome, Ada");
      grace.awaitLine("welcome, Grace");
      grace.signal("INT");
      assertThat(grace.exitCode()).isZero();
      assertThat(grace.err()).isEmpty();
      ada.awaitLine("Grace has left");
    }
  }

  @Test
  void whatOthersSayCannotMoveTheCursor() throws Exception {
    var channel = Grpc.newChannelBuilder(target, InsecureChannelCredentials.create()).build();
    try (var ada = chat("Ada");
        var mallory = Chat.client(channel).chat()) {
      ada.awaitLine("welcome, Ada");
      mallory.send(
          ChatMessage.newBuilder().setFrom("Mallory\r").setMessage("\u001b[2Jboo\u009b7m").build());
      assertThat(ada.awaitLine("boo")).isEqualTo("Mallory: ?[2Jboo?7m");
    } finally {
      channel.shutdownNow();
    }
  }

  @Test
  void aLineThatIsTooLongIsNotSent() throws Exception {
    try (var ada = chat("Ada")) {
      ada.type("x".repeat(1_001));
      ada.type("hi");
      ada.endInput();
      assertThat(ada.out()).contains("bot: that was 1 word", "room: goodbye, Ada");
      assertThat(ada.err()).containsExactly("not sent, longer than 1000 characters");
      assertThat(ada.exitCode()).isZero();
    }
  }

  /// The demo's own chat says goodbye when its server drains; this one is cut off.
  @Test
  void aServerThatGoesAwayIsOneLineAndExitCode1() throws Exception {
    server.close();
    serve(List.of(Chat.service(new EndlessChat())));
    try (var ada = chat("Ada")) {
      ada.awaitLine("welcome, Ada");
      server.close();
      assertThat(ada.exitCode()).isEqualTo(1);
      assertThat(ada.err())
          .containsExactly("weft chat: " + target + ": UNAVAILABLE: the server is shutting down");
    }
  }

  private static final class EndlessChat implements Chat {
    @Override
    public void chat(Receiver<ChatMessage> messages, Sender<ChatMessage> replies) throws Exception {
      var first = messages.iterator().next();
      replies.send(first); // under the name that it has here
      replies.send(
          ChatMessage.newBuilder()
              .setFrom("room")
              .setMessage("welcome, " + first.getFrom())
              .build());
      for (var message : messages) replies.send(message);
    }
  }

  @Test
  void nobodyThereIsOneLineAndExitCode1() throws Exception {
    int port;
    try (var freed = new ServerSocket(0)) {
      port = freed.getLocalPort();
    }
    assertFails("localhost:" + port, "UNAVAILABLE", "(nobody listens there: start a weft demo)");
  }

  @Test
  void aHostThatDoesNotExistIsOneLineAndExitCode1() throws Exception {
    assertFails("nosuchhost.invalid:50051", "UNAVAILABLE", "(is the name of the host right?)");
  }

  @Test
  void aServerWithoutAChatIsOneLineAndExitCode1() throws Exception {
    server.close();
    serve(List.of(Service.of(new HealthStatusManager().getHealthService())));
    assertFails(target, "UNIMPLEMENTED", "(is it a weft demo?)");
  }

  private static void assertFails(String target, String code, String hint) throws Exception {
    try (var chat = WeftProcess.started("chat", target)) {
      assertThat(chat.out()).isEmpty();
      assertThat(chat.exitCode()).isEqualTo(1);
      assertThat(chat.err())
          .singleElement()
          .asString()
          .startsWith("weft chat: " + target + ": " + code)
          .endsWith(hint);
    }
  }

  private WeftProcess chat(String name) throws IOException {
    return WeftProcess.started("chat", target, "--name", name);
  }
}
