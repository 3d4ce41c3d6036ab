package dev.weftline.internal.admission;

import static org.assertj.core.api.Assertions.assertThat;

import dev.weftline.internal.admission.MethodAdmission.Waiting;
import dev.weftline.internal.admission.SimulatedService.Outcome;
import dev.weftline.internal.admission.SimulatedService.Resource;
import dev.weftline.internal.http.ByteBudget;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/// Who is let in: overload in virtual time, then the queue and the limits by hand.
final class AdmissionTest {
  private static final Duration SECOND = Duration.ofSeconds(1);

  /// After which limits may be found.
  private static final Duration WARM = Duration.ofSeconds(6);

  private static final AdmissionRules ADAPTIVE = rules(Map.of(), Map.of(), 0);

  private static AdmissionRules rules(
      Map<String, Integer> limits, Map<String, Integer> priorities, int callsMax) {
    return new AdmissionRules(
        true, true, limits, priorities, callsMax, Duration.ofMillis(100).toNanos());
  }

  private static long millis(double millis) {
    return (long) (millis * 1e6);
  }

  private static SimulatedService sleeping(long[] nanos) {
    return new SimulatedService(
        ADAPTIVE, Resource.PERMITS, Integer.MAX_VALUE, _ -> nanos[0], SECOND.multipliedBy(2));
  }

  // ---- Overload.

  @ParameterizedTest
  @CsvSource(
      textBlock =
          """
          # what calls need, of how many, for ms, times capacity
          CORES,                2,       10,     2
          CORES,                2,       10,     5
          CORES,                2,       10,    10
          CORES,                1,       10,    10
          CORES,                8,        2,     5
          CORES,                2,      100,    10
          PERMITS,             32,       10,     2
          PERMITS,             32,       10,     5
          PERMITS,             32,       10,    10
          PERMITS,              4,       50,    10
          PERMITS,            100,      100,     5
          """)
  void goodputStaysFlatAndAdmittedCallsAreQuick(
      Resource resource, int count, double work, double times) {
    var service = new SimulatedService(ADAPTIVE, resource, count, _ -> millis(work), SECOND);
    double capacity = count * 1_000 / work;
    var time = SECOND.multipliedBy(3);
    var alone = service.run(capacity / 2, time);
    assertThat(alone.refused()).isZero();

    service.run(times * capacity, time.multipliedBy(2)); // here the limit is found
    for (int i = 0; i < 5; i++) {
      var overloaded = service.run(times * capacity, time);
      assertThat(overloaded.goodput(time)).as(overloaded.toString()).isGreaterThan(0.9 * capacity);
      assertThat(overloaded.late()).as(overloaded.toString()).isZero();
      assertThat(overloaded.p99().toNanos())
          .as(overloaded.toString())
          .isLessThan(Math.max(3 * alone.p99().toNanos(), millis(work + 20)));
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {2, 5, 10})
  void aServerThatIsOverloadedFromItsFirstCallOnFindsItsLimitAsWell(int times) {
    for (var resource : Resource.values()) {
      var service = new SimulatedService(ADAPTIVE, resource, 8, _ -> millis(10), SECOND);
      service.run(times * 800, SECOND.multipliedBy(30));
      var overloaded = service.run(times * 800, SECOND);
      assertThat(overloaded.goodput(SECOND)).as(overloaded.toString()).isGreaterThan(0.9 * 800);
      assertThat(overloaded.p99().toMillis()).as(overloaded.toString()).isLessThan(60);
    }
  }

  @Test
  void theLimitIsLiftedWhenTheOverloadIsOver() {
    var service = new SimulatedService(ADAPTIVE, Resource.CORES, 2, _ -> millis(10), SECOND);
    service.run(100, WARM);
    service.run(2_000, SECOND);
    assertThat(service.admission().limit()).isPresent();
    service.run(100, SECOND.multipliedBy(5));
    assertThat(service.admission().limit()).isEmpty();
    assertThat(service.run(100, SECOND).refused()).isZero();
  }

  /// Before windows can tell: a tenfold surge is a thousand calls too many in 30 ms.
  @Test
  void aFloodIsMetAtOnce() {
    var service =
        new SimulatedService(
            ADAPTIVE, Resource.PERMITS, 32, _ -> millis(10), SECOND.multipliedBy(10));
    service.run(1_500, WARM);
    service.run(32_000, Duration.ofMillis(60));
    assertThat(service.admission().limit()).isPresent();
    assertThat(service.admission().underWay()).isBetween(500, 1_500);
    service.run(32_000, SECOND);
    var overloaded = service.run(32_000, SECOND);
    assertThat(overloaded.goodput(SECOND)).as(overloaded.toString()).isGreaterThan(0.9 * 3_200);
    assertThat(overloaded.p99()).as(overloaded.toString()).isLessThan(Duration.ofMillis(40));
  }

  /// No call is completed in such a crowd, so nothing may hang on that.
  @Test
  void aCrowdOfWhichEveryCallIsGivenUpIsLimited() {
    long[] work = {millis(10)};
    var service =
        new SimulatedService(ADAPTIVE, Resource.CORES, 2, _ -> work[0], Duration.ofMillis(300));
    service.run(100, WARM);
    work[0] = millis(400);
    service.run(2_000, SECOND.multipliedBy(3));
    assertThat(service.admission().limit()).isPresent();
  }

  // ---- No overload.

  /// Code that is not compiled yet makes a crowd of what it will do in no time.
  @Test
  void nobodyIsRefusedInTheFirstSeconds() {
    var cold = millis(4);
    var service =
        new SimulatedService(
            ADAPTIVE,
            Resource.CORES,
            2,
            now -> now < millis(1_000) ? cold : millis(0.1),
            SECOND.multipliedBy(10));
    var first = service.run(2_000, WARM);
    assertThat(first.refused()).as(first.toString()).isZero();
    assertThat(first.late()).as(first.toString()).isZero();
  }

  /// A thousand clients that ask again when they are answered.
  @ParameterizedTest
  @EnumSource(Resource.class)
  void clientsThatWaitForTheirAnswersAreNoOverload(Resource resource) {
    var service =
        new SimulatedService(ADAPTIVE, resource, 32, _ -> millis(10), SECOND.multipliedBy(10));
    service.run(1_500, WARM);
    var answered = service.runClients(1_000, SECOND.multipliedBy(10));
    assertThat(answered.refused()).as(answered.toString()).isZero();
    assertThat(answered.goodput(SECOND.multipliedBy(10))).isGreaterThan(0.95 * 3_200);
  }

  @Test
  void sleepingIsNoOverload() {
    var service = sleeping(new long[] {millis(1_000)});
    for (int i = 0; i < 5; i++) {
      var burst = service.burst(2_000);
      assertThat(burst.refused()).isZero();
      assertThat(burst.inTimeNanos()).hasSize(2_000);
    }
  }

  /// After quick calls, and not all to the same instant.
  @Test
  void sleepersThatWakeTogetherAreNoOverload() {
    boolean[] sleeps = {false};
    var service = quickThenSleeping(sleeps);
    service.run(1_000, WARM);
    sleeps[0] = true;
    for (int i = 0; i < 2; i++) {
      var burst = service.burst(3_000);
      assertThat(burst.refused()).as(burst.toString()).isZero();
    }
  }

  private static SimulatedService quickThenSleeping(boolean[] sleeps) {
    var random = new Random(5);
    return new SimulatedService(
        ADAPTIVE,
        Resource.PERMITS,
        Integer.MAX_VALUE,
        _ -> sleeps[0] ? millis(1_000 + 60 * random.nextDouble()) : millis(1),
        SECOND.multipliedBy(2));
  }

  /// One call in ten takes three hundred times as long.
  @Test
  void unevenCallsAreNoOverload() {
    var random = new Random(3);
    var service =
        new SimulatedService(
            ADAPTIVE,
            Resource.PERMITS,
            Integer.MAX_VALUE,
            _ -> random.nextInt(10) == 0 ? millis(300) : millis(1),
            SECOND);
    assertThat(service.run(1_000, SECOND.multipliedBy(20)).refused()).isZero();
  }

  @ParameterizedTest
  @ValueSource(ints = {40, 300, 700})
  void callsThatJustTakeLongerThanTheyDidAreLetIn(int longer) {
    long[] work = {millis(10)};
    var service = sleeping(work);
    service.run(1_000, WARM);
    work[0] = millis(longer);
    var now = service.run(1_000, SECOND.multipliedBy(9));
    assertThat(now.refused()).as(now.toString()).isZero();
    assertThat(service.admission().usual()).isEqualTo(Duration.ofMillis(longer));
  }

  // ---- Deadlines.

  @Test
  void aCallWhoseDeadlineIsShorterThanCallsTakeIsRefusedAtOnce() {
    var service =
        new SimulatedService(ADAPTIVE, Resource.CORES, 8, _ -> millis(50), Duration.ofMillis(30));
    var outcome = service.run(100, SECOND);
    assertThat(outcome.inTimeNanos()).isEmpty();
    // Those of the first window are tried.
    assertThat(outcome.refused()).isGreaterThan(60);
  }

  @Test
  void whatCallsTakeIsForgottenSoThatNobodyIsRefusedForEver() {
    long[] work = {millis(50)};
    var service =
        new SimulatedService(ADAPTIVE, Resource.CORES, 8, _ -> work[0], Duration.ofMillis(30));
    service.run(100, SECOND.multipliedBy(3));
    work[0] = millis(5);
    service.run(100, SECOND.multipliedBy(2));
    Outcome better = service.run(100, SECOND);
    assertThat(better.refused()).isZero();
    assertThat(better.inTimeNanos()).hasSize(better.arrived());
  }

  // ---- Limits that are set, and the queue.

  private static Admission admission(AdmissionRules rules) {
    return new Admission(rules, ByteBudget.UNLIMITED);
  }

  private static MethodAdmission of(Admission server, String method) {
    var found = server.of(method, true);
    if (found == null) throw new AssertionError(method + " is exempt");
    return found;
  }

  /// A call that waits, and notes when its turn came.
  private record Noted(String name, List<String> turns) implements Waiting {
    @Override
    public void placeFree() {
      turns.add(name);
    }
  }

  @Test
  void aLimitThatIsSetLetsSoManyInAndAsManyWait() {
    var method = of(admission(rules(Map.of("a.B/C", 2), Map.of(), 0)), "a.B/C");
    var turns = new ArrayList<String>();
    assertThat(method.tryEnter()).isTrue();
    assertThat(method.tryEnter()).isTrue();
    assertThat(method.tryEnter()).isFalse();
    assertThat(method.tryWait(new Noted("first", turns))).isTrue();
    assertThat(method.tryWait(new Noted("second", turns))).isTrue();
    assertThat(method.tryWait(new Noted("third", turns))).isFalse();
    assertThat(method.underWay()).isEqualTo(2);
    assertThat(method.queued()).isEqualTo(2);

    method.leave(1, 1, 1, true, true);
    assertThat(turns).containsExactly("first");
    assertThat(method.tryEnter()).as("others wait").isFalse();
    method.giveBack();
    assertThat(turns).containsExactly("first", "second");
    method.leave(1, 1, 1, true, true);
    method.leave(1, 1, 1, true, false);
    assertThat(method.underWay()).isZero();
  }

  /// In a tenfold surge nine of ten calls are answered so, on any connection.
  @Test
  void anAnswerIsTheSameOctetsForAllConnections() {
    var method = of(admission(rules(Map.of("a.B/C", 2), Map.of(), 0)), "a.B/C");
    for (var why : Refusal.values()) assertThat(method.answer(why).isWithoutTable()).isTrue();
  }

  @Test
  void whoStopsWaitingIsNotCalledUpon() {
    var method = of(admission(rules(Map.of("a.B", 1), Map.of(), 0)), "a.B/C");
    var turns = new ArrayList<String>();
    var first = new Noted("first", turns);
    assertThat(method.tryEnter()).isTrue();
    assertThat(method.tryWait(first)).isTrue();
    assertThat(method.leaveQueue(first)).isTrue();
    assertThat(method.leaveQueue(first)).isFalse();
    method.giveBack();
    assertThat(turns).isEmpty();
    assertThat(method.queued()).isZero();
    assertThat(method.tryEnter()).isTrue();
  }

  @Test
  void thePriorityDecidesWhoTakesTheNextPlaceOfTheWholeServer() {
    var server = admission(rules(Map.of(), Map.of("a.Important", 1, "a.Batch", -1), 1));
    var turns = new ArrayList<String>();
    var important = of(server, "a.Important/Get");
    var ordinary = of(server, "a.Ordinary/Get");
    var batch = of(server, "a.Batch/Get");
    assertThat(ordinary.tryEnter()).isTrue();
    assertThat(batch.tryWait(new Noted("batch", turns))).isTrue();
    assertThat(ordinary.tryWait(new Noted("ordinary", turns))).isTrue();
    assertThat(important.tryWait(new Noted("important", turns))).isTrue();
    ordinary.leave(1, 1, 1, true, true);
    assertThat(turns).containsExactly("important");
    important.leave(1, 1, 1, true, true);
    ordinary.leave(1, 1, 1, true, true);
    assertThat(turns).containsExactly("important", "ordinary", "batch");
    batch.leave(1, 1, 1, true, true);
    assertThat(important.tryEnter()).isTrue();
  }

  @Test
  void healthReflectionAndChannelzStandOutsideOfEveryLimit() {
    var server = admission(rules(Map.of(), Map.of(), 1));
    assertThat(server.of("grpc.health.v1.Health/Check", true)).isNull();
    assertThat(server.of("grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo", false))
        .isNull();
    assertThat(server.of("grpc.channelz.v1.Channelz/GetServers", true)).isNull();
  }
}
