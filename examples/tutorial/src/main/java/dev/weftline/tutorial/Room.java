package dev.weftline.tutorial;

import com.google.protobuf.Duration;
import com.google.rpc.RetryInfo;
import dev.weftline.CallException;
import dev.weftline.Sender;
import dev.weftline.tutorial.chat.ChatMessage;
import io.grpc.Status;
import java.util.LinkedHashMap;
import java.util.Map;

/// Where members hear each other. Any thread may call; nobody here waits for anybody.
final class Room {
  private static final String NAME = "room";

  /// Everything said is handed to everybody, so the work grows with the square of this.
  static final int MEMBERS_MAX = 200;

  /// What a member may have unread: as much as a person would still scroll back to. The mailboxes
  /// of a room share their messages, so one that nobody reads costs 4 MB and not 4 MB each.
  static final int UNREAD_MAX = 1_000;

  private static final int RETRY_SECONDS = 10;

  private final Map<String, Member> members = new LinkedHashMap<>(); // by name; guarded by this

  /// Lets somebody in whose first message this is.
  ///
  /// @throws CallException when the room is full
  synchronized Member enter(ChatMessage first) {
    if (members.size() == MEMBERS_MAX) throw full();
    var member = new Member(free(first.getFrom().isBlank() ? "guest" : first.getFrom().strip()));
    sayToAll(notice(member.name + " is here"));
    members.put(member.name, member);
    if (first.getMessage().isEmpty()) {
      member.tell(first.toBuilder().setFrom(member.name).build());
    } else {
      member.say(first);
    }
    member.tell(notice("welcome, " + member.name + ", we are " + members.size()));
    return member;
  }

  private static CallException full() {
    var retry = Duration.newBuilder().setSeconds(RETRY_SECONDS);
    return new CallException(
        Status.Code.RESOURCE_EXHAUSTED,
        "the room is full, " + MEMBERS_MAX + " are in it",
        RetryInfo.newBuilder().setRetryDelay(retry).build());
  }

  private String free(String wanted) {
    var name = wanted;
    for (int i = 2; name.equals(NAME) || name.equals(Bot.NAME) || members.containsKey(name); i++) {
      name = wanted + "-" + i;
    }
    return name;
  }

  private synchronized void sayToAll(ChatMessage message) {
    for (var member : members.values()) member.tell(message);
  }

  private synchronized void remove(Member member) {
    members.remove(member.name);
    sayToAll(notice(member.name + " has left"));
  }

  private static ChatMessage notice(String text) {
    return ChatMessage.newBuilder().setFrom(NAME).setMessage(text).build();
  }

  /// Somebody in the room. Whoever entered leaves.
  final class Member implements AutoCloseable {
    private final String name;
    private final Mailbox mailbox = new Mailbox(UNREAD_MAX);

    private Member(String name) {
      this.name = name;
    }

    /// Says it to everybody in the room, this member included.
    void say(ChatMessage message) {
      sayToAll(message.toBuilder().setFrom(name).build());
    }

    /// Tells this member alone.
    void tell(ChatMessage message) {
      mailbox.post(message);
    }

    /// Tells this member why there is no more to say.
    void shownOut() {
      tell(notice("the server closes, come back in a moment"));
    }

    /// Sends what this member is told, as it comes and until the goodbye.
    ///
    /// @return how many messages that was
    long deliver(Sender<ChatMessage> replies) throws InterruptedException {
      long sent = 0;
      for (ChatMessage message; (message = mailbox.take()) != null; sent++) {
        long missed = mailbox.missed();
        if (missed > 0) replies.send(notice("you read too slowly and missed " + missed));
        replies.send(message);
      }
      return sent;
    }

    /// Leaves the room.
    @Override
    public void close() {
      remove(this);
      tell(notice("goodbye, " + name));
      mailbox.close();
    }
  }
}
