package dev.weftline.benchmarks.peer;

import dev.weftline.benchmarks.work.Done;
import dev.weftline.benchmarks.work.Task;
import dev.weftline.benchmarks.work.WorkGrpc;
import io.grpc.Status;
import io.grpc.stub.StreamObserver;

/// The work as anybody would write it for grpc-java.
final class WorkService extends WorkGrpc.WorkImplBase {
  @Override
  public void once(Task task, StreamObserver<Done> answers) {
    if (works(task, answers)) {
      answers.onNext(Workshop.done(1));
      answers.onCompleted();
    }
  }

  @Override
  public void series(Task task, StreamObserver<Done> answers) {
    for (int i = 1; i <= task.getMessages(); i++) {
      if (!works(task, answers)) {
        return;
      }
      answers.onNext(Workshop.done(i));
    }
    answers.onCompleted();
  }

  @Override
  public StreamObserver<Task> dialogue(StreamObserver<Done> answers) {
    return new StreamObserver<>() {
      private int number;

      @Override
      public void onNext(Task task) {
        if (works(task, answers)) {
          answers.onNext(Workshop.done(++number));
        }
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

  private static boolean works(Task task, StreamObserver<Done> answers) {
    try {
      Workshop.work(task);
      return true;
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      answers.onError(Status.CANCELLED.withCause(e).asRuntimeException());
      return false;
    }
  }
}
