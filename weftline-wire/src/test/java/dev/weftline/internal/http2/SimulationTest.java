package dev.weftline.internal.http2;

import dev.weftline.internal.testing.WireSimulation;
import java.util.concurrent.ThreadLocalRandom;
import org.junit.jupiter.api.Test;

/// Seeds found once stay here as named tests; `-Dweftline.seed=` replays one more.
class SimulationTest {
  private static final int KNOWN_SEEDS = 200;
  private static final long NEW_SEEDS_NANOS = 5_000_000_000L;

  @Test
  void everyExchangeIsAnsweredInFullWhateverHappensAroundIt() {
    var seed = Long.getLong("weftline.seed");
    if (seed != null) {
      runs(seed);
      return;
    }
    for (long known = 0; known < KNOWN_SEEDS; known++) runs(known);
    for (long start = System.nanoTime(); System.nanoTime() - start < NEW_SEEDS_NANOS; ) {
      runs(ThreadLocalRandom.current().nextLong());
    }
  }

  private static void runs(long seed) {
    try {
      WireSimulation.run(seed);
    } catch (RuntimeException | AssertionError e) {
      throw new AssertionError("replay with -Dweftline.seed=" + seed, e);
    }
  }
}
