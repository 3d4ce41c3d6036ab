package dev.weftline.benchmarks;

import dev.weftline.benchmarks.peer.Replica;
import io.grpc.CallOptions;
import io.grpc.Channel;
import io.grpc.ClientCall;
import io.grpc.ClientInterceptor;
import io.grpc.ClientStreamTracer;
import io.grpc.EquivalentAddressGroup;
import io.grpc.ManagedChannel;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import io.grpc.NameResolver;
import io.grpc.NameResolverProvider;
import io.grpc.NameResolverRegistry;
import io.grpc.StatusOr;
import io.grpc.netty.NettyChannelBuilder;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.net.URI;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.Callable;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.LongAdder;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/// `benchmarks/rollout`: replicas are stopped and started again, one after the other, while calls
/// come at a constant rate. How many fail?
@Command(
    name = "rollout",
    mixinStandardHelpOptions = true,
    description =
        "Restarts two replicas in turn, by SIGTERM, under a constant rate of unary calls and"
            + " streams, and counts the calls that fail. Nothing is retried but what the protocol"
            + " says was never processed.")
final class Rollout implements Callable<Integer> {
  private static final int EXIT_SECONDS_MAX = 45; // Kubernetes kills after 30
  private static final int READY_SECONDS_MAX = 60;

  /// A replica that began so many tasks is part of the service again.
  private static final int TASKS_OF_A_MEMBER = 50;

  private static final int CHANNELS = 4;
  private static final int WARMUP_SECONDS = 5;

  /// How calls find the replicas.
  enum Lb {
    HAPROXY("HAProxy"),
    CLIENT("grpc-java client, round_robin"),
    HANDOVER("one port, new process beside the old");

    private final String label;

    Lb(String label) {
      this.label = label;
    }

    static Lb of(String id) {
      return Lb.valueOf(id.toUpperCase(java.util.Locale.ROOT));
    }
  }

  @Option(
      names = "--peer",
      split = ",",
      description = "weftline, grpc-java, grpc-java-virtual, grpc-java-bare: ${DEFAULT-VALUE}")
  private List<String> peers = List.of("weftline", "grpc-java", "grpc-java-bare");

  @Option(names = "--lb", split = ",", description = "haproxy, client, handover: ${DEFAULT-VALUE}")
  private List<String> lbs = List.of("haproxy", "client", "handover");

  @Option(names = "--restarts", description = "of each server: ${DEFAULT-VALUE}")
  private int restarts = 20;

  @Option(names = "--rate", description = "calls per second: ${DEFAULT-VALUE}")
  private int rate = 2_000;

  /// As long as a client of grpc-java may wait before it tries again to connect: 1 s, 1.6 s, 2.6 s,
  /// give or take a fifth. One that has not found the new replica yet when the other one drains has
  /// none. Kubernetes calls it minReadySeconds.
  @Option(names = "--settle", description = "seconds between two restarts: ${DEFAULT-VALUE}")
  private int settleSeconds = 4;

  @Option(
      names = "--seconds",
      description = "no further restart of a server after that: ${DEFAULT-VALUE}")
  private int secondsMax = 600;

  @Option(
      names = "--connects",
      description = "new connections per second during a hand-over: ${DEFAULT-VALUE}")
  private int connectsPerSecond = 100;

  @Option(
      names = "--balancer-retries",
      description =
          "HAProxy's of refused connections, 3 as it comes: ${DEFAULT-VALUE}, so that the"
              + " servers alone are looked at")
  private int balancerRetries = 0;

  @Option(
      names = "--no-transparent-retries",
      description = "grpc-java's client does not even retry what a server has not processed")
  private boolean noTransparentRetries;

  /// What came of one server behind one balancer.
  ///
  /// @param codes how often the processes ended with which exit code
  record Outcome(
      Replica replica,
      Lb lb,
      int restarts,
      MixedLoad.Outcome load,
      long transparentRetries,
      long connects,
      Map<String, Long> connectFailures,
      Map<Integer, Integer> codes,
      double stopSecondsMax,
      String beforeRestarts,
      List<String> faults) {
    long failed() {
      return load.failed() + connectFailures.values().stream().mapToLong(n -> n).sum();
    }

    boolean met(int restartsWanted) {
      return failed() == 0
          && restarts == restartsWanted
          && faults.isEmpty()
          && codes.keySet().equals(Set.of(0));
    }
  }

  @Override
  public Integer call() throws IOException, InterruptedException {
    NameResolverRegistry.getDefaultRegistry().register(new Replicas());
    var outcomes = new ArrayList<Outcome>();
    for (var lb : lbs.stream().map(Lb::of).toList()) {
      for (var replica : peers.stream().map(Replica::of).toList()) {
        Progress.say(replica.label() + ", " + lb.label);
        outcomes.add(measure(replica, lb));
      }
    }
    Progress.result(report(outcomes));
    boolean missed =
        outcomes.stream().anyMatch(each -> each.replica.isOurs() && !each.met(restarts));
    return missed ? 1 : 0;
  }

  Outcome measure(Replica replica, Lb lb) throws IOException, InterruptedException {
    if (lb == Lb.HANDOVER) {
      return new Run(replica, lb, List.of(Haproxy.freePort())).measure();
    }
    return new Run(replica, lb, List.of(Haproxy.freePort(), Haproxy.freePort())).measure();
  }

  /// One server behind one balancer. What it starts, it ends.
  private final class Run {
    private final Replica replica;
    private final Lb lb;
    private final List<Integer> ports;
    private final PeerProcess[] running;
    private final TransparentRetries retries = new TransparentRetries();
    private final Map<Integer, Integer> codes = new TreeMap<>();
    private final List<String> faults = new ArrayList<>();
    private double stopSecondsMax;
    private String beforeRestarts = "";

    Run(Replica replica, Lb lb, List<Integer> ports) {
      this.replica = replica;
      this.lb = lb;
      this.ports = ports;
      running = new PeerProcess[ports.size()];
    }

    Outcome measure() throws IOException, InterruptedException {
      var channels = new ArrayList<ManagedChannel>();
      try {
        for (int i = 0; i < ports.size(); i++) {
          running[i] = launch(ports.get(i));
        }
        if (lb != Lb.HAPROXY) {
          return load(channels, ports);
        }
        var program = Machine.program(Haproxy.PROGRAM);
        try (var balancer = Haproxy.start(program, ports, balancerRetries, Servers.SCRATCH)) {
          return load(channels, List.of(balancer.port()));
        }
      } finally {
        for (var channel : channels) {
          channel.shutdownNow();
        }
        for (var process : running) {
          if (process != null) {
            process.close();
          }
        }
      }
    }

    private PeerProcess launch(int port) throws IOException {
      return PeerProcess.start(replica, port, lb == Lb.HANDOVER, Servers.withHeap("256m"));
    }

    private Outcome load(List<ManagedChannel> channels, List<Integer> targets)
        throws IOException, InterruptedException {
      for (int i = 0; i < CHANNELS; i++) {
        channels.add(channel(targets));
      }
      warmUp(channels);
      var counted =
          channels.stream()
              .map(each -> io.grpc.ClientInterceptors.intercept(each, retries))
              .toList();
      int done = 0;
      try (var load = MixedLoad.start(counted, rate);
          var newcomers =
              Newcomers.start(
                  targets.getFirst(),
                  lb == Lb.HANDOVER ? connectsPerSecond : 0,
                  MixedLoad.UNARY,
                  MixedLoad.REQUEST,
                  MixedLoad.REPLY_BYTES)) {
        long until = System.nanoTime() + TimeUnit.SECONDS.toNanos(secondsMax);
        Thread.sleep(TimeUnit.SECONDS.toMillis(settleSeconds));
        while (done < restarts && System.nanoTime() < until && faults.isEmpty()) {
          restart(done % ports.size());
          done++;
          Progress.say(
              "restart " + done + ": " + (load.failed() + newcomers.failed()) + " failed so far");
          Thread.sleep(TimeUnit.SECONDS.toMillis(settleSeconds));
        }
        newcomers.finish();
        return new Outcome(
            replica,
            lb,
            done,
            load.finish(),
            retries.count.sum(),
            newcomers.made(),
            newcomers.failures(),
            codes,
            stopSecondsMax,
            beforeRestarts,
            faults);
      }
    }

    /// Compiles the client and the first replicas; what fails here is told and not counted: two
    /// cold servers and a cold client at once are no rollout.
    private void warmUp(List<ManagedChannel> channels) throws InterruptedException {
      try (var load = MixedLoad.start(channels, rate / 4.0)) {
        Thread.sleep(TimeUnit.SECONDS.toMillis(WARMUP_SECONDS));
        var outcome = load.finish();
        if (outcome.failed() > 0) {
          beforeRestarts = "before any restart: " + outcome.byStatus();
        }
      }
    }

    private void restart(int index) throws InterruptedException {
      try {
        if (lb == Lb.HANDOVER) {
          var next = launch(ports.get(index));
          var old = running[index];
          running[index] = next;
          try (old) {
            awaitMember(next);
            stop(old);
          }
        } else {
          try (var old = running[index]) {
            stop(old);
          }
          running[index] = launch(ports.get(index));
          awaitMember(running[index]);
        }
      } catch (IOException e) {
        faults.add(String.valueOf(e.getMessage()));
      }
    }

    private void stop(PeerProcess process) throws IOException, InterruptedException {
      long start = System.nanoTime();
      codes.merge(process.terminate(EXIT_SECONDS_MAX), 1, Integer::sum);
      stopSecondsMax = Math.max(stopSecondsMax, (System.nanoTime() - start) / 1e9);
    }

    /// What an operator waits for before the next one is stopped.
    private void awaitMember(PeerProcess process) throws IOException, InterruptedException {
      long until = System.nanoTime() + TimeUnit.SECONDS.toNanos(READY_SECONDS_MAX);
      while (process.memory().tasksBegun() < TASKS_OF_A_MEMBER) {
        if (System.nanoTime() > until) {
          throw new IOException("a new replica got no calls for " + READY_SECONDS_MAX + " s");
        }
        Thread.sleep(50);
      }
    }

    private ManagedChannel channel(List<Integer> targets) {
      NettyChannelBuilder builder;
      if (lb == Lb.CLIENT) {
        builder =
            NettyChannelBuilder.forTarget(Replicas.target(targets))
                .defaultLoadBalancingPolicy("round_robin")
                .defaultServiceConfig(
                    Map.of(
                        "healthCheckConfig", Map.of("serviceName", ""),
                        "loadBalancingConfig", List.of(Map.of("round_robin", Map.of()))));
      } else {
        builder = NettyChannelBuilder.forAddress("127.0.0.1", targets.getFirst());
      }
      if (noTransparentRetries) {
        builder.disableRetry();
      }
      return builder.usePlaintext().directExecutor().build();
    }
  }

  /// Names that stand for several ports: `replicas:///50051,50052`.
  private static final class Replicas extends NameResolverProvider {
    static String target(List<Integer> ports) {
      return "replicas:///" + String.join(",", ports.stream().map(String::valueOf).toList());
    }

    @Override
    public NameResolver newNameResolver(URI target, NameResolver.Args args) {
      return new NameResolver() {
        @Override
        public String getServiceAuthority() {
          return "replicas";
        }

        @Override
        public void start(Listener2 listener) {
          var groups = new ArrayList<EquivalentAddressGroup>();
          for (var port : target.getPath().substring(1).split(",", -1)) {
            groups.add(
                new EquivalentAddressGroup(
                    new InetSocketAddress(
                        InetAddress.getLoopbackAddress(), Integer.parseInt(port))));
          }
          listener.onResult(
              ResolutionResult.newBuilder()
                  .setAddressesOrError(StatusOr.fromValue(groups))
                  .build());
        }

        @Override
        public void shutdown() {
          // Holds nothing.
        }
      };
    }

    @Override
    protected boolean isAvailable() {
      return true;
    }

    @Override
    protected int priority() {
      return 5;
    }

    @Override
    public String getDefaultScheme() {
      return "replicas";
    }

    @Override
    public Collection<Class<? extends SocketAddress>> getProducedSocketAddressTypes() {
      return List.of(InetSocketAddress.class);
    }
  }

  /// Counts what the client sent a second time because a server had not processed it:
  /// REFUSED_STREAM, or a stream past the last one of a GOAWAY.
  private static final class TransparentRetries implements ClientInterceptor {
    private final LongAdder count = new LongAdder();

    @Override
    public <Q, P> ClientCall<Q, P> interceptCall(
        MethodDescriptor<Q, P> method, CallOptions options, Channel next) {
      return next.newCall(
          method,
          options.withStreamTracerFactory(
              new ClientStreamTracer.Factory() {
                @Override
                public ClientStreamTracer newClientStreamTracer(
                    ClientStreamTracer.StreamInfo info, Metadata headers) {
                  if (info.isTransparentRetry()) {
                    count.increment();
                  }
                  return new ClientStreamTracer() {};
                }
              }));
    }
  }

  private String report(List<Outcome> outcomes) throws IOException {
    var table =
        new Table(
            restarts + " restarts under " + String.format("%,d calls/s", rate),
            "server",
            "calls find it by",
            "restarts",
            "calls",
            "failed",
            "new connections",
            "failed",
            "sent again",
            "exit codes",
            "slowest stop s",
            "unary p99 ms",
            "max ms");
    var notes = new StringBuilder();
    for (var each : outcomes) {
      table.row(
          each.replica.label(),
          each.lb.label,
          "" + each.restarts,
          String.format("%,d", each.load.calls()),
          String.format("%,d", each.load.failed()),
          String.format("%,d", each.connects),
          String.format("%,d", each.failed() - each.load.failed()),
          "" + each.transparentRetries,
          codes(each.codes),
          String.format("%.1f", each.stopSecondsMax),
          String.format("%.1f", each.load.p99Millis()),
          String.format("%.0f", each.load.maxMillis()));
      note(each, notes);
    }
    if (lbs.contains("handover")) {
      notes.append("- ").append(Machine.migratesConnections()).append('\n');
    }
    return table.markdown() + notes;
  }

  private void note(Outcome each, StringBuilder notes) {
    var name = "- " + each.replica.label() + ", " + each.lb.label + ": ";
    if (each.replica.isOurs()) {
      notes.append(name).append(each.met(restarts) ? "met" : "MISSED");
      notes.append(": all restarts, no call failed, every exit code 0\n");
    }
    if (!each.load.byStatus().isEmpty()) {
      notes.append(name).append(each.load.byStatus()).append('\n');
      each.load
          .examples()
          .forEach((what, times) ->
              notes.append("  - ").append(times).append(" × ").append(what).append('\n'));
    }
    if (!each.connectFailures.isEmpty()) {
      notes.append(name).append("new connections: ").append(each.connectFailures).append('\n');
    }
    if (!each.beforeRestarts.isEmpty()) {
      notes.append(name).append(each.beforeRestarts).append('\n');
    }
    each.faults.forEach(fault -> notes.append(name).append(fault).append('\n'));
  }

  private static String codes(Map<Integer, Integer> codes) {
    return String.join(
        ", ", codes.entrySet().stream().map(e -> e.getValue() + " × " + e.getKey()).toList());
  }
}
