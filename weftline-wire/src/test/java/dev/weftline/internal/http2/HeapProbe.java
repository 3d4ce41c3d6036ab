package dev.weftline.internal.http2;

/// How much of the heap is in use by what can still be reached.
final class HeapProbe {
  private HeapProbe() {}

  /// The least of a few looks, each behind a collection.
  static long usedBytes() {
    long least = Long.MAX_VALUE;
    for (int i = 0; i < 3; i++) {
      System.gc();
      var runtime = Runtime.getRuntime();
      least = Math.min(least, runtime.totalMemory() - runtime.freeMemory());
    }
    return least;
  }
}
