package dev.weftline.benchmarks;

import dev.weftline.benchmarks.peer.Peer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/// One scenario against every server: each warmed up, then rounds in which every server has its
/// turn, so that what the machine does meanwhile falls on all of them.
final class LoadRounds {
  /// @param seconds one server's turn takes about that long
  record Plan(int rounds, int seconds, int warmupSeconds, int clientCore, Path scratch) {}

  private final Scenario scenario;
  private final Plan plan;
  private final Path body;

  /// What was wrong, by server.
  final Map<Peer, String> faults = new LinkedHashMap<>();

  LoadRounds(Scenario scenario, Plan plan) throws IOException {
    this.scenario = scenario;
    this.plan = plan;
    body = plan.scratch.resolve(scenario.id() + ".body");
    Files.write(body, scenario.body());
  }

  /// Returns the median of each server that answered rightly throughout.
  Map<Peer, Sample> run(Map<Peer, PeerProcess> servers) throws InterruptedException {
    var calls = new LinkedHashMap<Peer, Long>();
    servers.forEach((peer, server) -> {
      if (scenario.servedBy(peer)) {
        attempt(peer, () -> calls.put(peer, warmUp(server)));
      }
    });
    var samples = new LinkedHashMap<Peer, List<Sample>>();
    for (int round = 0; round < plan.rounds; round++) {
      servers.forEach((peer, server) -> {
        var turns = samples.computeIfAbsent(peer, _ -> new ArrayList<>());
        Long count = calls.get(peer);
        if (count != null) {
          attempt(peer, () -> turns.add(sample(server, count)));
        }
      });
    }
    if (Thread.interrupted()) {
      throw new InterruptedException();
    }
    var medians = new LinkedHashMap<Peer, Sample>();
    samples.forEach((peer, rounds) -> {
      if (!rounds.isEmpty() && !faults.containsKey(peer)) {
        medians.put(peer, Sample.median(rounds));
      }
    });
    return medians;
  }

  private interface Turn {
    void take() throws IOException, InterruptedException;
  }

  /// A server that fails once is out: its figures would compare wrong answers with right ones.
  private void attempt(Peer peer, Turn turn) {
    if (faults.containsKey(peer)) {
      return;
    }
    try {
      turn.take();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      faults.put(peer, "interrupted");
    } catch (IOException | IllegalStateException e) {
      faults.put(peer, String.valueOf(e.getMessage()));
    }
  }

  /// Returns how many calls fill a turn.
  private long warmUp(PeerProcess server) throws IOException, InterruptedException {
    var outcome = load(server).seconds(plan.warmupSeconds);
    if (outcome.ok() == 0 || outcome.otherStatus() != 0) {
      throw new IllegalStateException(
          outcome.ok() + " calls had status 200 and " + outcome.otherStatus() + " another");
    }
    return whole(outcome.callsPerSecond() * plan.seconds);
  }

  /// Every stream of every connection makes the same number of calls.
  private long whole(double calls) {
    int atOnce = scenario.connections * scenario.streams;
    return Math.max(1, Math.round(calls / atOnce)) * atOnce;
  }

  private Sample sample(PeerProcess server, long calls) throws IOException, InterruptedException {
    long allocated = server.memory().allocatedBytes();
    long cpu = server.cpuMicros();
    var outcome = load(server).calls(calls);
    cpu = server.cpuMicros() - cpu;
    allocated = server.memory().allocatedBytes() - allocated;
    account(outcome, calls);
    // Writing the log slows h2load down, so latency has a run of its own.
    var latency = load(server).latency(whole(calls / 4.0), plan.scratch.resolve("latency.log"));
    double units = (double) calls * scenario.messages;
    return new Sample(
        outcome.callsPerSecond() * scenario.messages,
        latency.p50Micros(),
        latency.p99Micros(),
        cpu / units,
        allocated / units);
  }

  private void account(H2load.Outcome outcome, long calls) {
    long expected = calls * scenario.replyBytes();
    if (outcome.ok() != calls || outcome.done() != calls || outcome.failed() != 0) {
      throw new IllegalStateException(
          "of "
              + calls
              + " calls "
              + outcome.ok()
              + " had status 200, "
              + outcome.failed()
              + " failed");
    }
    if (outcome.dataBytes() != expected) {
      throw new IllegalStateException(
          "replies had " + outcome.dataBytes() + " bytes instead of " + expected);
    }
  }

  private H2load load(PeerProcess server) {
    return new H2load(
        plan.clientCore,
        body,
        "http://127.0.0.1:" + server.port() + scenario.path(),
        scenario.connections,
        scenario.streams);
  }
}
