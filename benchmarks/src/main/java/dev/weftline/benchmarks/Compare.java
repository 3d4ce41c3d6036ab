package dev.weftline.benchmarks;

import dev.weftline.benchmarks.peer.Peer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.LocalDate;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/// `benchmarks/compare`: the same service on every server, and what a call costs each.
@Command(
    name = "compare",
    mixinStandardHelpOptions = true,
    description =
        "Serves the same service from every server, drives each with h2load and compares what a"
            + " call costs.")
final class Compare implements Callable<Integer> {
  private static final String IDLE = "idle";
  private static final String START = "start";
  private static final Map<String, String> LIBRARIES =
      Map.of(
          "netty-buffer", "Netty",
          "grpc-api", "grpc-java",
          "protobuf-java", "protobuf",
          "armeria", "Armeria",
          "vertx-core", "Vert.x",
          "helidon-webserver", "Helidon");

  @Option(names = "--peers", split = ",", description = "default: ${DEFAULT-VALUE}")
  private List<String> peers = Arrays.stream(Peer.values()).map(Peer::id).toList();

  @Option(names = "--scenarios", split = ",", description = "default: ${DEFAULT-VALUE}")
  private List<String> scenarios = scenarioIds();

  @Option(names = "--rounds", description = "turns of each server: ${DEFAULT-VALUE}")
  private int rounds = 5;

  @Option(names = "--seconds", description = "length of a turn: ${DEFAULT-VALUE}")
  private int seconds = 4;

  @Option(names = "--warmup", description = "seconds before the first turn: ${DEFAULT-VALUE}")
  private int warmupSeconds = 15;

  @Option(names = "--out", description = "Markdown file the tables go into: ${DEFAULT-VALUE}")
  private Path out = Path.of("docs", "benchmarks.md");

  @Option(names = "--no-out", description = "write no file")
  private boolean noOut;

  @Mixin private Servers servers = new Servers();

  private final Report report = new Report();
  private final Map<Peer, String> notStarted = new LinkedHashMap<>();
  private boolean wrong;

  private static List<String> scenarioIds() {
    var ids = new ArrayList<>(Arrays.stream(Scenario.values()).map(Scenario::id).toList());
    ids.addAll(List.of(IDLE, START));
    return ids;
  }

  @Override
  public Integer call() throws IOException, InterruptedException {
    var wanted = peers.stream().map(Peer::of).toList();
    var loads =
        scenarios.stream()
            .filter(id -> !id.equals(IDLE) && !id.equals(START))
            .map(Scenario::of)
            .toList();
    Machine.require("h2load", "taskset");
    describe();
    if (!loads.isEmpty()) {
      load(wanted, loads);
    }
    if (scenarios.contains(IDLE)) {
      idle(wanted);
    }
    if (scenarios.contains(START)) {
      start(wanted);
    }
    report.notStarted(notStarted);
    Progress.result(report.markdown());
    if (!noOut) {
      report.write(out);
    }
    return wrong ? 1 : 0;
  }

  private void describe() throws IOException {
    report.line(
        "Measured on "
            + LocalDate.now(ZoneOffset.UTC)
            + ": "
            + Machine.describe()
            + "; "
            + Machine.versions(servers.classPath(), LIBRARIES)
            + ".");
    report.line("");
    report.line(
        "`benchmarks/compare --rounds "
            + rounds
            + " --seconds "
            + seconds
            + " --warmup "
            + warmupSeconds
            + "`; every server JVM on one core with `"
            + String.join(" ", servers.flags())
            + "`.");
    report.line("");
  }

  private void load(List<Peer> wanted, List<Scenario> loads)
      throws IOException, InterruptedException {
    var running = new LinkedHashMap<Peer, PeerProcess>();
    try {
      for (var peer : wanted) {
        Progress.say("starting " + peer.label());
        start(peer, running);
      }
      var scratch = Files.createDirectories(Servers.SCRATCH);
      var plan = new LoadRounds.Plan(rounds, seconds, warmupSeconds, servers.clientCore, scratch);
      for (var scenario : loads) {
        Progress.say(scenario.label());
        var turns = new LoadRounds(scenario, plan);
        var samples = turns.run(running);
        wrong |= !turns.faults.isEmpty();
        report.load(scenario, samples, turns.faults);
      }
    } finally {
      for (var server : running.values()) {
        server.close();
      }
    }
  }

  /// Starts a server and keeps it only when it answers rightly.
  private void start(Peer peer, Map<Peer, PeerProcess> running)
      throws IOException, InterruptedException {
    try {
      var server = PeerProcess.start(peer, servers.launch());
      try {
        HelloCheck.check(peer, server.port());
        running.put(peer, server);
      } catch (IllegalStateException e) {
        notCompared(peer, e);
        server.close();
      }
    } catch (IOException e) {
      notCompared(peer, e);
    }
  }

  private void notCompared(Peer peer, Exception why) {
    wrong = true;
    notStarted.put(peer, String.valueOf(why.getMessage()));
    Progress.say(peer.label() + " is out: " + why.getMessage());
  }

  private void idle(List<Peer> wanted) throws InterruptedException {
    var costs = new LinkedHashMap<Peer, IdleConnections.Cost>();
    var faults = new LinkedHashMap<Peer, String>();
    for (var peer : wanted) {
      Progress.say("idle connections of " + peer.label());
      try (var server = PeerProcess.start(peer, servers.launch())) {
        costs.put(peer, IdleConnections.measure(server));
      } catch (IOException | IllegalStateException e) {
        wrong = true;
        faults.put(peer, String.valueOf(e.getMessage()));
      }
    }
    report.idle(costs, faults);
  }

  private void start(List<Peer> wanted) {
    var millis = new LinkedHashMap<Peer, List<Double>>();
    var faults = new LinkedHashMap<Peer, String>();
    for (int round = 0; round < rounds; round++) {
      Progress.say("start to first call, round " + (round + 1));
      for (var peer : wanted) {
        try {
          millis.computeIfAbsent(peer, _ -> new ArrayList<>()).add(firstCallMillis(peer));
        } catch (IOException | IllegalStateException e) {
          wrong = true;
          faults.put(peer, String.valueOf(e.getMessage()));
        }
      }
    }
    millis.keySet().removeAll(faults.keySet());
    var medians = new LinkedHashMap<Peer, Double>();
    millis.forEach((peer, each) ->
        medians.put(peer, Sample.middle(each.stream().mapToDouble(d -> d).toArray())));
    report.start(medians, faults);
  }

  private double firstCallMillis(Peer peer) throws IOException {
    byte[] body = Scenario.UNARY_1X1.body();
    long start = System.nanoTime();
    try (var server = PeerProcess.start(peer, servers.launch());
        var connection = RawConnection.open(server.port())) {
      int got = connection.call(Scenario.UNARY_1X1.path(), body);
      double millis = (System.nanoTime() - start) / 1e6;
      if (got != Scenario.UNARY_1X1.replyBytes()) {
        throw new IllegalStateException("a reply of " + got + " bytes");
      }
      return millis;
    }
  }
}
