package dev.weftline.benchmarks;

import java.util.Arrays;
import java.util.List;
import java.util.function.ToDoubleFunction;

/// What one peer did in one scenario: one round, or the middle of several.
///
/// @param rate calls (messages in a streaming scenario) per second
/// @param cpuMicros of the server, for one call or message
/// @param allocatedBytes by the server, for one call or message
record Sample(
    double rate, double p50Micros, double p99Micros, double cpuMicros, double allocatedBytes) {
  static Sample median(List<Sample> rounds) {
    return new Sample(
        middle(rounds, Sample::rate),
        middle(rounds, Sample::p50Micros),
        middle(rounds, Sample::p99Micros),
        middle(rounds, Sample::cpuMicros),
        middle(rounds, Sample::allocatedBytes));
  }

  private static double middle(List<Sample> rounds, ToDoubleFunction<Sample> figure) {
    return middle(rounds.stream().mapToDouble(figure).toArray());
  }

  /// The median of plain figures.
  static double middle(double... figures) {
    if (figures.length == 0) {
      throw new IllegalArgumentException("no figures");
    }
    double[] sorted = figures.clone();
    Arrays.sort(sorted);
    int half = sorted.length / 2;
    return sorted.length % 2 == 1 ? sorted[half] : (sorted[half - 1] + sorted[half]) / 2;
  }
}
