package dev.weftline.server;

import static dev.weftline.testing.Probe.answer;
import static dev.weftline.testing.Probe.ask;
import static org.assertj.core.api.Assertions.assertThat;

import dev.weftline.probe.Answer;
import dev.weftline.probe.Ask;
import dev.weftline.probe.ProbeGrpc;
import dev.weftline.probe.ProbeGrpc.ProbeImplBase;
import dev.weftline.testing.RunningServer;
import io.grpc.stub.StreamObserver;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.time.Duration;
import java.util.ArrayList;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.condition.EnabledIf;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/// Methods that wait, on a server with a single loop: they leave it to others and come back to it.
@EnabledIf("dev.weftline.internal.thread.VirtualThreads#areSchedulable")
@Timeout(60)
final class LoopCarriedCallsTest {
  private static final String LOOP = "weftline-loop-0";

  /// What a method waits for in some way, until the test releases it.
  static final class Gate implements AutoCloseable {
    volatile boolean open;
    volatile @Nullable Thread waiting;
    final CompletableFuture<String> future = new CompletableFuture<>();
    final Object monitor = new Object();
    final ReentrantLock lock = new ReentrantLock();
    final ServerSocket listener = listener();

    private static ServerSocket listener() {
      try {
        return new ServerSocket(0, 1, InetAddress.getLoopbackAddress());
      } catch (IOException e) {
        throw new AssertionError(e);
      }
    }

    @Override
    public void close() throws IOException {
      listener.close();
    }
  }

  /// The ways to wait that an ordinary method has.
  @SuppressWarnings("ThreadPriorityCheck") // yield is one of them
  enum Wait {
    SLEEP {
      @Override
      void here(Gate gate) throws InterruptedException {
        while (!gate.open) Thread.sleep(1);
      }
    },
    TIMED_PARK {
      @Override
      void here(Gate gate) {
        while (!gate.open) LockSupport.parkNanos(1_000_000);
      }
    },
    UNPARKED_BY_A_FOREIGN_THREAD {
      @Override
      void here(Gate gate) {
        while (!gate.open) LockSupport.park();
      }

      @Override
      void release(Gate gate) {
        gate.open = true;
        LockSupport.unpark(gate.waiting);
      }
    },
    FUTURE {
      @Override
      void here(Gate gate) throws Exception {
        gate.future.get();
      }

      @Override
      void release(Gate gate) {
        gate.future.complete("");
      }
    },
    CONTENDED_MONITOR {
      @Override
      void here(Gate gate) {
        synchronized (gate.monitor) {
          gate.open = true;
        }
      }

      @Override
      void whileHeld(Gate gate, Callable<?> test) throws Exception {
        synchronized (gate.monitor) {
          test.call();
        }
      }
    },
    SLEEP_IN_A_MONITOR {
      @Override
      void here(Gate gate) throws Exception {
        synchronized (gate.monitor) {
          SLEEP.here(gate);
        }
      }
    },
    MONITOR_WAIT {
      @Override
      void here(Gate gate) throws InterruptedException {
        synchronized (gate.monitor) {
          while (!gate.open) gate.monitor.wait();
        }
      }

      @Override
      void release(Gate gate) {
        synchronized (gate.monitor) {
          gate.open = true;
          gate.monitor.notifyAll();
        }
      }
    },
    TIMED_MONITOR_WAIT {
      @Override
      void here(Gate gate) throws InterruptedException {
        synchronized (gate.monitor) {
          while (!gate.open) gate.monitor.wait(1);
        }
      }
    },
    LOCK {
      @Override
      void here(Gate gate) {
        gate.lock.lock();
        try {
          gate.open = true;
        } finally {
          gate.lock.unlock();
        }
      }

      @Override
      void whileHeld(Gate gate, Callable<?> test) throws Exception {
        gate.lock.lock();
        try {
          test.call();
        } finally {
          gate.lock.unlock();
        }
      }
    },
    SOCKET_READ {
      @Override
      void here(Gate gate) throws IOException {
        try (var socket =
            new Socket(InetAddress.getLoopbackAddress(), gate.listener.getLocalPort())) {
          assertThat(socket.getInputStream().read()).isEqualTo(7);
        }
      }

      @Override
      void whileHeld(Gate gate, Callable<?> test) throws Exception {
        test.call(); // it is connected as soon as the kernel has queued it
        try (var accepted = gate.listener.accept()) {
          accepted.getOutputStream().write(7);
        }
      }
    },
    YIELD {
      @Override
      void here(Gate gate) {
        while (!gate.open) Thread.yield();
      }
    };

    /// In the method.
    abstract void here(Gate gate) throws Exception;

    /// In the test, where nothing else is said: opens the gate.
    void release(Gate gate) {
      gate.open = true;
    }

    /// In the test: runs `test` while the method waits, or is about to.
    void whileHeld(Gate gate, Callable<?> test) throws Exception {
      test.call();
    }
  }

  /// Answers with what the method returns; any other call is answered at once.
  private static final class Methods extends ProbeImplBase {
    private final Callable<String> method;

    Methods(Callable<String> method) {
      this.method = method;
    }

    @Override
    public void unary(Ask ask, StreamObserver<Answer> observer) {
      try {
        observer.onNext(answer(ask.getText().equals("method") ? method.call() : carrier()));
        observer.onCompleted();
      } catch (Exception e) {
        observer.onError(e);
      }
    }
  }

  private static RunningServer serving(Callable<String> method) {
    return RunningServer.with(options ->
        options
            .addService(new Methods(method))
            .loops(1)
            .stallBudget(Duration.ofMinutes(1)) // a cold method is slow, and stays all the same
            .limits(Limits.DEFAULT.withStreamsMax(20_000)));
  }

  /// A virtual thread's string ends with the name of who carries it.
  private static String carrier() {
    var text = Thread.currentThread().toString();
    return text.substring(text.indexOf('@') + 1);
  }

  @ParameterizedTest
  @EnumSource
  void aMethodThatWaitsLeavesTheLoopAndComesBackToIt(Wait wait) throws Exception {
    var entered = new CountDownLatch(1);
    try (var gate = new Gate();
        var server =
            serving(() -> {
              gate.waiting = Thread.currentThread();
              var before = carrier();
              entered.countDown();
              wait.here(gate);
              return before + " " + carrier();
            })) {
      var call = new Future<?>[1];
      wait.whileHeld(
          gate,
          () -> {
            call[0] = ProbeGrpc.newFutureStub(server.channel()).unary(ask("method"));
            entered.await();
            // The loop is not held up: it serves, and carries, other calls.
            for (int i = 0; i < 3; i++) {
              assertThat(server.blocking().unary(ask("other")).getText()).isEqualTo(LOOP);
            }
            assertThat(call[0].isDone()).isFalse();
            return null;
          });
      wait.release(gate);
      assertThat(call[0].get()).isEqualTo(answer(LOOP + " " + LOOP));
    }
  }

  @Test
  void threadsThatAMethodMakesRunOnTheJdksScheduler() {
    try (var server =
        serving(() -> {
          var carriers = new ArrayList<String>();
          Thread.startVirtualThread(() -> carriers.add(carrier())).join();
          try (var executor = Executors.newVirtualThreadPerTaskExecutor()) {
            carriers.add(executor.submit(LoopCarriedCallsTest::carrier).get());
            carriers.add(
                executor
                    .submit(() -> {
                      Thread.sleep(1);
                      return carrier();
                    })
                    .get());
          }
          carriers.add(CompletableFuture.supplyAsync(() -> "ForkJoinPool").get());
          return String.join(" ", carriers) + " " + carrier();
        })) {
      var carriers = server.blocking().unary(ask("method")).getText().split(" ");
      assertThat(carriers).hasSize(5).endsWith(LOOP);
      for (int i = 0; i < 4; i++) assertThat(carriers[i]).startsWith("ForkJoinPool");
    }
  }

  @Test
  void whatAMethodLeavesInAThreadLocalIsGoneInTheNextCall() {
    var local = new ThreadLocal<String>();
    try (var server =
        serving(() -> {
          var found = local.get();
          local.set("left behind");
          return String.valueOf(found);
        })) {
      for (int i = 0; i < 3; i++) {
        assertThat(server.blocking().unary(ask("method")).getText()).isEqualTo("null");
      }
    }
  }

  @Test
  void tenThousandCallsSleepOnOneLoop() throws Exception {
    int count = 10_000;
    var asleep = new CountDownLatch(count);
    try (var gate = new Gate();
        var server =
            serving(() -> {
              asleep.countDown();
              while (!gate.open) Thread.sleep(500);
              return carrier();
            })) {
      var stub = ProbeGrpc.newFutureStub(server.channel());
      var calls = new ArrayList<Future<Answer>>();
      for (int i = 0; i < count; i++) calls.add(stub.unary(ask("method")));
      assertThat(asleep.await(30, TimeUnit.SECONDS)).isTrue();
      assertThat(server.blocking().unary(ask("other")).getText()).isEqualTo(LOOP);
      gate.open = true;
      for (var call : calls) assertThat(call.get().getText()).isEqualTo(LOOP);
    }
  }
}
