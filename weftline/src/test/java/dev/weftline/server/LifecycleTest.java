package dev.weftline.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.weftline.server.Lifecycle.State;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// The order of things, on a server whose connections the test closes.
@Timeout(60)
final class LifecycleTest {
  private static final Duration NEVER = Duration.ofHours(1);

  private final Told told = new Told();

  @ParameterizedTest
  @CsvSource({
    "STARTING, CLOSED, CLOSED",
    "SERVING, DRAINING, CLOSING",
    "DRAINING, DRAINING, CLOSING",
    "CLOSING, CLOSING, CLOSING",
    "CLOSED, CLOSED, CLOSED",
  })
  void fromEachStateDrainAndCloseLeadHere(State from, State drained, State closed) {
    assertThat(from.drain()).isEqualTo(drained);
    assertThat(from.close()).isEqualTo(closed);
  }

  @Test
  void aServerStartsOnceAndEndsOnlyAfterItHasClosed() {
    assertThat(State.STARTING.serve()).isEqualTo(State.SERVING);
    assertThat(State.CLOSING.end()).isEqualTo(State.CLOSED);
    assertThatThrownBy(State.CLOSED::serve).isInstanceOf(IllegalStateException.class);
    assertThatThrownBy(State.SERVING::end).isInstanceOf(IllegalStateException.class);
  }

  @Test
  void aDrainGoesAllTheWayByItself() throws Exception {
    told.lameDuck = Duration.ofMillis(1);
    told.closed.complete(null);
    var lifecycle = started(NEVER);
    lifecycle.drain();
    lifecycle.drain(); // the second time nothing happens
    lifecycle.await();
    assertThat(told.turns).containsExactly("serve", "drain", "close", "end");
    assertThat(lifecycle.state()).isEqualTo(State.CLOSED);
  }

  @Test
  void whatIsLeftAfterTheGraceTimeIsCutAndThenDisconnected() throws Exception {
    var lifecycle = started(Duration.ofMillis(1));
    lifecycle.drain();
    lifecycle.await();
    assertThat(told.turns).containsExactly("serve", "drain", "close", "cut", "disconnect", "end");
  }

  /// Methods that never end, nor hear that they should.
  @Test
  @Timeout(30)
  void theEndComesWhileEveryCarrierIsBusy() throws Exception {
    var stop = new AtomicBoolean();
    for (int i = 0; i < 4 * Runtime.getRuntime().availableProcessors(); i++) {
      Thread.startVirtualThread(() -> {
        while (!stop.get()) Thread.onSpinWait();
      });
    }
    try {
      var lifecycle = started(Duration.ofMillis(1));
      lifecycle.drain();
      lifecycle.shutdownNow();
      lifecycle.await();
      assertThat(lifecycle.state()).isEqualTo(State.CLOSED);
    } finally {
      stop.set(true);
    }
  }

  @Test
  void closingEndsTheTimeOfALameDuck() throws Exception {
    told.lameDuck = NEVER;
    told.closed.complete(null);
    var lifecycle = started(NEVER);
    lifecycle.drain();
    assertThat(lifecycle.state()).isEqualTo(State.DRAINING);
    lifecycle.shutdown(NEVER);
    assertThat(told.turns).containsExactly("serve", "drain", "close", "end");
  }

  @Test
  void nowIsNowAlsoWhileADrainWaits() throws Exception {
    told.lameDuck = NEVER;
    var lifecycle = started(NEVER);
    lifecycle.drain();
    lifecycle.shutdownNow();
    lifecycle.await();
    assertThat(told.turns).containsExactly("serve", "drain", "close", "cut", "disconnect", "end");
  }

  /// grpc-java's `shutdown`: calls have all the time they want.
  @Test
  void closingAloneCutsNothing() throws Exception {
    var lifecycle = started(Duration.ZERO);
    lifecycle.close();
    assertThat(lifecycle.await(50, TimeUnit.MILLISECONDS)).isFalse();
    assertThat(told.turns).containsExactly("serve", "drain", "close");
    told.closed.complete(null);
    lifecycle.await();
  }

  @Test
  void whatNeverStartedEndsAtOnce() throws Exception {
    var lifecycle = new Lifecycle(NEVER, told);
    lifecycle.drain();
    lifecycle.await();
    assertThat(told.turns).containsExactly("end");
    assertThatThrownBy(lifecycle::start).hasMessage("Already started");
  }

  @Test
  void whatCouldNotStartMayTryAgain() throws Exception {
    told.failure = new IOException("taken");
    var lifecycle = new Lifecycle(NEVER, told);
    assertThatThrownBy(lifecycle::start).isSameAs(told.failure);
    assertThat(lifecycle.state()).isEqualTo(State.STARTING);
    told.failure = null;
    lifecycle.start();
    assertThat(lifecycle.state()).isEqualTo(State.SERVING);
  }

  private Lifecycle started(Duration grace) throws IOException {
    var lifecycle = new Lifecycle(grace, told);
    lifecycle.start();
    return lifecycle;
  }

  private static final class Told implements Lifecycle.Turns {
    final List<String> turns = new ArrayList<>();
    final CompletableFuture<Void> closed = new CompletableFuture<>();
    Duration lameDuck = Duration.ZERO;
    @Nullable IOException failure; // unless it cannot start

    private synchronized void tell(String turn) {
      turns.add(turn);
    }

    @Override
    public void serve() throws IOException {
      if (failure != null) throw failure;
      tell("serve");
    }

    @Override
    public Duration drain() {
      tell("drain");
      return lameDuck;
    }

    @Override
    public CompletableFuture<Void> close() {
      tell("close");
      return closed;
    }

    @Override
    public void cut() {
      tell("cut");
    }

    @Override
    public void disconnect() {
      tell("disconnect");
      closed.complete(null);
    }

    @Override
    public void end() {
      tell("end");
    }
  }
}
