package dev.weftline.benchmarks;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// One run of nghttp2's `h2load` against a server, and what it reported.
///
/// @param core the processor it is pinned to, or -1
record H2load(int core, Path body, String url, int connections, int streams) {
  private static final long MINUTES_MAX = 5;

  /// @param done responses that ended, each with its status counted
  /// @param ok responses with a 2xx status
  /// @param otherStatus responses with any other
  /// @param dataBytes of DATA frames, without their headers
  record Outcome(
      double callsPerSecond,
      long total,
      long done,
      long ok,
      long otherStatus,
      long failed,
      long dataBytes) {}

  /// @param p50Micros half of the calls took no longer
  record Latency(long p50Micros, long p99Micros) {}

  /// A number of calls, so that each reply can be accounted for.
  Outcome calls(long calls) throws IOException, InterruptedException {
    return run(List.of("-n", Long.toString(calls)));
  }

  /// As many calls as fit; those under way at the end are cut off.
  Outcome seconds(int seconds) throws IOException, InterruptedException {
    return run(List.of("-D", Integer.toString(seconds)));
  }

  Latency latency(long calls, Path log) throws IOException, InterruptedException {
    Files.deleteIfExists(log);
    run(List.of("-n", Long.toString(calls), "--log-file=" + log));
    return percentiles(Files.readString(log));
  }

  private Outcome run(List<String> extent) throws IOException, InterruptedException {
    var command = new ArrayList<>(pinned(core));
    command.addAll(List.of("h2load", "-c", "" + connections, "-m", "" + streams, "-d", "" + body));
    command.addAll(List.of("-H", "content-type: application/grpc", "-H", "te: trailers"));
    command.addAll(extent);
    command.add(url);
    var process = new ProcessBuilder(command).redirectErrorStream(true).start();
    process.getOutputStream().close();
    // A server that stops answering must not hang the comparison.
    var watch = process.onExit().orTimeout(MINUTES_MAX, TimeUnit.MINUTES);
    var stopped = watch.exceptionally(late -> process.destroyForcibly());
    String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.US_ASCII);
    stopped.join();
    return parse(output);
  }

  static List<String> pinned(int core) {
    return core < 0 ? List.of() : List.of("taskset", "-c", Integer.toString(core));
  }

  static Outcome parse(String output) {
    var rate = find(output, "finished in [^,]+, ([0-9.]+) req/s");
    var requests =
        find(
            output,
            "requests: (\\d+) total, \\d+ started, (\\d+) done, \\d+ succeeded, (\\d+) failed");
    var statuses = find(output, "status codes: (\\d+) 2xx, (\\d+) 3xx, (\\d+) 4xx, (\\d+) 5xx");
    var traffic = find(output, "\\((\\d+)\\) data");
    return new Outcome(
        Double.parseDouble(rate.group(1)),
        Long.parseLong(requests.group(1)),
        Long.parseLong(requests.group(2)),
        Long.parseLong(statuses.group(1)),
        Long.parseLong(statuses.group(2))
            + Long.parseLong(statuses.group(3))
            + Long.parseLong(statuses.group(4)),
        Long.parseLong(requests.group(3)),
        Long.parseLong(traffic.group(1)));
  }

  private static Matcher find(String output, String pattern) {
    var matcher = Pattern.compile(pattern).matcher(output);
    if (!matcher.find()) {
      throw new IllegalStateException("h2load did not finish:\n" + output);
    }
    return matcher;
  }

  /// The log has a line for each call: start, status, microseconds.
  static Latency percentiles(String log) {
    long[] micros =
        log.lines()
            .mapToLong(line -> Long.parseLong(line.substring(line.lastIndexOf('\t') + 1)))
            .sorted()
            .toArray();
    if (micros.length == 0) {
      throw new IllegalStateException("h2load logged no call");
    }
    return new Latency(at(micros, 0.50), at(micros, 0.99));
  }

  private static long at(long[] sorted, double quantile) {
    return sorted[(int) Math.ceil(quantile * sorted.length) - 1];
  }
}
