package dev.weftline.internal.call;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

final class BoundsTest {
  /// A bound belongs to the bucket below it, as OpenTelemetry has it.
  @ParameterizedTest
  @CsvSource(
      textBlock =
          """
          # octets,             bucket
          -1,                   0
          0,                    0
          1,                    1
          1024,                 1
          1025,                 2
          16384,                4
          16385,                5
          4294967296,           13
          4294967297,           14
          9223372036854775807,  14
          """)
  void boundsAreInclusive(long bytes, int bucket) {
    assertThat(Bounds.BYTES.bucket(bytes)).isEqualTo(bucket);
  }

  @Test
  void everyValueFallsBetweenItsBounds() {
    var random = new Random(42);
    for (var bounds : new Bounds[] {Bounds.NANOS, Bounds.BYTES}) {
      var upper = bounds.upper();
      for (int i = 0; i < 100_000; i++) {
        long value = random.nextLong() >>> random.nextInt(64) >>> 1;
        int bucket = bounds.bucket(value);
        if (bucket < upper.length) assertThat(value).isLessThanOrEqualTo(upper[bucket]);
        if (bucket > 0) assertThat(value).isGreaterThan(upper[bucket - 1]);
      }
    }
  }
}
