package dev.weftline.testing;

import dev.weftline.probe.Answer;
import dev.weftline.probe.Ask;
import dev.weftline.probe.ProbeGrpc.ProbeImplBase;
import io.grpc.stub.StreamObserver;

/// Answers what it is asked: `Unary` and `Chat` echo, `Down` counts to the number asked for, `Up`
/// adds up.
public final class EchoService extends ProbeImplBase {
  @Override
  public void unary(Ask ask, StreamObserver<Answer> observer) {
    observer.onNext(echo(ask));
    observer.onCompleted();
  }

  @Override
  public void down(Ask ask, StreamObserver<Answer> observer) {
    for (int i = 1; i <= ask.getNumber(); i++) {
      observer.onNext(Answer.newBuilder().setNumber(i).setBody(ask.getBody()).build());
    }
    observer.onCompleted();
  }

  @Override
  public StreamObserver<Ask> up(StreamObserver<Answer> observer) {
    return new StreamObserver<>() {
      private int sum;

      @Override
      public void onNext(Ask ask) {
        sum += ask.getNumber();
      }

      @Override
      public void onError(Throwable t) {}

      @Override
      public void onCompleted() {
        observer.onNext(Probe.answer(sum));
        observer.onCompleted();
      }
    };
  }

  @Override
  public StreamObserver<Ask> chat(StreamObserver<Answer> observer) {
    return new StreamObserver<>() {
      @Override
      public void onNext(Ask ask) {
        observer.onNext(echo(ask));
      }

      @Override
      public void onError(Throwable t) {}

      @Override
      public void onCompleted() {
        observer.onCompleted();
      }
    };
  }

  static Answer echo(Ask ask) {
    return Answer.newBuilder()
        .setText(ask.getText())
        .setNumber(ask.getNumber())
        .setBody(ask.getBody())
        .build();
  }
}
