package dev.weftline.benchmarks;

import dev.weftline.benchmarks.work.Done;
import dev.weftline.benchmarks.work.Task;
import dev.weftline.benchmarks.work.WorkGrpc;
import io.grpc.CallOptions;
import io.grpc.Channel;
import io.grpc.ClientCall;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import io.grpc.Status;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.LongAdder;
import java.util.concurrent.locks.LockSupport;
import java.util.regex.Pattern;
import org.HdrHistogram.ConcurrentHistogram;

/// Calls that come at a constant rate, whatever becomes of those before: of a hundred, 80 are
/// unary, 15 are streams from the server and 5 are dialogues, both of 0.2 to 2 s. Every call is
/// accounted for; none is made twice by this class.
final class MixedLoad implements AutoCloseable {
  static final String UNARY = "/weftline.benchmarks.Work/Once";
  static final byte[] REQUEST = Scenario.prefixed(Task.getDefaultInstance(), 1);
  static final int REPLY_BYTES = 7; // the prefix, and `number`

  private static final int DEADLINE_SECONDS = 10; // five times the longest stream
  private static final int MESSAGES = 5; // of each stream
  private static final int STREAM_MILLIS_MIN = 200;
  private static final int STREAM_MILLIS_MAX = 2_000;
  private static final long UNARY_MICROS_MAX = TimeUnit.MINUTES.toMicros(1);

  private static final Pattern PARTICULARS = Pattern.compile("(?s)(\\n|\\[).*");

  private enum Kind {
    UNARY,
    SERVER_STREAM,
    DIALOGUE
  }

  private final List<? extends Channel> channels;
  private final double perSecond;
  private final Thread pacer;
  private final LongAdder started = new LongAdder();
  private final LongAdder ended = new LongAdder();
  private final Map<String, LongAdder> failures = new ConcurrentHashMap<>();
  private final Map<String, LongAdder> examples = new ConcurrentHashMap<>();
  private final ConcurrentHistogram unaryMicros = new ConcurrentHistogram(UNARY_MICROS_MAX, 3);
  private final AtomicLong behindNanosMax = new AtomicLong();
  private volatile boolean stopping;

  private MixedLoad(List<? extends Channel> channels, double perSecond) {
    this.channels = List.copyOf(channels);
    this.perSecond = perSecond;
    pacer = Thread.ofPlatform().daemon().name("load").unstarted(this::pace);
  }

  static MixedLoad start(List<? extends Channel> channels, double perSecond) {
    var load = new MixedLoad(channels, perSecond);
    load.pacer.start();
    return load;
  }

  private void pace() {
    var random = new SplittableRandom(1);
    long start = System.nanoTime();
    for (long i = 0; !stopping; i++) {
      long due = start + (long) (i * 1e9 / perSecond);
      for (long left; (left = due - System.nanoTime()) > 0; ) {
        LockSupport.parkNanos(left);
      }
      behindNanosMax.accumulateAndGet(System.nanoTime() - due, Math::max);
      started.increment();
      call((int) (i % channels.size()), due, random);
    }
  }

  private void call(int channel, long due, SplittableRandom random) {
    int dice = random.nextInt(100);
    var kind = dice < 80 ? Kind.UNARY : dice < 95 ? Kind.SERVER_STREAM : Kind.DIALOGUE;
    int nap =
        kind == Kind.UNARY ? 0 : random.nextInt(STREAM_MILLIS_MIN, STREAM_MILLIS_MAX) / MESSAGES;
    var task = Task.newBuilder().setNapMillis(nap).setMessages(MESSAGES).build();
    var options = CallOptions.DEFAULT.withDeadlineAfter(DEADLINE_SECONDS, TimeUnit.SECONDS);
    var call = channels.get(channel).newCall(method(kind), options);
    var replies = new Replies(kind, call, task, due);
    call.start(replies, new Metadata());
    call.request(Integer.MAX_VALUE);
    call.sendMessage(task);
    if (kind != Kind.DIALOGUE) {
      call.halfClose();
    }
  }

  private static MethodDescriptor<Task, Done> method(Kind kind) {
    return switch (kind) {
      case UNARY -> WorkGrpc.getOnceMethod();
      case SERVER_STREAM -> WorkGrpc.getSeriesMethod();
      case DIALOGUE -> WorkGrpc.getDialogueMethod();
    };
  }

  private final class Replies extends ClientCall.Listener<Done> {
    private final Kind kind;
    private final ClientCall<Task, Done> call;
    private final Task task;
    private final long due;
    private int got;

    Replies(Kind kind, ClientCall<Task, Done> call, Task task, long due) {
      this.kind = kind;
      this.call = call;
      this.task = task;
      this.due = due;
    }

    @Override
    public void onMessage(Done done) {
      got++;
      if (kind == Kind.DIALOGUE) {
        if (got < MESSAGES) {
          call.sendMessage(task);
        } else {
          call.halfClose();
        }
      }
    }

    @Override
    public void onClose(Status status, Metadata trailers) {
      if (!status.isOk()) {
        failed(kind, status.getCode().toString(), String.valueOf(status.getDescription()));
      } else if (got != (kind == Kind.UNARY ? 1 : MESSAGES)) {
        failed(kind, "OK, but messages missing", got + " messages");
      } else if (kind == Kind.UNARY) {
        unaryMicros.recordValue(Math.min((System.nanoTime() - due) / 1_000, UNARY_MICROS_MAX));
      }
      ended.increment();
    }
  }

  private void failed(Kind kind, String code, String description) {
    failures.computeIfAbsent(code, _ -> new LongAdder()).increment();
    // Ports, times and pages of a proxy differ from call to call; what happened does not.
    var what = PARTICULARS.matcher(description).replaceAll("").strip();
    var example = kind + " " + code + ": " + what.replaceAll("[0-9]+", "#");
    if (examples.size() < 12 || examples.containsKey(example)) {
      examples.computeIfAbsent(example, _ -> new LongAdder()).increment();
    }
  }

  long failed() {
    return failures.values().stream().mapToLong(LongAdder::sum).sum();
  }

  /// @param behindMillisMax how late the client itself ever was
  record Outcome(
      long calls,
      long failed,
      Map<String, Long> byStatus,
      Map<String, Long> examples,
      double p99Millis,
      double maxMillis,
      double behindMillisMax) {}

  /// Makes no more calls, waits for those that are open, and tells what became of all.
  Outcome finish() throws InterruptedException {
    stopping = true;
    pacer.join();
    long until = System.nanoTime() + TimeUnit.SECONDS.toNanos(DEADLINE_SECONDS + 2);
    while (ended.sum() < started.sum() && System.nanoTime() < until) {
      Thread.sleep(20);
    }
    long lost = started.sum() - ended.sum();
    if (lost > 0) {
      failures.computeIfAbsent("never ended", _ -> new LongAdder()).add(lost);
    }
    return new Outcome(
        started.sum(),
        failed(),
        sums(failures),
        sums(examples),
        unaryMicros.getValueAtPercentile(99) / 1e3,
        unaryMicros.getMaxValue() / 1e3,
        behindNanosMax.get() / 1e6);
  }

  private static Map<String, Long> sums(Map<String, LongAdder> counts) {
    var sums = new TreeMap<String, Long>();
    counts.forEach((name, count) -> sums.put(name, count.sum()));
    return sums;
  }

  /// Makes no more calls; those that are open end by themselves.
  @Override
  public void close() {
    stopping = true;
  }
}
