package dev.weftline.internal.hpack;

import static org.assertj.core.api.Assertions.assertThat;

import dev.weftline.internal.http.Field;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Random;
import org.junit.jupiter.api.Test;

/// The dynamic table beside the plainest one that could be right (RFC 7541 §4).
class DynamicTableTest {
  @Test
  void evictsAsAPlainQueueDoes() {
    long seed = AnySections.seed();
    var random = new Random(seed);
    var table = new DynamicTable(4_096);
    var plain = new ArrayDeque<Field>(); // newest first
    int bytesMax = 4_096;
    for (int step = 0; step < 20_000; step++) {
      var field = Field.of("name", "v".repeat(random.nextInt(step % 100 == 0 ? 5_000 : 60)));
      int event = random.nextInt(200);
      if (event == 0) {
        bytesMax = random.nextInt(4_096);
        table.resize(bytesMax);
      } else if (event == 1) {
        table.clear();
        plain.clear();
      } else {
        table.insert(field);
        plain.addFirst(field);
      }
      while (bytes(plain) > bytesMax) plain.removeLast();
      var held = new ArrayList<Field>();
      for (int age = 0; age < table.length(); age++) held.add(table.get(age));
      assertThat(held).as("seed %d, step %d", seed, step).containsExactlyElementsOf(plain);
      if (!plain.isEmpty()) {
        assertThat(table.age(plain.getFirst())).isZero();
        assertThat(table.ageOfName("name")).isZero();
      }
      assertThat(table.ageOfName("other")).isEqualTo(-1);
    }
  }

  private static int bytes(ArrayDeque<Field> fields) {
    int bytes = 0;
    for (var field : fields) bytes += field.size();
    return bytes;
  }
}
