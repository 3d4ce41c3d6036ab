package dev.weftline.benchmarks;

import com.google.protobuf.ByteString;
import dev.weftline.benchmarks.hello.HelloGrpc;
import dev.weftline.benchmarks.hello.Repeat;
import dev.weftline.benchmarks.hello.Text;
import dev.weftline.benchmarks.peer.Peer;
import io.grpc.StatusRuntimeException;
import io.grpc.netty.NettyChannelBuilder;
import io.grpc.stub.StreamObserver;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/// Whether a server answers grpc-java's own client rightly: h2load sees bytes, this sees messages
/// and status.
final class HelloCheck {
  private static final int SECONDS_MAX = 20;

  private HelloCheck() {}

  /// Throws when an answer is wrong.
  static void check(Peer peer, int port) throws InterruptedException {
    var channel = NettyChannelBuilder.forAddress("127.0.0.1", port).usePlaintext().build();
    try {
      var stub = HelloGrpc.newStub(channel).withDeadlineAfter(SECONDS_MAX, TimeUnit.SECONDS);
      for (int bytes : new int[] {0, 10, 10 << 10}) {
        var text = text(bytes);
        expect(List.of(text), answers(to -> stub.say(text, to)), peer + " Say " + bytes);
      }
      var text = text(10);
      if (peer.servesCalls()) {
        var repeat = Repeat.newBuilder().setMessages(1000).setText(text.getText()).build();
        expect(copies(text, 1000), answers(to -> stub.count(repeat, to)), peer + " Count");
      }
      expect(copies(text, 100), answers(to -> chat(stub, text, to)), peer + " Chat");
    } finally {
      channel.shutdownNow().awaitTermination(5, TimeUnit.SECONDS);
    }
  }

  private static void chat(HelloGrpc.HelloStub stub, Text text, StreamObserver<Text> to) {
    var messages = stub.chat(to);
    for (int i = 0; i < 100; i++) {
      messages.onNext(text);
    }
    messages.onCompleted();
  }

  private interface Start {
    void call(StreamObserver<Text> answers);
  }

  private static List<Text> answers(Start start) throws InterruptedException {
    var all = new CompletableFuture<List<Text>>();
    var got = new ArrayList<Text>();
    start.call(
        new StreamObserver<>() {
          @Override
          public void onNext(Text text) {
            got.add(text);
          }

          @Override
          public void onError(Throwable cause) {
            all.completeExceptionally(cause);
          }

          @Override
          public void onCompleted() {
            all.complete(got);
          }
        });
    try {
      return all.get(SECONDS_MAX + 5, TimeUnit.SECONDS);
    } catch (ExecutionException e) {
      if (e.getCause() instanceof StatusRuntimeException status) {
        throw new IllegalStateException(status.getStatus().toString(), e);
      }
      throw new CompletionException(e.getCause());
    } catch (TimeoutException e) {
      throw new IllegalStateException("no answer", e);
    }
  }

  private static void expect(List<Text> expected, List<Text> got, String what) {
    if (!expected.equals(got)) {
      throw new IllegalStateException(
          what + ": wrong answer, " + got.size() + " of " + expected.size() + " messages");
    }
  }

  private static List<Text> copies(Text text, int times) {
    return java.util.Collections.nCopies(times, text);
  }

  private static Text text(int bytes) {
    byte[] octets = new byte[bytes];
    for (int i = 0; i < bytes; i++) {
      octets[i] = (byte) i;
    }
    return Text.newBuilder().setText(ByteString.copyFrom(octets)).build();
  }
}
