package dev.weftline.tutorial;

import dev.weftline.tutorial.chat.ChatMessage;
import java.util.ArrayDeque;
import java.util.Deque;
import org.jspecify.annotations.Nullable;

/// What one reader has yet to hear. Any thread may post, and never waits: the reader's pace is
/// nobody else's. So the mailbox forgets when it is full, the oldest message first.
final class Mailbox {
  private final int messagesMax;

  // Guarded by this.
  private final Deque<ChatMessage> messages = new ArrayDeque<>();
  private long missed;
  private boolean closed;

  Mailbox(int messagesMax) {
    if (messagesMax < 1) throw new IllegalArgumentException("messagesMax: " + messagesMax);
    this.messagesMax = messagesMax;
  }

  /// Does nothing once the mailbox is closed.
  synchronized void post(ChatMessage message) {
    if (closed) return;
    if (messages.size() == messagesMax) {
      messages.removeFirst();
      missed++;
    }
    messages.addLast(message);
    notifyAll();
  }

  /// Waits for the next message; null when the mailbox is closed and empty.
  synchronized @Nullable ChatMessage take() throws InterruptedException {
    while (messages.isEmpty() && !closed) wait();
    return messages.pollFirst();
  }

  /// How many messages were forgotten since this was last asked.
  synchronized long missed() {
    long since = missed;
    missed = 0;
    return since;
  }

  /// Nothing more comes; what is there can still be taken.
  synchronized void close() {
    closed = true;
    notifyAll();
  }
}
