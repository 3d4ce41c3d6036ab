package dev.weftline.server;

import java.util.List;

/// How values were spread: a snapshot. Bucket `i` counts the values above `bounds[i - 1]` and up to
/// `bounds[i]`; the last one, those above all bounds.
///
/// @param bounds upper ones, inclusive, ascending
/// @param counts one more than there are bounds; each bucket for itself, not added up
/// @param sum of all values
public record Histogram(List<Double> bounds, List<Long> counts, double sum) {
  public Histogram {
    bounds = List.copyOf(bounds);
    counts = List.copyOf(counts);
    if (counts.size() != bounds.size() + 1) {
      throw new IllegalArgumentException(
          counts.size() + " buckets between " + bounds.size() + " bounds");
    }
  }

  /// How many values there were.
  public long count() {
    long all = 0;
    for (long count : counts) all += count;
    return all;
  }
}
