package dev.weftline.internal.http;

import io.netty.util.concurrent.FastThreadLocal;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;

/// What a server holds for its peers, in octets, and how much that may be: replies that they have
/// not read, requests that were not taken or have not come whole. Counted by each connection on its
/// loop, added up for each loop without atomics, and told to the others in steps.
///
/// Any thread may ask; a [Tally] belongs to its loop.
public final class ByteBudget {
  /// How near to its budget a server is.
  public enum Level {
    /// Less than half is held.
    ROOMY,
    /// Half of it or more: what single peers may make us hold shrinks.
    TIGHT,
    /// All of it: nothing more is begun.
    FULL
  }

  /// For those who hold as much as they like.
  public static final ByteBudget UNLIMITED = new ByteBudget(Long.MAX_VALUE);

  /// Loops tell of steps of so large a share of the budget: few enough to cost nothing, and all
  /// loops of a large machine together hide no more than a quarter.
  private static final int STEPS = 256;

  /// Below so many tenths of what raised the level it falls again, so that it does not flutter.
  private static final double RELIEF = 0.9;

  private final long bytes;
  private final long stepBytes;
  private final List<Tally> tallies = new CopyOnWriteArrayList<>();
  private final FastThreadLocal<Tally> ofThisLoop =
      new FastThreadLocal<>() {
        @Override
        protected Tally initialValue() {
          var tally = new Tally(ByteBudget.this);
          tallies.add(tally);
          return tally;
        }
      };
  private volatile Level level = Level.ROOMY;

  /// @param bytes that may be held
  public ByteBudget(long bytes) {
    if (bytes < 1) throw new IllegalArgumentException("budget: " + bytes);
    this.bytes = bytes;
    this.stepBytes = Math.max(1, bytes / STEPS);
  }

  /// That of the loop that calls.
  public Tally ofThisLoop() {
    return ofThisLoop.get();
  }

  /// How much may be held.
  public long bytes() {
    return bytes;
  }

  /// How much is held, but for what each loop has not told yet.
  public long held() {
    long held = 0;
    for (var tally : tallies) held += tally.told;
    return Math.max(0, held);
  }

  public Level level() {
    return level;
  }

  /// Half of the budget or more is held.
  public boolean isTight() {
    return level != Level.ROOMY;
  }

  /// All of the budget is held.
  public boolean isFull() {
    return level == Level.FULL;
  }

  /// Two loops may come here at once and overtake each other: the next step of either sets it
  /// right.
  private void update() {
    level = levelOf(held());
  }

  private Level levelOf(long held) {
    double share = (double) held / bytes;
    return switch (level) {
      case ROOMY -> share >= 1 ? Level.FULL : share >= 0.5 ? Level.TIGHT : Level.ROOMY;
      case TIGHT -> share >= 1 ? Level.FULL : share < 0.5 * RELIEF ? Level.ROOMY : Level.TIGHT;
      case FULL -> share >= RELIEF ? Level.FULL : share < 0.5 * RELIEF ? Level.ROOMY : Level.TIGHT;
    };
  }

  @Override
  public String toString() {
    return held() + " of " + bytes + " bytes held, " + level;
  }

  /// What the connections of one loop hold. Confined to it.
  public static final class Tally {
    private final ByteBudget budget;
    private long held;
    private volatile long told;

    private Tally(ByteBudget budget) {
      this.budget = budget;
    }

    /// More is held, or less.
    public void add(long bytes) {
      held += bytes;
      if (Math.abs(held - told) < budget.stepBytes) return;
      told = held;
      budget.update();
    }

    public ByteBudget budget() {
      return budget;
    }
  }
}
