package dev.weftline.tutorial;

import dev.weftline.tutorial.chat.ChatMessage;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/// Has something to say to everything, and takes its time. Any thread may call.
final class Bot {
  static final String NAME = "bot";

  private final Duration pause;

  /// @param pause before each remark
  Bot(Duration pause) {
    this.pause = pause;
  }

  /// Remarks on what it hears, to this member, until there is nothing more to hear.
  ///
  /// @return how many remarks those were
  long talk(Mailbox heard, Room.Member listener) throws InterruptedException {
    long made = 0;
    for (ChatMessage message; (message = heard.take()) != null; ) {
      for (var remark : remarks(message.getMessage())) {
        Thread.sleep(pause);
        listener.tell(message.toBuilder().setFrom(NAME).setMessage(remark).build());
        made++;
      }
    }
    return made;
  }

  static List<String> remarks(String text) {
    var remarks = new ArrayList<String>();
    int words = text.strip().split("\\s+").length;
    remarks.add("that was " + words + (words == 1 ? " word" : " words"));
    remarks.add("backwards it is: " + new StringBuilder(text).reverse());
    if (text.endsWith("?")) remarks.add("and I do not know the answer");
    return remarks;
  }
}
