package dev.weftline.internal.call;

/// The upper bounds of a histogram's buckets, and which bucket a value falls into. Those of gRFC
/// A66, "Metrics Schema", which every gRPC implementation has.
///
/// Hot: three values are sorted in for each call.
public final class Bounds {
  /// Durations, in nanoseconds.
  public static final Bounds NANOS =
      new Bounds(
          0,
          10_000,
          50_000,
          100_000,
          300_000,
          600_000,
          800_000,
          1_000_000,
          2_000_000,
          3_000_000,
          4_000_000,
          5_000_000,
          6_000_000,
          8_000_000,
          10_000_000,
          13_000_000,
          16_000_000,
          20_000_000,
          25_000_000,
          30_000_000,
          40_000_000,
          50_000_000,
          65_000_000,
          80_000_000,
          100_000_000,
          130_000_000,
          160_000_000,
          200_000_000,
          250_000_000,
          300_000_000,
          400_000_000,
          500_000_000,
          650_000_000,
          800_000_000,
          1_000_000_000,
          2_000_000_000,
          5_000_000_000L,
          10_000_000_000L,
          20_000_000_000L,
          50_000_000_000L,
          100_000_000_000L);

  /// Sizes, in octets.
  public static final Bounds BYTES =
      new Bounds(
          0,
          1L << 10,
          2L << 10,
          4L << 10,
          16L << 10,
          64L << 10,
          256L << 10,
          1L << 20,
          4L << 20,
          16L << 20,
          64L << 20,
          256L << 20,
          1L << 30,
          4L << 30);

  private final long[] upper;
  private final byte[] first = new byte[Long.SIZE + 1]; // by how many bits a value has

  private Bounds(long... upper) {
    this.upper = upper;
    for (int bits = 1; bits <= Long.SIZE; bits++) {
      long smallest = bits == Long.SIZE ? Long.MAX_VALUE : 1L << (bits - 1);
      while (first[bits] < upper.length && upper[first[bits]] < smallest) first[bits]++;
    }
  }

  /// The bounds, inclusive and ascending; a copy.
  public long[] upper() {
    return upper.clone();
  }

  /// How many buckets there are: one more, for what is above all bounds.
  public int buckets() {
    return upper.length + 1;
  }

  /// The bucket of a value; of those of one bit length only a few are left to compare.
  int bucket(long value) {
    if (value <= 0) return 0;
    int bucket = first[Long.SIZE - Long.numberOfLeadingZeros(value)];
    while (bucket < upper.length && value > upper[bucket]) bucket++;
    return bucket;
  }
}
