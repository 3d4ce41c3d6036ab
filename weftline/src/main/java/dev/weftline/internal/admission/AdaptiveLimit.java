package dev.weftline.internal.admission;

import java.util.Arrays;
import java.util.concurrent.TimeUnit;

/// How many calls of one method may be under way: found by measuring how long they take, in windows
/// of a tenth of a second and more.
///
/// There is no limit until there is evidence, since waiting is free: ten thousand calls that sleep
/// are no overload. Evidence is a crowd that grows: calls usually take more than twice as long as
/// they did when they had the server for themselves, twice in a row, and they become more, or their
/// clients give them up. The limit is then as many calls as the server completes in one such
/// unloaded time (Little's law), and a quarter more, so that nothing it works with falls idle.
///
/// A crowd that only stands is given a few windows more. If it waits for cores, and is not the same
/// all the time, it is limited then: as many clients that ask one after the other lose nothing.
/// Inside of handlers, as many come as end, so calls are just longer than they were: that is the
/// usual time from now on. A [flood][FloodWatch] does not wait for windows.
///
/// What is usual is the lowest of the last minute: the time between the start of the thread and the
/// end of the handler, so that waiting for a core does not count. Waiting inside of the handler,
/// for a lock or a pool of connections, cannot be told apart from work, so a limit is an
/// experiment: it halves the calls under way, and again, while as many are completed as before.
/// Where fewer are, calls are just longer than they were, as above, and the limit rises as long as
/// more calls are completed for it. It is lifted when nobody has been turned away for a while.
/// Under one that stays, half of it is tried now and then, to see how short calls are.
///
/// The first seconds of a method find no limit: nothing tells a crowd from code that is not
/// compiled yet.
///
/// Not for several threads at once. The clock is whatever `ended` is on.
final class AdaptiveLimit {
  /// Any number.
  static final int NONE = Integer.MAX_VALUE;

  /// For `add`: the handler did not run.
  static final long NOT_RUN = -1;

  /// What a call may take longer than usual without being crowded, however short it is: a
  /// collection of garbage and a busy machine do that.
  static final long SLACK_NANOS = TimeUnit.MILLISECONDS.toNanos(10);

  /// A window holds some calls from their beginning to their end, but one must not wait too long.
  private static final long WINDOW_NANOS_MIN = TimeUnit.MILLISECONDS.toNanos(100);

  private static final long WINDOW_NANOS_MAX = TimeUnit.MILLISECONDS.toNanos(250);
  private static final int SAMPLES_MIN = 10;
  private static final int SAMPLES_MAX = 64;

  /// Of a method, from its first call on: classes are loaded, and what runs often is compiled.
  static final long COLD_NANOS = TimeUnit.SECONDS.toNanos(5);

  /// After such a pause a window begins anew, without a limit: what was before it tells nothing
  /// about now.
  private static final long PAUSE_NANOS_MAX = TimeUnit.SECONDS.toNanos(10);

  /// Windows in a row that must be crowded.
  private static final int CROWDED_MIN = 2;

  /// The same where the crowd does not grow, and waits for cores.
  private static final int STANDING_MIN = 4;

  /// The same where calls just seem to take longer.
  private static final int LONGER_MIN = 10;

  /// A crowd grows when it is so many times what it was at its smallest, and more than chance makes
  /// of that: so many square roots of it. What is inside of handlers comes and goes at random; what
  /// waits for cores has them all busy.
  private static final double GROWN = 1.25;

  private static final int CHANCE = 2;
  private static final int CHANCE_BEFORE_CORES = 1;

  /// Clients that wait for one answer before they ask again are as many all the time, but for this,
  /// and a half. What a server had to put off becomes less.
  private static final double STILL = 1.05;

  private static final int STILL_WINDOWS = 3;

  /// A queue before the cores so soon after the last limit needs no proof but being there: at the
  /// edge of what a server can do limits come and go.
  private static final long AGAIN_NANOS_MAX = TimeUnit.SECONDS.toNanos(10);

  /// Calls under way that may be a flood, when they are so many times those of late as well. What
  /// is less does little harm before two windows have told.
  private static final int FLOOD_MIN = 500;

  private static final int FLOOD_FACTOR = 8;

  /// Where fewer calls than this come to their own end, clients have given up the others.
  private static final double WHOLE_SHARE = 0.8;

  /// Windows in a row that are still crowded, and complete less than without a limit, after which
  /// it has proved to be no use.
  private static final int IN_VAIN_MAX = 3;

  /// A limit that is right costs no throughput; what is missing is more than noise below this.
  private static final double RATE_KEPT = 0.7;

  /// The same of a limit that was no experiment: a compiler and a collector take half of a core.
  private static final double RATE_KEPT_CERTAIN = 0.35;

  /// Windows in a row without anybody turned away, after which the limit is lifted.
  private static final int CALM_MIN = 10;

  /// The same where calls are too few for windows.
  private static final long CALM_NANOS_MAX = TimeUnit.SECONDS.toNanos(1);

  /// How many times as long where the limit was found again soon.
  private static final int AGAIN_CALM_FACTOR = 5;

  /// The highest rate of so many windows counts: single ones are noisy, and a limit that is too low
  /// must not make itself lower.
  private static final int RATES = 10;

  /// Under a limit two windows of so many try half of it, at a loss of a quarter of their
  /// throughput at most.
  private static final int PROBE_WINDOWS = 50;

  /// The same while that still finds calls shorter: under a load that was too much from the first
  /// call on, nothing else tells what they take.
  private static final int PROBE_WINDOWS_MIN = 5;

  private static final int PROBED_WINDOWS = 2;

  /// Work of a pool of cores or permits goes on while some of it is handed over.
  private static final double GAIN = 1.25;

  private final int cores;
  private final LowestOfLate usual;

  // Of this window.
  private final long[] waited = new long[SAMPLES_MAX];
  private final long[] took = new long[SAMPLES_MAX];
  private final long[] ran = new long[SAMPLES_MAX];
  private final long[] ranWhole = new long[SAMPLES_MAX];
  private double sumUnderWay;
  private int samples;
  private int ranSamples;
  private int wholeSamples;
  private long beganNanos;
  private long beganCompletions;
  private long lastNanos;
  private boolean paused; // so how many calls were completed at its beginning is not known

  // Since before.
  private final double[] rates = new double[RATES];
  private final double[] underWays = new double[RATES];
  private long windows;
  private long firstNanos; // when the first call ended; 0 before
  private long windowNanosMin = WINDOW_NANOS_MIN;
  private int crowded;
  private long foundNanos; // a limit, the last time
  private boolean foundAgain;
  private double rateWanted; // of calls completed, or the limit is in vain
  private int inVain;
  private int calm;
  private int untilProbe;
  private long usualBeforeProbe;
  private double limit;
  private int stride;
  private double perNano;
  private long usualNanos;
  private long expectedNanos;

  /// @param cores that calls run on
  AdaptiveLimit(int cores, long nowNanos) {
    this.cores = cores;
    usual = new LowestOfLate(nowNanos);
    foundNanos = nowNanos - AGAIN_NANOS_MAX;
    beganNanos = nowNanos;
    lastNanos = nowNanos;
  }

  /// A call has ended.
  ///
  /// @param waitedNanos from its place to the start of its thread
  /// @param ranNanos from there to the end of its handler, or NOT_RUN
  /// @param completed whether the handler ran to its own end
  /// @param underWay calls beside it
  void add(long ended, long waitedNanos, long ranNanos, boolean completed, int underWay) {
    if (ended - lastNanos > PAUSE_NANOS_MAX) {
      begin(ended, 0);
      paused = true;
    }
    lastNanos = ended;
    if (firstNanos == 0) firstNanos = ended;
    int at = samples++ % SAMPLES_MAX;
    sumUnderWay += underWay;
    waited[at] = waitedNanos;
    took[at] = waitedNanos + Math.max(0, ranNanos);
    if (ranNanos == NOT_RUN) return;
    ran[ranSamples++ % SAMPLES_MAX] = ranNanos;
    if (completed) ranWhole[wholeSamples++ % SAMPLES_MAX] = ranNanos;
  }

  /// Whether the window says something.
  boolean isFull(long now) {
    return samples >= SAMPLES_MIN && now - beganNanos >= windowNanosMin;
  }

  /// Ends the window and begins the next. Returns the limit from now on.
  ///
  /// @param completions ever, of all calls
  /// @param open whether there was no limit
  /// @param turnedAway whether calls were turned away, or made wait, in this window
  int close(long now, long completions, boolean open, boolean turnedAway) {
    int places = NONE;
    if (!paused) {
      perNano = (double) (completions - beganCompletions & 0xffff_ffffL) / (now - beganNanos);
      places = decide(now, open, turnedAway);
      adaptStride(now - beganNanos);
    }
    paused = false;
    begin(now, completions);
    return places;
  }

  private void begin(long now, long completions) {
    samples = 0;
    sumUnderWay = 0;
    ranSamples = 0;
    wholeSamples = 0;
    beganNanos = now;
    beganCompletions = completions;
  }

  /// So many samples fit a window; what is more costs and tells nothing.
  private void adaptStride(long elapsed) {
    double perWindow = (double) samples * (stride + 1) * WINDOW_NANOS_MIN / elapsed;
    int wanted = (int) Math.min(1 << 16, perWindow / (SAMPLES_MAX / 2));
    stride = Math.max(1, Integer.highestOneBit(Math.max(1, wanted))) - 1;
  }

  private int decide(long now, boolean open, boolean turnedAway) {
    long median = quantile(took, samples, 0.5);
    long medianRan = ranSamples == 0 ? 0 : quantile(ran, ranSamples, 0.5);
    if (2 * wholeSamples >= SAMPLES_MIN) {
      usual.add(now, quantile(ranWhole, wholeSamples, 0.5));
    }
    expectedNanos = ranSamples < SAMPLES_MIN ? 0 : quantile(ran, ranSamples, 0.1);
    if (!usual.isKnown()) return NONE;
    usualNanos = usual.nanos(now);
    double underWay = sumUnderWay / samples;
    int at = (int) (windows++ % RATES);
    underWays[at] = underWay;
    rates[at] = perNano;

    int placesMin = placesMin();
    long tolerated = toleratedNanos();
    long lost = Math.max(0, median - usualNanos);
    long lostRunning = Math.max(0, medianRan - usualNanos);
    boolean isCrowded = !isCold(now) && lost > tolerated && underWay > placesMin;
    crowded = isCrowded ? crowded + 1 : 0;
    boolean failing = wholeSamples < WHOLE_SHARE * samples;
    windowNanosMin = Math.clamp(median, WINDOW_NANOS_MIN, WINDOW_NANOS_MAX);

    double rate = highest(rates);
    double needed = rate * Math.max((double) usualNanos, mean(took, samples) - lost);
    double allowed = rate * (usualNanos + SLACK_NANOS / 2);
    double target = Math.max(placesMin, Math.ceil(Math.max(GAIN * needed, allowed)));
    if (open) {
      if (crowded < CROWDED_MIN) return NONE;
      boolean runs = lostRunning > tolerated;
      boolean again = !runs && now - foundNanos < AGAIN_NANOS_MAX;
      if (!failing && !again && !grows(underWay, runs ? CHANCE : CHANCE_BEFORE_CORES)) {
        if (crowded < (runs ? LONGER_MIN : STANDING_MIN)) return NONE;
        if (!runs && underWay <= STILL * smallest(STILL_WINDOWS) + 0.5) return NONE;
        if (runs) {
          usual.reset(now, medianRan);
          crowded = 0;
          return NONE;
        }
      }
      // What waits for a core, or is given up by its clients, is crowded for certain. Otherwise
      // this is an experiment: half as many.
      boolean certain = failing || !runs;
      find(now, certain ? target : Math.max(target, underWay / 2), rate, certain);
    } else {
      calm = turnedAway || isCrowded ? 0 : calm + 1;
      if (calm >= (foundAgain ? AGAIN_CALM_FACTOR * CALM_MIN : CALM_MIN)) {
        crowded = 0;
        return NONE;
      }
      boolean costs = !failing && lostRunning > tolerated && perNano < rateWanted;
      inVain = costs ? inVain + 1 : 0;
      if (inVain >= IN_VAIN_MAX) {
        usual.reset(now, medianRan);
        inVain = 0;
        rateWanted = RATE_KEPT * perNano;
        limit *= 2;
      } else if (isProbed()) {
        return (int) Math.max(placesMin, limit / 2);
      } else if (target > limit) {
        limit = target;
      } else if (!costs) {
        limit += (target - limit) / 2;
      }
    }
    expectedNanos = Math.min(expectedNanos, usualNanos);
    return (int) Math.round(limit);
  }

  private void find(long now, double places, double rate, boolean certain) {
    limit = places;
    foundAgain = now - foundNanos < AGAIN_NANOS_MAX;
    foundNanos = now;
    rateWanted = (certain ? RATE_KEPT_CERTAIN : RATE_KEPT) * rate;
    inVain = 0;
    calm = 0;
    untilProbe = PROBE_WINDOWS_MIN;
  }

  /// Whether calls under way have become more since they are a crowd.
  private boolean grows(double underWay, int chance) {
    double smallest = smallest(Math.min(crowded, RATES));
    return underWay > GROWN * smallest + chance * Math.sqrt(smallest);
  }

  /// Calls under way, in the last so many windows.
  private double smallest(int last) {
    double smallest = Double.MAX_VALUE;
    for (int i = 1; i <= last; i++) {
      smallest = Math.min(smallest, underWays[(int) ((windows - i) % RATES)]);
    }
    return smallest;
  }

  private boolean isCold(long now) {
    return now - firstNanos < COLD_NANOS;
  }

  /// From how many calls under way on it is worth a look at what they wait for; `NONE` while that
  /// would tell nothing.
  int floodMin(long now) {
    if (isCold(now) || !usual.isKnown()) return NONE;
    return (int) Math.max(FLOOD_MIN, FLOOD_FACTOR * smallest((int) Math.min(windows, RATES)));
  }

  /// There is a [flood][FloodWatch]. Returns the limit from now on.
  ///
  /// @param completions ever, of all calls
  /// @param perNanoInFlood calls completed per nanosecond
  int flood(long now, long completions, double perNanoInFlood) {
    double rate = Math.max(perNanoInFlood, highest(rates));
    find(now, Math.max(placesMin(), Math.ceil(rate * (usualNanos + SLACK_NANOS / 2))), rate, true);
    expectedNanos = Math.min(expectedNanos, usualNanos);
    crowded = CROWDED_MIN;
    begin(now, completions);
    return (int) limit;
  }

  /// What a call may take more than usual.
  long toleratedNanos() {
    return Math.max(usualNanos, SLACK_NANOS);
  }

  /// No crowd, and no limit is below it: even if calls do nothing but compute, the last of so many
  /// waits for the slack. For quick calls that is hundreds, so that a machine that is slow for
  /// other reasons, or a process that has just begun, does not refuse what it can do in no time.
  private int placesMin() {
    double behind = (double) cores * SLACK_NANOS / Math.max(1, usualNanos);
    return Math.max(cores + 1, (int) (cores + behind));
  }

  private boolean isProbed() {
    untilProbe--;
    if (untilProbe == 0) usualBeforeProbe = usualNanos;
    if (untilProbe > -PROBED_WINDOWS) return untilProbe <= 0;
    boolean shorter = usualNanos < 0.9 * usualBeforeProbe;
    untilProbe = shorter ? PROBE_WINDOWS_MIN : PROBE_WINDOWS;
    return false;
  }

  private static long quantile(long[] values, int count, double share) {
    int kept = Math.min(count, SAMPLES_MAX);
    if (kept == 0) return 0;
    Arrays.sort(values, 0, kept);
    return values[(int) (share * kept)];
  }

  private static double mean(long[] values, int count) {
    int kept = Math.min(count, SAMPLES_MAX);
    double sum = 0;
    for (int i = 0; i < kept; i++) sum += values[i];
    return kept == 0 ? 0 : sum / kept;
  }

  private static double highest(double[] values) {
    double highest = 0;
    for (double value : values) highest = Math.max(highest, value);
    return highest;
  }

  /// Of so many calls, a power of two, one is to be measured; less one, as a mask.
  int stride() {
    return stride;
  }

  /// A limit that has turned nobody away for so long is not needed any more.
  long calmNanosMax() {
    return foundAgain ? AGAIN_CALM_FACTOR * CALM_NANOS_MAX : CALM_NANOS_MAX;
  }

  /// Calls completed per nanosecond, in the last window.
  double perNano() {
    return perNano;
  }

  /// What a call takes when it waits for nobody; 0 when that is not known.
  long usualNanos() {
    return usualNanos;
  }

  /// What nine of ten calls of late took at least, within their handler; 0 when that is not known.
  long expectedNanos() {
    return expectedNanos;
  }

  /// The lowest of about the last minute, in pieces of ten seconds.
  private static final class LowestOfLate {
    private static final long PIECE_NANOS = TimeUnit.SECONDS.toNanos(10);
    private static final int PIECES = 6;

    private final long[] lowest = new long[PIECES];
    private long piece; // the newest one's number
    private final long startNanos;

    LowestOfLate(long nowNanos) {
      startNanos = nowNanos;
      Arrays.fill(lowest, Long.MAX_VALUE);
    }

    void add(long now, long nanos) {
      turn(now);
      int at = (int) (piece % PIECES);
      lowest[at] = Math.min(lowest[at], nanos);
    }

    /// Forgets all but `nanos`.
    void reset(long now, long nanos) {
      Arrays.fill(lowest, Long.MAX_VALUE);
      add(now, nanos);
    }

    private void turn(long now) {
      long next = (now - startNanos) / PIECE_NANOS;
      if (next == piece) return;
      long last = known();
      for (long i = Math.max(piece + 1, next - PIECES + 1); i <= next; i++) {
        lowest[(int) (i % PIECES)] = Long.MAX_VALUE;
      }
      piece = next;
      // Something old is better than nothing.
      if (known() == Long.MAX_VALUE) lowest[(int) (piece % PIECES)] = last;
    }

    private long known() {
      long known = Long.MAX_VALUE;
      for (long each : lowest) known = Math.min(known, each);
      return known;
    }

    boolean isKnown() {
      return known() != Long.MAX_VALUE;
    }

    long nanos(long now) {
      turn(now);
      return known();
    }
  }
}
