package dev.weftline.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import dev.weftline.Placement;
import dev.weftline.Service;
import dev.weftline.probe.Answer;
import dev.weftline.probe.Ask;
import dev.weftline.testing.Probe;
import dev.weftline.testing.RunningServer;
import io.grpc.CallOptions;
import io.grpc.MethodDescriptor;
import io.grpc.MethodDescriptor.MethodType;
import io.grpc.ServerServiceDefinition;
import io.grpc.protobuf.ProtoUtils;
import io.grpc.stub.ClientCalls;
import io.grpc.stub.ServerCalls;
import java.io.FileInputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.BooleanSupplier;
import java.util.logging.Handler;
import java.util.logging.Level;
import java.util.logging.LogRecord;
import java.util.logging.Logger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.condition.EnabledIf;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

/// Methods that hold the event loop of their connection, and their neighbours there: one loop, one
/// connection.
@EnabledIf("dev.weftline.internal.thread.VirtualThreads#areSchedulable")
@Timeout(180)
final class AdaptivePlacementTest {
  private static final MethodDescriptor<Ask, Answer> QUICK = method("Quick");
  private static final MethodDescriptor<Ask, Answer> SLOW = method("Slow");

  private static final Duration BURN = Duration.ofMillis(50);

  private static final System.Logger log = System.getLogger(AdaptivePlacementTest.class.getName());

  private final AtomicReference<Runnable> slow = new AtomicReference<>(() -> {});
  private final Reports reports = new Reports();

  private static MethodDescriptor<Ask, Answer> method(String name) {
    return MethodDescriptor.<Ask, Answer>newBuilder()
        .setType(MethodType.UNARY)
        .setFullMethodName("weftline.probe.Neighbours/" + name)
        .setRequestMarshaller(ProtoUtils.marshaller(Ask.getDefaultInstance()))
        .setResponseMarshaller(ProtoUtils.marshaller(Answer.getDefaultInstance()))
        .build();
  }

  private Service neighbours() {
    return Service.of(
        ServerServiceDefinition.builder("weftline.probe.Neighbours")
            .addMethod(QUICK, answering(() -> {}))
            .addMethod(SLOW, answering(() -> slow.get().run()))
            .build());
  }

  private static io.grpc.ServerCallHandler<Ask, Answer> answering(Runnable work) {
    return ServerCalls.asyncUnaryCall((ask, observer) -> {
      work.run();
      observer.onNext(Probe.answer(ask.getNumber()));
      observer.onCompleted();
    });
  }

  private static RunningServer serve(Service service) {
    return RunningServer.with(builder -> builder.loops(1).addService(service));
  }

  private static void call(RunningServer server, MethodDescriptor<Ask, Answer> method) {
    ClientCalls.blockingUnaryCall(server.channel(), method, CallOptions.DEFAULT, Probe.ask(1));
  }

  private static PlacedMethod placed(RunningServer server, MethodDescriptor<?, ?> method) {
    return server.server().placements().stream()
        .filter(each -> each.method().equals(method.getFullMethodName()))
        .findFirst()
        .orElseThrow();
  }

  private static void burn() {
    long end = System.nanoTime() + BURN.toNanos();
    while (System.nanoTime() < end) Thread.onSpinWait();
  }

  private static void until(BooleanSupplier true_) throws InterruptedException {
    while (!true_.getAsBoolean()) Thread.sleep(1);
  }

  /// Until classes are loaded and compiled, and the stalls of that are over.
  private static void warmUp(RunningServer server) {
    long stalls;
    do {
      stalls = placed(server, QUICK).stalls();
      for (int i = 0; i < 2_000; i++) call(server, QUICK);
    } while (placed(server, QUICK).now() != Placement.LOOP
        || placed(server, QUICK).stalls() > stalls);
  }

  /// What the watch tells, kept from the log of the tests.
  private static final class Reports extends Handler {
    final ConcurrentLinkedQueue<LogRecord> records = new ConcurrentLinkedQueue<>();
    private final Logger logger = Logger.getLogger("dev.weftline.internal.thread.StallWatch");

    void open() {
      logger.addHandler(this);
      logger.setUseParentHandlers(false);
    }

    List<String> warningsOf(MethodDescriptor<?, ?> method) {
      return records.stream()
          .filter(each -> each.getLevel().equals(Level.WARNING))
          .map(LogRecord::getMessage)
          .filter(each -> each.startsWith(method.getFullMethodName()))
          .toList();
    }

    @Override
    public void publish(LogRecord entry) {
      records.add(entry);
    }

    @Override
    public void flush() {}

    @Override
    public void close() {
      logger.removeHandler(this);
      logger.setUseParentHandlers(true);
    }
  }

  @BeforeEach
  void hear() {
    reports.open();
  }

  @AfterEach
  void hearNoMore() {
    reports.close();
  }

  /// How long calls took, sorted.
  private static List<Long> nanosOf(RunningServer server, BooleanSupplier goesOn) {
    var nanos = new ArrayList<Long>();
    while (goesOn.getAsBoolean()) {
      long start = System.nanoTime();
      call(server, QUICK);
      nanos.add(System.nanoTime() - start);
    }
    Collections.sort(nanos);
    return nanos;
  }

  private static long p99(List<Long> sorted) {
    return sorted.get(sorted.size() * 99 / 100);
  }

  private static BooleanSupplier forSeconds(int seconds) {
    long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(seconds);
    return () -> System.nanoTime() < end;
  }

  @Test
  void aMethodThatBurnsLeavesTheLoopToItsNeighbours() throws Exception {
    slow.set(AdaptivePlacementTest::burn);
    try (var server = serve(neighbours())) {
      warmUp(server);
      var first = new Burner(server);
      until(() -> placed(server, SLOW).now() == Placement.SHARED);
      first.stop();
      var slowAtMove = placed(server, SLOW);
      PlacedMethod quickBefore;
      long watchNanos = watchCpuNanos();
      long start = System.nanoTime();

      // Time is the machine's too, and it only ever takes: one quiet round is enough.
      var rounds = new ArrayList<Round>();
      int burns = 0;
      do {
        quickBefore = placed(server, QUICK);
        var alone = nanosOf(server, forSeconds(1));
        var burner = new Burner(server);
        var beside = nanosOf(server, forSeconds(3));
        burns += burner.stop();
        rounds.add(
            new Round(
                alone, beside, placed(server, QUICK).callsOnLoop() - quickBefore.callsOnLoop()));
      } while (!rounds.getLast().isQuiet() && rounds.size() < 5);

      double watchShare = (double) (watchCpuNanos() - watchNanos) / (System.nanoTime() - start);
      var slowNow = placed(server, SLOW);
      var quickNow = placed(server, QUICK);
      log.log(
          System.Logger.Level.INFO,
          String.format(
              "%s, %d burns; the watch takes %.2f %% of a core%n%s%n%s",
              rounds, burns, 100 * watchShare, slowNow, quickNow));

      // In counts of the scheduler. A first call that stalls has moved the method; the second look
      // could have come late, for one or two calls more.
      assertThat(slowAtMove.callsOnLoop()).isBetween(1L, 3L);
      assertThat(slowNow.callsOnLoop()).isEqualTo(slowAtMove.callsOnLoop());
      assertThat(slowNow.callsShared()).isEqualTo(slowAtMove.callsShared() + burns);
      assertThat(burns).isGreaterThan(10);
      assertThat(quickNow.callsOnLoop() - quickBefore.callsOnLoop())
          .isEqualTo(rounds.getLast().calls());
      assertThat(quickNow.callsShared()).isEqualTo(quickBefore.callsShared());
      assertThat(quickNow.now()).isEqualTo(Placement.LOOP);
      // No run has held the loop.
      assertThat(slowNow.stalls()).isEqualTo(slowAtMove.stalls());
      assertThat(quickNow.stalls()).isEqualTo(quickBefore.stalls());
      assertThat(slowNow.longestHold()).isGreaterThanOrEqualTo(BURN);
      // In time.
      assertThat(rounds.getLast().isQuiet()).as(rounds.toString()).isTrue();
      assertThat(watchShare).isLessThan(0.05);
      assertThat(reports.warningsOf(SLOW)).hasSize(1);
      assertThat(reports.warningsOf(SLOW).getFirst())
          .contains("computes")
          .contains("AdaptivePlacementTest.burn")
          .contains("@Placed(Placement.SHARED)");
    }
  }

  /// How long quick calls took, sorted: alone, and beside burns on the same connection; and how
  /// many of them began on the loop: a machine that stands still moves a quick method, too, for a
  /// while.
  private record Round(List<Long> alone, List<Long> beside, long onLoop) {
    /// On two cores that others use too, some milliseconds are the machine's.
    boolean isQuiet() {
      return onLoop == calls()
          && p99(beside) < Math.max(2 * p99(alone), TimeUnit.MILLISECONDS.toNanos(10));
    }

    int calls() {
      return alone.size() + beside.size();
    }

    @Override
    public String toString() {
      return String.format(
          "quick p99 of %d calls %.2f ms alone, of %d %.2f ms beside",
          alone.size(), p99(alone) / 1e6, beside.size(), p99(beside) / 1e6);
    }
  }

  /// Calls the slow method, one call after the other.
  private static final class Burner {
    private final AtomicBoolean stopped = new AtomicBoolean();
    private final FutureTask<Integer> calls;

    Burner(RunningServer server) {
      calls =
          started(() -> {
            int done = 0;
            for (; !stopped.get(); done++) call(server, SLOW);
            return done;
          });
    }

    int stop() throws ExecutionException, InterruptedException {
      stopped.set(true);
      return calls.get();
    }
  }

  private static <T> FutureTask<T> started(Callable<T> work) {
    var task = new FutureTask<>(work);
    Thread.ofPlatform().daemon().start(task);
    return task;
  }

  private static long watchCpuNanos() {
    var threads = ManagementFactory.getThreadMXBean();
    return Thread.getAllStackTraces().keySet().stream()
        .filter(each -> each.getName().equals("weftline-stall-watch"))
        .mapToLong(each -> threads.getThreadCpuTime(each.threadId()))
        .sum();
  }

  @Test
  void aMethodThatBehavesComesBack() throws Exception {
    try (var server = serve(neighbours())) {
      warmUp(server);
      slow.set(AdaptivePlacementTest::burn);
      while (placed(server, SLOW).now() == Placement.LOOP) call(server, SLOW);
      slow.set(() -> {});
      while (placed(server, SLOW).now() == Placement.SHARED) call(server, SLOW);
      long onLoop = placed(server, SLOW).callsOnLoop();
      call(server, SLOW);
      assertThat(placed(server, SLOW).callsOnLoop()).isEqualTo(onLoop + 1);
    }
  }

  /// Reading a FIFO that nobody writes: file I/O keeps the carrier, and here for as long as the
  /// test likes.
  @Test
  @EnabledOnOs(OS.LINUX)
  void aMethodThatBlocksInTheKernelIsFound(@TempDir Path folder) throws Exception {
    var fifo = folder.resolve("fifo");
    int made = new ProcessBuilder("mkfifo", fifo.toString()).start().waitFor();
    Assumptions.assumeTrue(made == 0, "mkfifo");
    var read = new AtomicInteger(-1);
    try (var server = serve(neighbours())) {
      warmUp(server);
      slow.set(() -> read.set(firstOctetOf(fifo)));
      var caller =
          started(() -> {
            call(server, SLOW);
            return "answered";
          });
      until(() -> placed(server, SLOW).stalls() > 0);
      assertThat(caller).isNotDone();
      assertThat(placed(server, SLOW).now()).isEqualTo(Placement.SHARED);
      Files.write(fifo, new byte[] {42});
      assertThat(caller.get()).isEqualTo("answered");
      assertThat(read).hasValue(42);
      until(() -> !reports.warningsOf(SLOW).isEmpty());
      assertThat(reports.warningsOf(SLOW)).hasSize(1);
      assertThat(reports.warningsOf(SLOW).getFirst())
          .contains("waits in a way that keeps the loop")
          .contains("AdaptivePlacementTest.firstOctetOf");
    }
  }

  private static int firstOctetOf(Path file) {
    try (var in = new FileInputStream(file.toFile())) {
      return in.read();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  @Test
  void aMethodThatWaitsInTheOrdinaryWaysStays() throws Exception {
    slow.set(AdaptivePlacementTest::rest);
    try (var server = serve(neighbours())) {
      warmUp(server);
      call(server, SLOW); // may load something
      until(() -> {
        call(server, SLOW);
        return placed(server, SLOW).now() == Placement.LOOP;
      });
      var before = placed(server, SLOW);
      for (int i = 0; i < 20; i++) call(server, SLOW);
      assertThat(placed(server, SLOW).stalls()).isEqualTo(before.stalls());
      assertThat(placed(server, SLOW).callsOnLoop()).isEqualTo(before.callsOnLoop() + 20);
    }
  }

  private static void rest() {
    try {
      Thread.sleep(20);
    } catch (InterruptedException e) {
      throw new AssertionError(e);
    }
  }

  @Test
  void aMethodFixedOnTheLoopIsOnlyReported() throws Exception {
    try (var server = serve(neighbours().place("Slow", Placement.LOOP))) {
      warmUp(server);
      slow.set(AdaptivePlacementTest::burn);
      int calls = 0;
      do {
        call(server, SLOW);
        calls++;
      } while (placed(server, SLOW).stalls() < 3);
      var method = placed(server, SLOW);
      assertThat(method.placement()).isEqualTo(Placement.LOOP);
      assertThat(method.now()).isEqualTo(Placement.LOOP);
      assertThat(method.callsOnLoop()).isEqualTo(calls);
      assertThat(method.callsShared()).isZero();
      assertThat(reports.warningsOf(SLOW)).hasSize(1);
      assertThat(reports.warningsOf(SLOW).getFirst()).contains("fixed on the loops");
    }
  }

  @Test
  void aMethodFixedOnTheSharedSchedulerNeverTouchesTheLoop() {
    var carriers = new ConcurrentLinkedQueue<String>();
    slow.set(() -> carriers.add(Thread.currentThread().toString()));
    try (var server = serve(neighbours().place("Slow", Placement.SHARED))) {
      for (int i = 0; i < 300; i++) call(server, SLOW);
      assertThat(carriers).hasSize(300).allMatch(each -> each.contains("@ForkJoinPool"));
      var method = placed(server, SLOW);
      assertThat(method.now()).isEqualTo(Placement.SHARED);
      assertThat(method.callsOnLoop()).isZero();
      assertThat(method.callsShared()).isEqualTo(300);
    }
  }

  @Test
  void theServersPlacementIsForMethodsThatSayNothing() {
    try (var server =
        RunningServer.with(builder ->
            builder
                .placement(Placement.SHARED)
                .addService(neighbours().place("Slow", Placement.LOOP)))) {
      call(server, QUICK);
      call(server, SLOW);
      assertThat(placed(server, QUICK).callsShared()).isOne();
      assertThat(placed(server, SLOW).callsOnLoop()).isOne();
    }
  }

  @Test
  void aLargerBudgetIsKeptTo() throws Exception {
    slow.set(AdaptivePlacementTest::burn);
    try (var server =
        RunningServer.with(builder ->
            builder.loops(1).stallBudget(Duration.ofSeconds(20)).addService(neighbours()))) {
      for (int i = 0; i < 5; i++) call(server, SLOW);
      assertThat(placed(server, SLOW).stalls()).isZero();
      assertThat(placed(server, SLOW).callsOnLoop()).isEqualTo(5);
    }
    assertThatIllegalArgumentException()
        .isThrownBy(() -> Server.builder().stallBudget(Duration.ofNanos(1)));
  }

  @Test
  void whatIsShownIsReadable() {
    try (var server = serve(neighbours().place("Slow", Placement.SHARED))) {
      call(server, SLOW);
      assertThat(server.server().placements())
          .extracting(PlacedMethod::method)
          .contains(QUICK.getFullMethodName(), SLOW.getFullMethodName());
      assertThat(placed(server, SLOW).toString())
          .startsWith(
              "weftline.probe.Neighbours/Slow: SHARED, now SHARED; 0 calls on loops, 1 shared; 0"
                  + " stalls");
    }
  }

  /// In a JVM of its own, because this one is open.
  @Test
  void aMethodFixedOnLoopsThatCannotCarryIsRefusedAtTheStart() throws Exception {
    var command =
        new ArrayList<>(
            List.of(Path.of(System.getProperty("java.home"), "bin", "java").toString()));
    command.addAll(List.of("-cp", System.getProperty("java.class.path"), Closed.class.getName()));
    var process = new ProcessBuilder(command).redirectErrorStream(true).start();
    var said =
        new String(
            process.getInputStream().readAllBytes(), java.nio.charset.StandardCharsets.UTF_8);
    assertThat(process.waitFor()).as(said).isZero();
    assertThat(said)
        .contains(UNARY_NAME + " is fixed on the event loops (Placement.LOOP)")
        .contains("--add-opens java.base/java.lang=ALL-UNNAMED");
  }

  private static final String UNARY_NAME = "weftline.probe.Probe/Unary";

  /// Tries to start.
  static final class Closed {
    private Closed() {}

    public static void main(String[] arguments) throws IOException {
      var echo = Service.of(new dev.weftline.testing.EchoService());
      Server.builder().addService(echo).start().shutdownNow(); // adaptive: as ever
      try {
        Server.builder().addService(echo.place("Unary", Placement.LOOP)).start();
        throw new AssertionError("started");
      } catch (IllegalStateException e) {
        System.out.println(e.getMessage());
      }
    }
  }
}
