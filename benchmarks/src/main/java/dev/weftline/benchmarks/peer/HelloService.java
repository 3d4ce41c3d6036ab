package dev.weftline.benchmarks.peer;

import dev.weftline.benchmarks.hello.HelloGrpc;
import dev.weftline.benchmarks.hello.Nap;
import dev.weftline.benchmarks.hello.Repeat;
import dev.weftline.benchmarks.hello.Text;
import io.grpc.Status;
import io.grpc.stub.StreamObserver;

/// The service every server serves, as anybody would write it for grpc-java.
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
  public void sleep(Nap request, StreamObserver<Text> answers) {
    try {
      Thread.sleep(request.getMillis());
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      answers.onError(Status.CANCELLED.withCause(e).asRuntimeException());
      return;
    }
    answers.onNext(Text.getDefaultInstance());
    answers.onCompleted();
  }
}
