package dev.weftline.internal.protocol;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.grpc.Codec;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.util.Arrays;
import java.util.zip.GZIPOutputStream;
import org.junit.jupiter.api.Test;

final class CompressionTest {
  private static final String METHOD = "pkg.Service/Method";
  private static final int LIMIT = 100_000;

  private static byte[] decompress(byte[] bytes) throws Exception {
    return Compression.decompress(METHOD, new Codec.Gzip(), bytes, LIMIT);
  }

  @Test
  void gzipThereAndBack() throws Exception {
    for (int size : new int[] {0, 1, 5_000, LIMIT - 1, LIMIT}) {
      var framed = new byte[Envelope.PREFIX_BYTES + size];
      Arrays.fill(framed, (byte) 'x');
      var compressed = Compression.compress(new Codec.Gzip(), Envelope.prefix(framed, false));
      assertThat(compressed[0]).isEqualTo((byte) 1);
      var body = Arrays.copyOfRange(compressed, Envelope.PREFIX_BYTES, compressed.length);
      assertThat(decompress(body))
          .hasSize(size)
          .containsOnly(size == 0 ? new byte[0] : new byte[] {'x'});
    }
  }

  /// A gzip bomb: the limit holds for what comes out.
  @Test
  void whatDecompressesPastTheLimitIsResourceExhausted() throws Exception {
    var bomb = gzip(new byte[50 << 20]);
    assertThat(bomb.length).isLessThan(LIMIT);
    assertThatThrownBy(() -> decompress(bomb))
        .hasMessageContaining("RESOURCE_EXHAUSTED: " + METHOD)
        .hasMessageContaining("more than " + LIMIT);
  }

  @Test
  void corruptDataIsInternal() throws Exception {
    var corrupt = gzip(new byte[1_000]);
    corrupt[12] ^= 0x55;
    assertThatThrownBy(() -> decompress(corrupt)).hasMessageContaining("INTERNAL");
    assertThatThrownBy(() -> decompress(new byte[] {1, 2, 3})).hasMessageContaining("INTERNAL");
    assertThatThrownBy(() -> decompress(Arrays.copyOf(gzip(new byte[1_000]), 15)))
        .hasMessageContaining("INTERNAL");
  }

  @Test
  void acceptedEncodingsAreAList() {
    assertThat(Compression.accepts("identity, gzip", "gzip")).isTrue();
    assertThat(Compression.accepts("gzip", "gzip")).isTrue();
    assertThat(Compression.accepts("identity,deflate", "gzip")).isFalse();
    assertThat(Compression.accepts(null, "gzip")).isFalse();
  }

  private static byte[] gzip(byte[] bytes) throws IOException {
    var out = new ByteArrayOutputStream();
    try (var gzip = new GZIPOutputStream(out)) {
      gzip.write(bytes);
    }
    return out.toByteArray();
  }
}
