package dev.weftline.cli;

import dev.weftline.client.OutboundCall;
import dev.weftline.tutorial.chat.Chat;
import dev.weftline.tutorial.chat.ChatMessage;
import io.grpc.Grpc;
import io.grpc.InsecureChannelCredentials;
import io.grpc.ManagedChannel;
import io.grpc.StatusRuntimeException;
import java.io.PrintWriter;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/// `weft chat`: talks with whoever else is in the chat of a running demo, and with its bot. What is
/// typed is sent by one thread, what others say is printed by another.
@Command(
    name = "chat",
    description =
        "Chat in the room of a running demo: each line that is typed or piped in is said there. "
            + "/quit or Ctrl-D leaves and waits for the goodbye, Ctrl-C leaves at once.")
final class ChatCommand implements Callable<Integer> {
  private static final String QUIT = "/quit";
  private static final int NAME_CHARS_MAX = 32;
  private static final int MESSAGE_CHARS_MAX = 1_000;

  @Spec private CommandSpec command = CommandSpec.create(); // picocli puts the real one here

  @Parameters(paramLabel = "HOST:PORT", description = "Where the demo listens.")
  private String target = "";

  @Option(
      names = "--name",
      paramLabel = "NAME",
      defaultValue = "${sys:user.name}",
      description =
          "What the others see; a number is appended if it is taken. Default: your user name.")
  private String name = "";

  private volatile boolean interrupted;

  @Override
  public Integer call() {
    if (name.isBlank() || name.length() > NAME_CHARS_MAX) {
      throw new ParameterException(
          command.commandLine(), "--name: has 1 to " + NAME_CHARS_MAX + " characters");
    }
    FailedCall.quiet();
    var channel = channel();
    try (var chat = Chat.client(channel).chat()) {
      var receiving = Thread.currentThread();
      StopSignals.handle(() -> {
        interrupted = true;
        receiving.interrupt();
      });
      // A daemon, because it may wait for the terminal for ever. Platform, because a read of the
      // terminal would keep a carrier.
      Thread.ofPlatform().daemon().name("typed").start(() -> sendLines(chat));
      print(chat);
      return 0;
    } catch (StatusRuntimeException e) {
      if (interrupted) return 0;
      err().println("weft chat: " + new FailedCall(target, e.getStatus()).sentence());
      return 1;
    } finally {
      channel.shutdownNow();
    }
  }

  private ManagedChannel channel() {
    try {
      return Grpc.newChannelBuilder(target, InsecureChannelCredentials.create()).build();
    } catch (IllegalArgumentException e) {
      throw new ParameterException(
          command.commandLine(),
          "'" + target + "' is not HOST:PORT, for example localhost:50051",
          e);
    }
  }

  private void sendLines(OutboundCall<ChatMessage, ChatMessage> chat) {
    try {
      chat.send(ChatMessage.newBuilder().setFrom(name).build());
      long id = 0;
      for (String line; (line = IO.readln()) != null && !line.strip().equals(QUIT); ) {
        if (line.isBlank()) continue;
        if (line.length() > MESSAGE_CHARS_MAX) {
          err().println("not sent, longer than " + MESSAGE_CHARS_MAX + " characters");
          continue;
        }
        id++;
        chat.send(ChatMessage.newBuilder().setId(id).setMessage(line).build());
      }
      chat.halfClose();
    } catch (StatusRuntimeException e) {
      // The call has ended, and whoever receives its replies is told why.
    }
  }

  private void print(OutboundCall<ChatMessage, ChatMessage> chat) {
    var said = chat.iterator();
    if (!said.hasNext()) return;
    var me = said.next().getFrom(); // our first message, under the name that the room chose
    while (said.hasNext()) {
      var message = said.next();
      if (!message.getFrom().equals(me)) show(message);
    }
  }

  private void show(ChatMessage message) {
    out()
        .println("%s: %s".formatted(printable(message.getFrom()), printable(message.getMessage())));
    out().flush();
  }

  /// Without what would move the cursor or colour the terminal: others wrote it.
  private static String printable(String text) {
    return text.replaceAll("\\p{Cc}", "?");
  }

  private PrintWriter out() {
    return command.commandLine().getOut();
  }

  private PrintWriter err() {
    return command.commandLine().getErr();
  }
}
