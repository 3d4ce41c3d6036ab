package dev.weftline.benchmarks;

import dev.weftline.benchmarks.peer.Replica;
import dev.weftline.benchmarks.work.Task;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.LocalDate;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.function.ToDoubleFunction;
import java.util.stream.Stream;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/// `benchmarks/overload`: more calls than a server can do, up to ten times as many. What does it
/// still get done, and does it still answer its load balancer?
@Command(
    name = "overload",
    mixinStandardHelpOptions = true,
    description =
        "Measures what a server can do, then offers it multiples of that, open loop, with"
            + " deadlines. Reports goodput, latency of the calls that were answered, and of health"
            + " checks.")
final class Overload implements Callable<Integer> {
  private static final double GOODPUT_GOAL = 0.9; // at the last multiple, of the peak
  private static final double LATENCY_GOAL = 3; // times the p99 at ease
  private static final double HEALTH_MILLIS_GOAL = 100;

  /// For the parts of a step in which the server compiles, and finds out what it can do.
  private static final double WARMUP_SECONDS = 6;

  private static final double CAPACITY_SECONDS = 5;

  /// A surge before the one that counts. What a server does under it is compiled only then, and on
  /// one core the compiler takes half of the server's time; health during it is reported apart.
  private static final double FIRST_SURGE_SECONDS = 3;

  private static final long BETWEEN_SURGES_MILLIS = 2_000;

  /// Threads that a server which starts one for each waiting call may be driven to. The machine has
  /// 32,768 for everybody, as Linux comes.
  private static final double THREADS_MAX = 12_000;

  /// What a call needs.
  enum Handler {
    BURN("10 ms of processor time", Task.newBuilder().setBurnMillis(10).build(), 2),
    HOLD("one of 32 permits for 10 ms", Task.newBuilder().setHoldMillis(10).build(), 64);

    private final String label;
    private final Task task;
    private final int inFlight; // keeps it busy, and no more than that

    Handler(String label, Task task, int inFlight) {
      this.label = label;
      this.task = task;
      this.inFlight = inFlight;
    }
  }

  @Option(
      names = "--peer",
      split = ",",
      description = "weftline, grpc-java-virtual, grpc-java-pool, grpc-java: ${DEFAULT-VALUE}")
  private List<String> peers =
      List.of("weftline", "grpc-java-virtual", "grpc-java", "grpc-java-pool");

  @Option(names = "--handler", split = ",", description = "burn, hold: ${DEFAULT-VALUE}")
  private List<String> handlers = List.of("burn", "hold");

  @Option(
      names = "--multiples",
      split = ",",
      description =
          "of the capacity; the first one is the server at ease, which the latency of the others is"
              + " held against: ${DEFAULT-VALUE}")
  private List<Double> multiples = List.of(0.5, 1.0, 2.0, 5.0, 10.0);

  @Option(names = "--seconds", description = "of a step that are counted: ${DEFAULT-VALUE}")
  private double seconds = 8;

  @Option(
      names = "--ramp",
      description = "seconds of a step before, under the same load: ${DEFAULT-VALUE}")
  private double rampSeconds = 3;

  @Option(names = "--deadline", description = "milliseconds: ${DEFAULT-VALUE}")
  private int deadlineMillis = 1_000;

  @Option(names = "--connections", description = "${DEFAULT-VALUE}")
  private int connections = 64;

  @Option(names = "--poisson", description = "random arrivals instead of even ones")
  private boolean poisson;

  @Option(
      names = "--out",
      description = "directory for overload.md and overload.svg: ${DEFAULT-VALUE}")
  private Path out = Path.of("docs");

  @Option(names = "--no-out", description = "write no files")
  private boolean noOut;

  @Mixin private Servers servers = new Servers();

  /// One server under one load.
  ///
  /// @param healthMillisFirst the longest in the first surge
  record Step(
      double multiple,
      OpenLoop.Outcome load,
      double healthMillisFirst,
      double healthMillisMax,
      int healthFailed) {
    double goodput() {
      return load.goodput();
    }

    double p50Millis() {
      return load.okMicros().getValueAtPercentile(50) / 1e3;
    }

    double p99Millis() {
      return load.ok() == 0 ? Double.NaN : load.okMicros().getValueAtPercentile(99) / 1e3;
    }

    double healthMillis() {
      return Math.max(healthMillisFirst, healthMillisMax);
    }
  }

  /// One server with one handler, at every multiple that it was driven to.
  record Curve(
      Handler handler, Replica replica, double capacity, List<Step> steps, String stopped) {
    double peak() {
      return steps.stream().mapToDouble(Step::goodput).max().orElse(Double.NaN);
    }

    double healthMillisMax() {
      return steps.stream().mapToDouble(Step::healthMillis).max().orElse(Double.NaN);
    }

    double[] figures(int multiples, ToDoubleFunction<Step> figure) {
      var figures = new double[multiples];
      Arrays.fill(figures, Double.NaN);
      for (int i = 0; i < steps.size(); i++) {
        figures[i] = figure.applyAsDouble(steps.get(i));
      }
      return figures;
    }
  }

  @Override
  public Integer call() throws IOException, InterruptedException {
    Machine.require("taskset");
    var machine = Machine.describe();
    Machine.pin(servers.clientCore);
    var curves = new ArrayList<Curve>();
    for (var handler :
        handlers.stream().map(id -> Handler.valueOf(id.toUpperCase(Locale.ROOT))).toList()) {
      for (var replica : peers.stream().map(Replica::of).toList()) {
        curves.add(measure(handler, replica));
      }
    }
    var goals = curves.stream().filter(each -> each.replica.isOurs()).flatMap(this::goals).toList();
    var text = report(curves, goals, machine);
    Progress.result(text);
    if (!noOut) {
      Files.createDirectories(out);
      Files.writeString(out.resolve("overload.md"), text);
      Files.writeString(out.resolve("overload.svg"), chart(curves, machine));
    }
    return goals.stream().allMatch(Goal::met) ? 0 : 1;
  }

  private Curve measure(Handler handler, Replica replica) throws IOException, InterruptedException {
    double capacity = capacity(handler, replica);
    Progress.say(
        replica.label()
            + ", "
            + handler.label
            + ": capacity "
            + String.format("%,.0f calls/s", capacity));
    var steps = new ArrayList<Step>();
    var stopped = "";
    for (double multiple : multiples) {
      double waiting = capacity * (multiple - 1) * (rampSeconds + seconds);
      if (replica.hasThreadPerWaitingCall() && waiting > THREADS_MAX) {
        stopped =
            String.format(
                "would need %,.0f threads at %s× and was not driven there",
                waiting, times(multiple));
        break;
      }
      try {
        var step = step(handler, replica, capacity, multiple);
        Progress.say(
            String.format(
                "%s×: %,.0f of %,.0f calls/s in time, p99 %.1f ms, health %.0f ms at most (%.0f in"
                    + " the first surge), client late by %.0f ms at most, %s",
                times(multiple),
                step.goodput(),
                capacity * multiple,
                step.p99Millis(),
                step.healthMillisMax,
                step.healthMillisFirst,
                step.load.lateMicrosMax() / 1e3,
                step.load.others()));
        steps.add(step);
      } catch (IOException e) {
        stopped = times(multiple) + "×: " + e.getMessage();
        break;
      }
    }
    return new Curve(handler, replica, capacity, steps, stopped);
  }

  private double capacity(Handler handler, Replica replica)
      throws IOException, InterruptedException {
    try (var server = PeerProcess.start(replica, 0, false, servers.launchTouched());
        var load = OpenLoop.open(server.port(), handler.inFlight, MixedLoad.UNARY, handler.task)) {
      return load.run(
              new OpenLoop.Plan(
                  new OpenLoop.Arrivals.InFlight(handler.inFlight),
                  WARMUP_SECONDS,
                  CAPACITY_SECONDS,
                  10 * deadlineMillis))
          .goodput();
    }
  }

  /// In a process of its own: what a server still has to do from the step before would count
  /// against it.
  private Step step(Handler handler, Replica replica, double capacity, double multiple)
      throws IOException, InterruptedException {
    try (var server = PeerProcess.start(replica, 0, false, servers.launchTouched());
        var warmup = OpenLoop.open(server.port(), handler.inFlight, MixedLoad.UNARY, handler.task);
        var load = OpenLoop.open(server.port(), connections, MixedLoad.UNARY, handler.task)) {
      warmup.run(
          new OpenLoop.Plan(
              new OpenLoop.Arrivals.InFlight(handler.inFlight),
              0,
              WARMUP_SECONDS,
              10 * deadlineMillis));
      var arrivals = new OpenLoop.Arrivals.AtRate(capacity * multiple, poisson);
      double healthMillisFirst;
      int healthFailedFirst;
      try (var health = HealthProbe.start(server.port())) {
        load.run(new OpenLoop.Plan(arrivals, 0, FIRST_SURGE_SECONDS, deadlineMillis));
        healthMillisFirst = health.maxMillis();
        healthFailedFirst = health.failed();
      }
      Thread.sleep(BETWEEN_SURGES_MILLIS);
      try (var health = HealthProbe.start(server.port())) {
        var outcome = load.run(new OpenLoop.Plan(arrivals, rampSeconds, seconds, deadlineMillis));
        if (!server.isAlive()) {
          throw new IOException("the server died");
        }
        return new Step(
            multiple,
            outcome,
            healthMillisFirst,
            health.maxMillis(),
            healthFailedFirst + health.failed());
      }
    }
  }

  private record Goal(boolean met, String what) {}

  private Stream<Goal> goals(Curve curve) {
    if (curve.steps.size() < multiples.size()) {
      return Stream.of(new Goal(false, curve.handler.label + ": " + curve.stopped));
    }
    double kept = curve.steps.getLast().goodput() / curve.peak();
    double ease = curve.steps.getFirst().p99Millis();
    double p99 = curve.steps.stream().mapToDouble(Step::p99Millis).max().orElse(Double.NaN);
    int failed = curve.steps.stream().mapToInt(Step::healthFailed).sum();
    return Stream.of(
        new Goal(
            kept >= GOODPUT_GOAL,
            String.format(
                Locale.ROOT,
                "%s: goodput at %s× is %.2f of its peak, at least %.2f",
                curve.handler.label,
                times(multiples.getLast()),
                kept,
                GOODPUT_GOAL)),
        new Goal(
            p99 <= LATENCY_GOAL * ease,
            String.format(
                Locale.ROOT,
                "%s: p99 of answered calls is at most %.1f ms, %.1f times the one at ease; at most"
                    + " %.0f times",
                curve.handler.label,
                p99,
                p99 / ease,
                LATENCY_GOAL)),
        new Goal(
            failed == 0 && curve.healthMillisMax() <= HEALTH_MILLIS_GOAL,
            String.format(
                Locale.ROOT,
                "%s: health answered within %.0f ms, %d checks failed; at most %.0f ms",
                curve.handler.label,
                curve.healthMillisMax(),
                failed,
                HEALTH_MILLIS_GOAL)));
  }

  private String report(List<Curve> curves, List<Goal> goals, String machine) {
    var text = new StringBuilder("# Overload\n\n");
    text.append("Measured on ")
        .append(LocalDate.now(ZoneOffset.UTC))
        .append(": ")
        .append(machine)
        .append(".\n\n`benchmarks/overload`: the server has one core, the client another; ")
        .append(poisson ? "random" : "even")
        .append(" arrivals, deadlines of ")
        .append(deadlineMillis)
        .append(" ms, ")
        .append(times(seconds))
        .append(" s counted after ")
        .append(times(rampSeconds))
        .append(
            " s of the same load, which are preceded by a first surge of 3 s. How to read it:"
                + " [benchmarks](../benchmarks/README.md#overload).\n\n")
        .append("![goodput, latency and health under overload](overload.svg)\n\n");
    for (var handler : Handler.values()) {
      var table =
          new Table(
              "a call needs " + handler.label,
              "server",
              "load",
              "offered/s",
              "goodput/s",
              "p50 ms",
              "p99 ms",
              "health max ms",
              "first surge",
              "not answered in time");
      var notes = new StringBuilder();
      for (var curve : curves) {
        if (curve.handler == handler) {
          rows(curve, table, notes);
        }
      }
      if (!table.isEmpty()) {
        text.append(table.markdown());
      }
      if (!notes.isEmpty()) {
        text.append(notes).append('\n');
      }
    }
    if (!goals.isEmpty()) {
      text.append("### goals\n\n");
      for (var goal : goals) {
        text.append("- ").append(goal.met ? "met: " : "MISSED: ").append(goal.what).append('\n');
      }
    }
    return text.toString();
  }

  private static void rows(Curve curve, Table table, StringBuilder notes) {
    for (var step : curve.steps) {
      table.row(
          curve.replica.label(),
          times(step.multiple) + "×",
          String.format("%,.0f", step.load.due() / step.load.seconds()),
          String.format("%,.0f", step.goodput()),
          String.format("%.1f", step.p50Millis()),
          String.format("%.1f", step.p99Millis()),
          String.format("%.0f", step.healthMillisMax)
              + (step.healthFailed > 0 ? ", " + step.healthFailed + " failed" : ""),
          String.format("%.0f", step.healthMillisFirst),
          others(step));
    }
    if (!curve.stopped.isEmpty()) {
      notes
          .append("- ")
          .append(curve.replica.label())
          .append(' ')
          .append(curve.stopped)
          .append('\n');
    }
  }

  private static String others(Step step) {
    var parts = new ArrayList<String>();
    step.load.others().forEach((how, count) -> parts.add(String.format("%s %,d", how, count)));
    return parts.isEmpty() ? "–" : String.join(", ", parts);
  }

  private String chart(List<Curve> curves, String machine) {
    var chart =
        new Chart(
            "Goodput and latency under overload",
            "deadlines of "
                + deadlineMillis
                + " ms, server on one core, "
                + (poisson ? "random" : "even")
                + " arrivals, "
                + machine,
            "offered load, times the server's capacity",
            multiples.stream().map(each -> times(each) + "×").toList(),
            handlers.size());
    for (var row : Row.values()) {
      for (var handler : Handler.values()) {
        var lines = new LinkedHashMap<String, double[]>();
        for (var curve : curves) {
          if (curve.handler == handler) {
            lines.put(curve.replica.label(), row.figures(multiples.size(), curve));
          }
        }
        if (!lines.isEmpty()) {
          chart.add(row.panel(handler, lines));
        }
      }
    }
    return chart.svg(peers.stream().map(id -> Replica.of(id).label()).toList());
  }

  private enum Row {
    GOODPUT,
    LATENCY,
    HEALTH;

    double[] figures(int multiples, Curve curve) {
      return switch (this) {
        case GOODPUT -> curve.figures(multiples, step -> 100 * step.goodput() / curve.capacity);
        case LATENCY -> curve.figures(multiples, Step::p99Millis);
        case HEALTH -> curve.figures(multiples, Step::healthMillis);
      };
    }

    Chart.Panel panel(Handler handler, Map<String, double[]> lines) {
      return switch (this) {
        case GOODPUT ->
            new Chart.Panel(
                "a call needs " + handler.label,
                "goodput, % of capacity",
                false,
                0,
                120,
                null,
                lines);
        case LATENCY ->
            new Chart.Panel(
                "p99 of calls answered in time",
                "ms, from when they were due",
                true,
                1,
                1_000,
                null,
                lines);
        case HEALTH ->
            new Chart.Panel(
                "slowest health check, in either surge",
                "ms",
                true,
                1,
                100_000,
                HEALTH_MILLIS_GOAL,
                lines);
      };
    }
  }

  private static String times(double multiple) {
    return multiple == Math.rint(multiple)
        ? String.format(Locale.ROOT, "%.0f", multiple)
        : String.format(Locale.ROOT, "%s", multiple);
  }
}
