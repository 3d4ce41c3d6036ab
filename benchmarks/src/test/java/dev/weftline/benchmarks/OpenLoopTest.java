package dev.weftline.benchmarks;

import static org.assertj.core.api.Assertions.assertThat;

import dev.weftline.benchmarks.OpenLoop.Arrivals;
import dev.weftline.benchmarks.OpenLoop.Plan;
import dev.weftline.benchmarks.peer.Replica;
import dev.weftline.benchmarks.work.Task;
import java.io.IOException;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/// The client of the overload scenario, and that it accounts for every call.
class OpenLoopTest {
  private static PeerProcess server;

  @BeforeAll
  static void start() throws IOException {
    server = PeerProcess.start(Replica.WEFTLINE, 0, false, Servers.withHeap("128m"));
  }

  @AfterAll
  static void stop() throws IOException {
    server.close();
  }

  @Test
  void everyCallThatIsDueIsMadeAndAnswered() throws IOException {
    var outcome = run(new Plan(new Arrivals.AtRate(300, false), 0, 1, 20_000), 0);
    assertThat(outcome.due()).isBetween(299L, 301L);
    assertThat(outcome.ok()).isEqualTo(outcome.due());
    assertThat(outcome.others()).isEmpty();
    assertThat(outcome.okMicros().getTotalCount()).isEqualTo(outcome.ok());
  }

  @Test
  void randomArrivalsKeepTheirRate() throws IOException {
    var outcome = run(new Plan(new Arrivals.AtRate(300, true), 0, 1, 20_000), 0);
    assertThat(outcome.due()).isBetween(200L, 400L);
    assertThat(outcome.ok()).isEqualTo(outcome.due());
  }

  @Test
  void callsInTheRampAreMadeAndNotCounted() throws IOException {
    var outcome = run(new Plan(new Arrivals.AtRate(100, false), 0.5, 0.5, 20_000), 0);
    assertThat(outcome.due()).isBetween(49L, 51L);
    assertThat(outcome.ok()).isEqualTo(outcome.due());
  }

  @Test
  void whatIsNotAnsweredInTimeIsGivenUp() throws IOException {
    var outcome = run(new Plan(new Arrivals.AtRate(100, false), 0, 0.2, 50), 10_000);
    assertThat(outcome.ok()).isZero();
    assertThat(outcome.others().values().stream().mapToLong(n -> n).sum())
        .isEqualTo(outcome.due())
        .isPositive();
    // A server that has seen such calls take longer than their deadline refuses the next.
    assertThat(outcome.others().keySet())
        .isSubsetOf(
            "no answer in time", "DEADLINE_EXCEEDED", "RESOURCE_EXHAUSTED", "the client was late");
  }

  private static OpenLoop.Outcome run(Plan plan, int napMillis) throws IOException {
    var task = Task.newBuilder().setNapMillis(napMillis).build();
    try (var load = OpenLoop.open(server.port(), 2, MixedLoad.UNARY, task)) {
      return load.run(plan);
    }
  }
}
