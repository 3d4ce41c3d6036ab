import static dev.weftline.testing.Probe.answer;
import static dev.weftline.testing.Probe.ask;

import dev.weftline.Call;
import dev.weftline.testing.RunningServer;
import dev.weftline.testing.StraightProbe;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.StructuredTaskScope;
import java.util.concurrent.TimeUnit;

/// A user's service with the preview API of JDK 25; compiled and run by StructuredTaskScopeTest.
public final class StructuredCalls {
  public static void main(String[] args) throws Exception {
    var ended = new CountDownLatch(2);
    var probe =
        StraightProbe.unary(request -> {
          try (var scope = StructuredTaskScope.open()) {
            var left = scope.fork(() -> work(request.getText(), ended));
            var right = scope.fork(() -> work(request.getText(), ended));
            scope.join();
            return answer(left.get() + " " + right.get());
          }
        });
    try (var server = RunningServer.with(builder -> builder.addService(probe.service()))) {
      System.out.println("answer " + server.blocking().unary(ask("quick")).getText());
      try {
        server.blocking().withDeadlineAfter(500, TimeUnit.MILLISECONDS).unary(ask("slow"));
      } catch (io.grpc.StatusRuntimeException e) {
        System.out.println("status " + e.getStatus().getCode());
      }
      System.out.println("ended " + ended.await(20, TimeUnit.SECONDS));
    }
  }

  private static String work(String how, CountDownLatch ended) throws InterruptedException {
    var call = Call.current();
    if (how.equals("slow")) {
      try {
        Thread.sleep(60_000);
      } catch (InterruptedException e) {
        if (call.isCancelled()) ended.countDown();
        throw e;
      }
    }
    return call.method().getBareMethodName();
  }
}
