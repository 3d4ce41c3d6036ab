package dev.weftline.benchmarks.peer;

import dev.weftline.Receiver;
import dev.weftline.Sender;
import dev.weftline.Service;
import dev.weftline.benchmarks.work.Done;
import dev.weftline.benchmarks.work.Task;
import dev.weftline.benchmarks.work.WorkGrpc;

/// The work as straight-line methods.
final class StraightWork {
  private StraightWork() {}

  static Service service() {
    return Service.builder(WorkGrpc.getServiceDescriptor())
        .unary(WorkGrpc.getOnceMethod(), Workshop::once)
        .serverStreaming(WorkGrpc.getSeriesMethod(), StraightWork::series)
        .bidirectional(WorkGrpc.getDialogueMethod(), StraightWork::dialogue)
        .build();
  }

  private static void series(Task task, Sender<Done> replies) throws InterruptedException {
    for (int i = 1; i <= task.getMessages(); i++) {
      Workshop.work(task);
      replies.send(Workshop.done(i));
    }
  }

  private static void dialogue(Receiver<Task> tasks, Sender<Done> replies)
      throws InterruptedException {
    int number = 0;
    for (var task : tasks) {
      Workshop.work(task);
      replies.send(Workshop.done(++number));
    }
  }
}
