package dev.weftline.tutorial;

import dev.weftline.Call;
import dev.weftline.Receiver;
import dev.weftline.Sender;
import dev.weftline.tutorial.chat.Chat;
import dev.weftline.tutorial.chat.ChatMessage;

/// A room to talk in, with a bot: each side of a call sends whenever it likes. A server that drains
/// shows its guests out instead of cutting them off.
final class ChatService implements Chat {
  static final int NAME_CHARS_MAX = 32;
  static final int MESSAGE_CHARS_MAX = 1_000;

  /// A bot that is spoken to faster than it speaks forgets what was said first, instead of
  /// answering for minutes.
  private static final int UNANSWERED_MAX = 4;

  private final Room room = new Room();
  private final Bot bot;

  ChatService(Bot bot) {
    this.bot = bot;
  }

  @Override
  public void chat(Receiver<ChatMessage> messages, Sender<ChatMessage> replies) throws Exception {
    var arriving = messages.untilDrain().iterator();
    if (!arriving.hasNext()) return; // without a word, so nobody came
    var first = checked(arriving.next());
    var heard = new Mailbox(UNANSWERED_MAX);

    try (var member = room.enter(first)) {
      Call.current().fork(() -> member.deliver(replies));
      var talk = Call.current().fork(() -> bot.talk(heard, member));

      if (!first.getMessage().isEmpty()) heard.post(first);
      while (arriving.hasNext()) {
        var message = spoken(arriving.next());
        member.say(message);
        heard.post(message);
      }

      if (Call.current().draining()) member.shownOut();
      heard.close();
      talk.join(); // then the goodbye, which the call waits for as it does for every fork
    }
  }

  private static ChatMessage spoken(ChatMessage message) {
    if (message.getMessage().isEmpty()) throw Malformed.field("message", "is empty");
    return checked(message);
  }

  private static ChatMessage checked(ChatMessage message) {
    if (message.getMessage().length() > MESSAGE_CHARS_MAX) {
      throw Malformed.field("message", "is longer than " + MESSAGE_CHARS_MAX + " characters");
    }
    if (message.getFrom().length() > NAME_CHARS_MAX) {
      throw Malformed.field("from", "is longer than " + NAME_CHARS_MAX + " characters");
    }
    return message;
  }
}
