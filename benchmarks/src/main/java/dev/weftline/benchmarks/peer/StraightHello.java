package dev.weftline.benchmarks.peer;

import com.google.protobuf.ByteString;
import dev.weftline.Receiver;
import dev.weftline.Sender;
import dev.weftline.Service;
import dev.weftline.benchmarks.hello.HelloGrpc;
import dev.weftline.benchmarks.hello.Nap;
import dev.weftline.benchmarks.hello.Repeat;
import dev.weftline.benchmarks.hello.Text;
import dev.weftline.benchmarks.hello.Total;

/// What [HelloService] does, as straight-line methods.
final class StraightHello {
  private StraightHello() {}

  static Service service() {
    return Service.builder(HelloGrpc.getServiceDescriptor())
        .unary(HelloGrpc.getSayMethod(), StraightHello::say)
        .serverStreaming(HelloGrpc.getCountMethod(), StraightHello::count)
        .bidirectional(HelloGrpc.getChatMethod(), StraightHello::chat)
        .clientStreaming(HelloGrpc.getUploadMethod(), StraightHello::upload)
        .unary(HelloGrpc.getSleepMethod(), StraightHello::sleep)
        .build();
  }

  private static Text say(Text request) {
    return text(request.getText());
  }

  private static void count(Repeat request, Sender<Text> replies) {
    for (int i = 0; i < request.getMessages(); i++) replies.send(text(request.getText()));
  }

  private static void chat(Receiver<Text> requests, Sender<Text> replies) {
    for (var request : requests) replies.send(text(request.getText()));
  }

  private static Total upload(Receiver<Text> pieces) {
    long messages = 0;
    long bytes = 0;
    for (var piece : pieces) {
      messages++;
      bytes += piece.getText().size();
    }
    return Total.newBuilder().setMessages(messages).setBytes(bytes).build();
  }

  private static Text sleep(Nap request) throws InterruptedException {
    Sleepers.sleep(request);
    return Text.getDefaultInstance();
  }

  private static Text text(ByteString text) {
    return Text.newBuilder().setText(text).build();
  }
}
