package dev.weftline.benchmarks;

import dev.weftline.benchmarks.peer.Peer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/// The comparison as tables, and the goals it is held against.
final class Report {
  private static final String BEGIN = "<!-- benchmarks/compare writes below this line -->";
  private static final String END = "<!-- benchmarks/compare writes above this line -->";

  /// What a call on Weftline may cost at most, as a part of what it costs on grpc-java with virtual
  /// threads.
  private static final Map<Peer, Map<Scenario, Double>> OF_GRPC_JAVA =
      Map.of(
          Peer.WEFTLINE,
          Map.of(
              Scenario.UNARY_8X16, 0.20,
              Scenario.UNARY_50X20, 0.15,
              Scenario.UNARY_10K, 0.35,
              Scenario.STREAM, 0.12,
              Scenario.BIDI, 0.08),
          Peer.WEFTLINE_GRPC_JAVA,
          Map.of(Scenario.UNARY_8X16, 0.30, Scenario.UNARY_10K, 0.45, Scenario.STREAM, 0.25));

  /// What everything that is switched on may cost, in times the bare server.
  private static final double FULL_OF_BARE = 1.15;

  private static final Set<Scenario> HELD_FULL =
      Set.of(Scenario.UNARY_8X16, Scenario.STREAM, Scenario.BIDI);

  /// The same as above, as a part of the cheapest server of somebody else. Where nothing is said,
  /// Weftline is to be the cheapest.
  private static final Map<Scenario, Double> OF_THE_BEST =
      Map.of(Scenario.UNARY_8X16, 0.40, Scenario.UNARY_50X20, 0.40, Scenario.STREAM, 0.20);

  /// The same, in times the floor.
  private static final Map<Scenario, Double> OF_THE_FLOOR = Map.of(Scenario.UNARY_8X16, 2.5);

  private static final double IDLE_BYTES_GOAL = 4096;

  private final StringBuilder text = new StringBuilder();
  private final List<String> goals = new ArrayList<>();

  void line(String line) {
    text.append(line).append('\n');
  }

  void load(Scenario scenario, Map<Peer, Sample> samples, Map<Peer, String> faults) {
    String unit = scenario.unit();
    var table =
        new Table(
            scenario.label(),
            "server",
            unit + "s/s",
            "p50 µs",
            "p99 µs",
            "CPU µs/" + unit,
            "alloc B/" + unit,
            "Weftline ÷ it");
    @Nullable Sample ours = samples.get(Peer.WEFTLINE);
    samples.forEach((peer, sample) ->
        table.row(
            peer.label(),
            number("%,.0f", sample.rate()),
            number("%,.0f", sample.p50Micros()),
            number("%,.0f", sample.p99Micros()),
            number("%.2f", sample.cpuMicros()),
            number("%,.0f", sample.allocatedBytes()),
            ours == null ? "–" : number("%.2f", ours.cpuMicros() / sample.cpuMicros())));
    add(table, faults);
    OF_GRPC_JAVA.forEach(
        (peer, most) -> hold(scenario, samples, peer, Peer.GRPC_JAVA_VIRTUAL, most.get(scenario)));
    best(samples)
        .ifPresent(best -> {
          var most = OF_THE_BEST.getOrDefault(scenario, 1.0);
          hold(scenario, samples, Peer.WEFTLINE, best, most);
        });
    hold(scenario, samples, Peer.WEFTLINE, Peer.FLOOR, OF_THE_FLOOR.get(scenario));
    if (HELD_FULL.contains(scenario)) {
      hold(scenario, samples, Peer.WEFTLINE_FULL, Peer.WEFTLINE_BARE, FULL_OF_BARE);
    }
  }

  /// The cheapest server that is not ours.
  private static Optional<Peer> best(Map<Peer, Sample> samples) {
    return samples.keySet().stream()
        .filter(peer -> peer.servesCalls() && !peer.isOurs())
        .min(Comparator.comparingDouble(peer -> cost(samples, peer)));
  }

  private static double cost(Map<Peer, Sample> samples, Peer peer) {
    @Nullable Sample sample = samples.get(peer);
    return sample == null ? Double.NaN : sample.cpuMicros();
  }

  private void hold(
      Scenario scenario, Map<Peer, Sample> samples, Peer ours, Peer other, @Nullable Double most) {
    double ratio = cost(samples, ours) / cost(samples, other);
    if (most == null || Double.isNaN(ratio)) {
      return;
    }
    goal(
        ratio <= most,
        number("%.2f of ", ratio) + other.label() + number(", at most %.2f", most),
        scenario.label() + (ours == Peer.WEFTLINE ? "" : ", " + ours.label()));
  }

  void idle(Map<Peer, IdleConnections.Cost> costs, Map<Peer, String> faults) {
    var table =
        new Table(
            "idle connection, after one call", "server", "bytes", "of it heap", "of it direct");
    costs.forEach((peer, cost) ->
        table.row(
            peer.label(),
            number("%,.0f", cost.bytes()),
            number("%,.0f", cost.heapBytes()),
            number("%,.0f", cost.directBytes())));
    add(table, faults);
    var ours = costs.get(Peer.WEFTLINE);
    if (ours != null) {
      goal(
          ours.bytes() <= IDLE_BYTES_GOAL,
          number("%,.0f bytes, at most ", ours.bytes()) + number("%,.0f", IDLE_BYTES_GOAL),
          "idle connection");
    }
  }

  void start(Map<Peer, Double> millis, Map<Peer, String> faults) {
    var table = new Table("start of the process to its first answer", "server", "ms");
    millis.forEach((peer, each) -> table.row(peer.label(), number("%,.0f", each)));
    add(table, faults);
  }

  /// A server that could not be started stays in the report.
  void notStarted(Map<Peer, String> faults) {
    if (!faults.isEmpty()) {
      add(new Table("not compared", "server"), faults);
    }
  }

  private void add(Table table, Map<Peer, String> faults) {
    faults.keySet().forEach(peer -> table.failed(peer.label()));
    text.append(table.markdown());
    faults.forEach((peer, fault) -> line("- " + peer.label() + ": " + fault));
    if (!faults.isEmpty()) {
      line("");
    }
  }

  private void goal(boolean met, String found, String where) {
    goals.add((met ? "met" : "MISSED") + ": " + where + ": " + found);
  }

  String markdown() {
    if (goals.isEmpty()) {
      return text.toString();
    }
    return text + "### goals\n\n- " + String.join("\n- ", goals) + "\n";
  }

  /// Replaces what an earlier run wrote and leaves the rest of the file alone.
  void write(Path file) throws IOException {
    String old =
        Files.exists(file)
            ? Files.readString(file)
            : "# Benchmarks\n\n" + BEGIN + "\n" + END + "\n";
    int begin = old.indexOf(BEGIN);
    int end = old.indexOf(END);
    if (begin < 0 || end < begin) {
      throw new IOException(file + " has no place for the tables: " + BEGIN + " … " + END);
    }
    Files.createDirectories(file.toAbsolutePath().getParent());
    Files.writeString(
        file,
        old.substring(0, begin + BEGIN.length()) + "\n\n" + markdown() + "\n" + old.substring(end));
  }

  private static String number(String format, double figure) {
    return String.format(Locale.ROOT, format, figure);
  }
}
