package dev.weftline.internal.hpack;

import static dev.weftline.internal.hpack.Blocks.block;
import static dev.weftline.internal.hpack.Blocks.decoded;
import static dev.weftline.internal.hpack.Blocks.encoded;
import static dev.weftline.internal.hpack.Blocks.section;
import static dev.weftline.internal.hpack.Blocks.sizeOf;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import com.sun.management.ThreadMXBean;
import dev.weftline.internal.http.Fields;
import io.netty.buffer.Unpooled;
import java.lang.management.ManagementFactory;
import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.Test;

/// Blocks made to hurt: only [HpackException] comes out of them, and memory stays bounded.
class HostileBlocksTest {
  private static final int FIELD_BYTES_MAX = 16 << 10;
  private static final long FUZZ_NANOS = 3_000_000_000L;

  private final ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
  private final HpackDecoder decoder = new HpackDecoder(4_096, FIELD_BYTES_MAX);

  /// RFC 7541 §7.3: one large field in the table, then one octet for each copy of it.
  @Test
  void anHpackBombIsCountedAndNotUnpacked() throws HpackException {
    var large = section("bomb", "b".repeat(4_000));
    var first = Unpooled.buffer().writeBytes(block("4004626f6d627fa11e"));
    first.writeBytes(large.get(0).valueOctets());
    assertThat(decoded(decoder, first)).isEqualTo(large);

    var octets = new byte[600_000];
    Arrays.fill(octets, (byte) 0xbe);
    var bomb = Unpooled.wrappedBuffer(octets);
    var fields = new Fields(8);
    long before = threads.getCurrentThreadAllocatedBytes();
    int size = decoder.decode(bomb, fields);
    long allocated = threads.getCurrentThreadAllocatedBytes() - before;

    assertThat(size).as("600,000 times 4,036 is more than an int").isEqualTo(Integer.MAX_VALUE);
    assertThat(fields.size()).isEqualTo(FIELD_BYTES_MAX / large.get(0).size());
    assertThat(allocated).isLessThan(16 << 10);
    // The connection is as good as before.
    assertThat(decoded(decoder, block("be"))).isEqualTo(large);
  }

  @Test
  void literalsPastTheLimitAreCountedAndNotKept() throws HpackException {
    var many = Unpooled.buffer();
    for (int i = 0; i < 1_000; i++) many.writeBytes(block("0f0d 03313233"));
    var fields = new Fields(8);
    assertThat(decoder.decode(many, fields)).isEqualTo(1_000 * (14 + 3 + 32));
    assertThat(sizeOf(fields)).isBetween(FIELD_BYTES_MAX - 49, FIELD_BYTES_MAX);
  }

  @Test
  void theTableIsRightAfterASectionOverTheLimit() throws HpackException {
    var strict = new HpackDecoder(4_096, 60);
    var fields = new Fields(8);
    // Two fields of 54 octets; the second goes to the table and not into the section.
    int size =
        strict.decode(block("400a637573746f6d2d6b65790c637573746f6d2d76616c7565 7e0161"), fields);
    assertThat(fields).isEqualTo(section("custom-key", "custom-value"));
    assertThat(size).isEqualTo(54 + 43);
    assertThat(decoded(strict, block("be"))).isEqualTo(section("custom-key", "a"));
    assertThat(decoded(strict, block("bf"))).isEqualTo(section("custom-key", "custom-value"));
  }

  /// RFC 7541 §4.4: also when the field is too large for section and table.
  @Test
  void aFieldThatFitsNowhereEmptiesTheTable() throws HpackException {
    var strict = new HpackDecoder(4_096, 60);
    assertThat(decoded(strict, block("3f19 4001610162 be")).size()).isEqualTo(1);
    var large =
        block("400a637573746f6d2d6b6579 1a 6162636465666768696a6b6c6d6e6f707172737475767778797a");
    assertThat(strict.decode(large, new Fields(1))).isEqualTo(68);
    assertThatExceptionOfType(HpackException.class).isThrownBy(() -> decoded(strict, block("be")));
  }

  @Test
  void garbageIsRefusedAndNothingElseHappens() {
    long seed = AnySections.seed();
    var random = new Random(seed);
    long end = System.nanoTime() + FUZZ_NANOS;
    int refused = 0;
    int accepted = 0;
    while (System.nanoTime() < end) {
      var sections = new AnySections(random);
      var encoder = new HpackEncoder(4_096);
      var victim = new HpackDecoder(4_096, FIELD_BYTES_MAX);
      for (int i = 0; i < 20; i++) {
        byte[] octets =
            random.nextInt(4) == 0 ? garbage(random) : mutated(encoder, sections, random);
        var fields = new Fields(8);
        var block = Unpooled.wrappedBuffer(octets);
        long before = threads.getCurrentThreadAllocatedBytes();
        long allocated;
        try {
          int size = victim.decode(block, fields);
          allocated = threads.getCurrentThreadAllocatedBytes() - before;
          accepted++;
          if (size <= FIELD_BYTES_MAX) {
            assertThat(sizeOf(fields)).as("seed %d", seed).isEqualTo(size);
          }
        } catch (HpackException e) {
          allocated = threads.getCurrentThreadAllocatedBytes() - before;
          assertThat(e).as("seed %d", seed).hasMessageStartingWith("RFC 7541 ");
          refused++;
        } catch (RuntimeException e) {
          throw new AssertionError("seed " + seed, e);
        }
        assertThat(sizeOf(fields)).as("seed %d", seed).isLessThanOrEqualTo(FIELD_BYTES_MAX);
        // A literal of three octets is a field of 120 bytes in memory.
        assertThat(allocated).as("seed %d", seed).isLessThan(64L * octets.length + (64 << 10));
      }
    }
    assertThat(refused).as("seed %d", seed).isPositive();
    assertThat(accepted).as("seed %d", seed).isPositive();
  }

  private static byte[] garbage(Random random) {
    var octets = new byte[random.nextInt(300)];
    random.nextBytes(octets);
    return octets;
  }

  private static byte[] mutated(HpackEncoder encoder, AnySections sections, Random random) {
    var block = encoded(encoder, sections.next());
    var octets = new byte[block.readableBytes()];
    block.readBytes(octets);
    if (octets.length == 0) return octets;
    int mutations = random.nextInt(3);
    for (int i = 0; i < mutations; i++) {
      int at = random.nextInt(octets.length);
      switch (random.nextInt(4)) {
        case 0 -> octets[at] = (byte) random.nextInt(256);
        case 1 -> octets[at] ^= (byte) (1 << random.nextInt(8));
        case 2 -> octets = Arrays.copyOf(octets, at + 1);
        default -> Arrays.fill(octets, at, octets.length, (byte) 0xff);
      }
    }
    return octets;
  }
}
