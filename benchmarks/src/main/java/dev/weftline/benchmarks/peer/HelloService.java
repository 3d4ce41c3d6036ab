package dev.weftline.benchmarks.peer;

import dev.weftline.benchmarks.hello.HelloGrpc;
import dev.weftline.benchmarks.hello.Nap;
import dev.weftline.benchmarks.hello.Repeat;
import dev.weftline.benchmarks.hello.Text;
import dev.weftline.benchmarks.hello.Total;
import io.grpc.Status;
import io.grpc.stub.StreamObserver;

/// The service as anybody would write it for grpc-java; every server but Weftline itself serves it.
final class HelloService extends HelloGrpc.HelloImplBase {
  @Override
  public void say(Text request, StreamObserver<Text> answers) {
    answers.onNext(Text.newBuilder().setText(request.getText()).build());
    answers.onCompleted();
  }

  /// Never asks `isReady`: that is how most services stream.
  @Override
  public void count(Repeat request, StreamObserver<Text> answers) {
    for (int i = 0; i < request.getMessages(); i++) {
      answers.onNext(Text.newBuilder().setText(request.getText()).build());
    }
    answers.onCompleted();
  }

  @Override
  public StreamObserver<Text> chat(StreamObserver<Text> answers) {
    return new StreamObserver<>() {
      @Override
      public void onNext(Text message) {
        answers.onNext(Text.newBuilder().setText(message.getText()).build());
      }

      @Override
      public void onError(Throwable cause) {
        // The client is gone and so is everything this call held.
      }

      @Override
      public void onCompleted() {
        answers.onCompleted();
      }
    };
  }

  @Override
  public StreamObserver<Text> upload(StreamObserver<Total> answer) {
    return new StreamObserver<>() {
      private long messages;
      private long bytes;

      @Override
      public void onNext(Text message) {
        messages++;
        bytes += message.getText().size();
      }

      @Override
      public void onError(Throwable cause) {
        // The client is gone and so is everything this call held.
      }

      @Override
      public void onCompleted() {
        answer.onNext(Total.newBuilder().setMessages(messages).setBytes(bytes).build());
        answer.onCompleted();
      }
    };
  }

  @Override
  public void sleep(Nap request, StreamObserver<Text> answers) {
    try {
      Sleepers.sleep(request);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      answers.onError(Status.CANCELLED.withCause(e).asRuntimeException());
      return;
    }
    answers.onNext(Text.getDefaultInstance());
    answers.onCompleted();
  }
}
