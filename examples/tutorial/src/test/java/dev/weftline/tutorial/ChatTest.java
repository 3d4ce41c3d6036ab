package dev.weftline.tutorial;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import com.google.rpc.BadRequest;
import com.google.rpc.RetryInfo;
import dev.weftline.CallException;
import dev.weftline.client.OutboundCall;
import dev.weftline.server.Server;
import dev.weftline.tutorial.chat.Chat;
import dev.weftline.tutorial.chat.ChatMessage;
import io.grpc.Grpc;
import io.grpc.InsecureChannelCredentials;
import io.grpc.ManagedChannel;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
class ChatTest {
  private static final Pattern MISSED = Pattern.compile("you read too slowly and missed (\\d+)");

  private Server server;
  private ManagedChannel channel;

  @BeforeEach
  void start() throws IOException {
    var bot = new Bot(Duration.ofMillis(5));
    server = Server.builder().addService(Chat.service(new ChatService(bot))).start();
    channel = channel();
  }

  @AfterEach
  void stop() {
    channel.shutdownNow();
    server.close();
  }

  @Test
  void theFirstMessageEntersAndComesBack() {
    try (var ada = enter("Ada")) {
      assertThat(ada.next()).isEqualTo(message("Ada", 0, ""));
      assertThat(ada.next()).isEqualTo(message("room", 0, "welcome, Ada, we are 1"));
    }
  }

  @Test
  void aNameThatIsTakenGetsANumber() {
    try (var ada = enter("Ada");
        var second = enter("Ada");
        var bot = enter("bot");
        var unnamed = enter("")) {
      assertThat(ada.next().getFrom()).isEqualTo("Ada");
      assertThat(second.next().getFrom()).isEqualTo("Ada-2");
      assertThat(bot.next().getFrom()).isEqualTo("bot-2");
      assertThat(unnamed.next().getFrom()).isEqualTo("guest");
    }
  }

  @Test
  void threeMembersHearEachOther() {
    try (var ada = enter("Ada");
        var barbara = enter("Barbara");
        var grace = enter("Grace")) {
      for (var member : List.of(ada, barbara, grace)) member.hears("room", "welcome");
      ada.hears("room", "Barbara is here");
      ada.hears("room", "Grace is here");

      ada.says(1, "good morning");
      barbara.says(7, "hello");
      for (var member : List.of(ada, barbara, grace)) {
        assertThat(member.collects(2, "Ada", "Barbara"))
            .containsExactlyInAnyOrder(
                message("Ada", 1, "good morning"), message("Barbara", 7, "hello"));
      }
    }
  }

  @Test
  void theBotAnswersEachMessageSeveralTimesAndOnlyToItsAuthor() {
    try (var ada = enter("Ada");
        var grace = enter("Grace")) {
      grace.hears("room", "welcome");
      ada.says(1, "how are you?");
      ada.says(2, "fine");
      ada.leaves();
      assertThat(ada.rest())
          .filteredOn(message -> message.getFrom().equals("bot"))
          .containsExactly(
              message("bot", 1, "that was 3 words"),
              message("bot", 1, "backwards it is: ?uoy era woh"),
              message("bot", 1, "and I do not know the answer"),
              message("bot", 2, "that was 1 word"),
              message("bot", 2, "backwards it is: enif"));

      grace.leaves();
      assertThat(grace.rest()).extracting(ChatMessage::getFrom).doesNotContain("bot");
    }
  }

  @Test
  void whoHalfClosesHearsTheBotOutAndAGoodbye() {
    try (var ada = enter("Ada");
        var grace = enter("Grace")) {
      grace.says(1, "bye");
      grace.leaves();
      assertThat(grace.rest())
          .endsWith(
              message("bot", 1, "that was 1 word"),
              message("bot", 1, "backwards it is: eyb"),
              message("room", 0, "goodbye, Grace"));
      ada.hears("room", "Grace has left");
    }
  }

  @Test
  void whenTheServerDrainsEverybodyIsShownOut() throws Exception {
    try (var ada = enter("Ada");
        var grace = enter("Grace")) {
      grace.hears("room", "welcome");
      server.drain();
      for (var guest : List.of(ada, grace)) {
        assertThat(guest.rest())
            .contains(message("room", 0, "the server closes, come back in a moment"))
            .last()
            .extracting(ChatMessage::getMessage)
            .asString()
            .startsWith("goodbye, ");
      }
      server.awaitTermination();
      assertThat(server.callsCut()).isZero();
    }
  }

  @Test
  void whoCancelsHasLeft() {
    try (var ada = enter("Ada")) {
      try (var grace = enter("Grace")) {
        grace.hears("room", "welcome");
      }
      ada.hears("room", "Grace has left");
    }
  }

  @Test
  void whoseConnectionBreaksHasLeft() {
    var other = channel();
    try (var ada = enter("Ada");
        var grace = enter(other, "Grace")) {
      grace.hears("room", "welcome");
      other.shutdownNow();
      ada.hears("room", "Grace has left");
    }
  }

  @Test
  void whoSaysNothingAtAllWasNotThere() {
    try (var ada = enter("Ada");
        var nobody = Chat.client(channel).chat()) {
      nobody.halfClose();
      assertThat(nobody.iterator().hasNext()).isFalse();

      ada.hears("room", "welcome");
      ada.leaves();
      assertThat(ada.rest()).containsExactly(message("room", 0, "goodbye, Ada"));
    }
  }

  /// Five times what the room, the call and the connection would hold for somebody who reads
  /// nothing.
  @Test
  void whoReadsSlowlyHoldsUpNobodyAndIsToldWhatWasMissed() throws Exception {
    int said = 10_000;
    var filler = "x".repeat(900);
    try (var sleepy = enter("Sleepy");
        var ada = enter("Ada");
        var talker = enter("Talker")) {
      var talking =
          Thread.startVirtualThread(() -> {
            for (int i = 1; i <= said; i++) talker.says(i, i + filler);
            talker.leaves();
          });
      // Ada reads, and hears the last word while nobody has read any of Sleepy's messages.
      ada.hears("Talker", said + filler);
      talking.join();
      talker.rest();

      sleepy.leaves();
      long missed = 0;
      long heard = 0;
      for (var message : sleepy.rest()) {
        var notice = MISSED.matcher(message.getMessage());
        if (notice.matches()) missed += Long.parseLong(notice.group(1));
        if (message.getFrom().equals("Talker")) heard++;
      }
      assertThat(missed).isPositive();
      // A few notices of the room were missed or heard as well.
      assertThat(missed + heard).isBetween((long) said, said + 5L);
    }
  }

  @Test
  void whatIsTooLongOrEmptyEndsTheCallWithItsField() {
    assertRefused("message", "message is longer than 1000 characters", say("x".repeat(1_001)));
    assertRefused("message", "message is empty", say(""));
    assertRefused("from", "from is longer than 32 characters", message("x".repeat(33), 1, "hi"));
  }

  private void assertRefused(String field, String description, ChatMessage message) {
    try (var ada = enter("Ada")) {
      ada.call.send(message);
      assertThatThrownBy(ada::rest)
          .isInstanceOfSatisfying(
              StatusRuntimeException.class,
              refusal -> {
                assertThat(refusal.getStatus().getCode()).isEqualTo(Status.Code.INVALID_ARGUMENT);
                assertThat(refusal.getStatus().getDescription()).isEqualTo(description);
                assertThat(CallException.detail(refusal, BadRequest.class))
                    .hasValueSatisfying(detail ->
                        assertThat(detail.getFieldViolations(0).getField()).isEqualTo(field));
              });
    }
  }

  @Test
  void aFullRoomSaysWhenToTryAgain() {
    var room = new Room();
    var member = room.enter(message("Ada", 0, ""));
    for (int i = 1; i < Room.MEMBERS_MAX; i++) room.enter(message("Ada", 0, ""));

    var refusal =
        catchThrowableOfType(CallException.class, () -> room.enter(message("Grace", 0, "")));
    assertThat(refusal.getStatus().getCode()).isEqualTo(Status.Code.RESOURCE_EXHAUSTED);
    assertThat(CallException.detail(refusal, RetryInfo.class)).isPresent();

    member.close();
    room.enter(message("Grace", 0, "")).close();
  }

  @Test
  void aFullMailboxForgetsTheOldest() throws InterruptedException {
    var mailbox = new Mailbox(2);
    for (var text : List.of("1", "2", "3")) mailbox.post(say(text));
    mailbox.close();
    mailbox.post(say("too late"));

    assertThat(mailbox.missed()).isOne();
    assertThat(mailbox.missed()).as("told once").isZero();
    assertThat(mailbox.take()).isEqualTo(say("2"));
    assertThat(mailbox.take()).isEqualTo(say("3"));
    assertThat(mailbox.take()).isNull();
  }

  private Talker enter(String name) {
    return enter(channel, name);
  }

  private static Talker enter(ManagedChannel channel, String name) {
    var call = Chat.client(channel).chat();
    call.send(message(name, 0, ""));
    var talker = new Talker(call, call.iterator());
    assertThat(talker.replies).hasNext(); // entered: whoever comes next finds this one here
    return talker;
  }

  private ManagedChannel channel() {
    return Grpc.newChannelBuilder("localhost:" + server.port(), InsecureChannelCredentials.create())
        .build();
  }

  private static ChatMessage message(String from, long id, String text) {
    return ChatMessage.newBuilder().setFrom(from).setId(id).setMessage(text).build();
  }

  private static ChatMessage say(String text) {
    return message("", 1, text);
  }

  /// Somebody in the room. Waits for what is expected and skips the rest.
  private record Talker(OutboundCall<ChatMessage, ChatMessage> call, Iterator<ChatMessage> replies)
      implements AutoCloseable {
    void says(long id, String text) {
      call.send(ChatMessage.newBuilder().setId(id).setMessage(text).build());
    }

    ChatMessage next() {
      return replies.next();
    }

    void hears(String from, String start) {
      ChatMessage heard;
      do {
        heard = next();
      } while (!heard.getFrom().equals(from) || !heard.getMessage().startsWith(start));
    }

    /// The next messages of these.
    List<ChatMessage> collects(int count, String... from) {
      var collected = new ArrayList<ChatMessage>();
      while (collected.size() < count) {
        var heard = next();
        if (List.of(from).contains(heard.getFrom())) collected.add(heard);
      }
      return collected;
    }

    void leaves() {
      call.halfClose();
    }

    /// All that still comes.
    List<ChatMessage> rest() {
      var rest = new ArrayList<ChatMessage>();
      replies.forEachRemaining(rest::add);
      return rest;
    }

    @Override
    public void close() {
      call.close();
    }
  }
}
