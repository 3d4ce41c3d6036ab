package dev.weftline.tutorial;

import dev.weftline.Receiver;
import dev.weftline.Sender;
import dev.weftline.tutorial.hello.Greeter;
import dev.weftline.tutorial.hello.HelloReply;
import dev.weftline.tutorial.hello.HelloRequest;

/// Says hello once, several times, or as often as it is asked.
final class GreeterService implements Greeter {
  private static final int REPLIES_UNASKED = 10;

  /// Enough to watch a long stream for a while; a caller who wants more can call again.
  private static final int REPLIES_MAX = 10_000_000;

  @Override
  public HelloReply sayHello(HelloRequest request) {
    return reply("Hello " + request.getName());
  }

  @Override
  public void sayHelloStream(HelloRequest request, Sender<HelloReply> replies) {
    int count = request.hasReplies() ? request.getReplies() : REPLIES_UNASKED;
    if (count < 0 || count > REPLIES_MAX) {
      throw Malformed.field("replies", "must be within 0 and " + REPLIES_MAX + ", not " + count);
    }
    for (int i = 1; i <= count; i++) {
      replies.send(reply("Hello " + request.getName() + ", " + i + " of " + count));
    }
  }

  @Override
  public void sayHelloBidi(Receiver<HelloRequest> requests, Sender<HelloReply> replies) {
    for (var request : requests) replies.send(sayHello(request));
  }

  private static HelloReply reply(String message) {
    return HelloReply.newBuilder().setMessage(message).build();
  }
}
