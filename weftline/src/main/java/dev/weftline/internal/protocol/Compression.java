package dev.weftline.internal.protocol;

import dev.weftline.internal.http.Field;
import io.grpc.Compressor;
import io.grpc.CompressorRegistry;
import io.grpc.Decompressor;
import io.grpc.DecompressorRegistry;
import io.grpc.InternalDecompressorRegistry;
import io.grpc.Status;
import io.grpc.StatusException;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/// The message encodings a server speaks, in both directions (gRPC compression). Codecs are foreign
/// code: they run on call threads only.
public final class Compression {
  private static final Field ENCODING = Field.of("grpc-encoding", "identity");

  /// gRPC compression: a message is flagged compressed, and grpc-encoding is missing or identity.
  public static final Status NOT_NEGOTIATED =
      Status.INTERNAL.withDescription(
          "message is flagged compressed, but grpc-encoding names no compression");

  private static final int CHUNK_BYTES = 8 << 10;

  private final DecompressorRegistry decompressors;
  private final CompressorRegistry compressors;
  private final @Nullable Field acceptEncoding; // null when nothing is advertised

  public Compression(DecompressorRegistry decompressors, CompressorRegistry compressors) {
    this.decompressors = decompressors;
    this.compressors = compressors;
    var advertised = InternalDecompressorRegistry.getRawAdvertisedMessageEncodings(decompressors);
    this.acceptEncoding =
        advertised.length == 0
            ? null
            : Field.of("grpc-accept-encoding", new String(advertised, StandardCharsets.US_ASCII));
  }

  /// The grpc-accept-encoding field of every response, if there is one.
  public Field[] advertised() {
    return acceptEncoding == null ? new Field[0] : new Field[] {acceptEncoding};
  }

  /// The codec for the request's grpc-encoding; null when we do not know it.
  public @Nullable Decompressor decompressor(String encoding) {
    return decompressors.lookupDecompressor(encoding);
  }

  public @Nullable Compressor compressor(String encoding) {
    return compressors.lookupCompressor(encoding);
  }

  public static Field encodingField(Compressor compressor) {
    return ENCODING.withValue(compressor.getMessageEncoding());
  }

  /// Whether the peer's grpc-accept-encoding names `encoding`.
  public static boolean accepts(@Nullable String acceptEncoding, String encoding) {
    if (acceptEncoding == null) return false;
    int start = 0;
    while (start <= acceptEncoding.length()) {
      int comma = acceptEncoding.indexOf(',', start);
      int end = comma < 0 ? acceptEncoding.length() : comma;
      if (acceptEncoding.substring(start, end).strip().equals(encoding)) return true;
      start = end + 1;
    }
    return false;
  }

  /// The octets of a compressed message. The limit holds for what comes out, and is applied while
  /// it comes: a bomb costs no more than one message.
  ///
  /// @throws StatusException RESOURCE_EXHAUSTED past the limit, INTERNAL when the data is corrupt
  public static byte[] decompress(
      String method, Decompressor decompressor, byte[] compressed, int messageBytesMax)
      throws StatusException {
    var bytes = new byte[Math.min(messageBytesMax, Math.max(CHUNK_BYTES, 2 * compressed.length))];
    int size = 0;
    try (var in = decompressor.decompress(new ByteArrayInputStream(compressed))) {
      for (; ; ) {
        if (size == bytes.length) {
          int next = in.read();
          if (next < 0) break;
          if (size == messageBytesMax) {
            throw Envelope.tooLarge(method, "more than " + size, messageBytesMax).asException();
          }
          long doubled = 2L * Math.max(bytes.length, CHUNK_BYTES);
          bytes = Arrays.copyOf(bytes, (int) Math.min(messageBytesMax, doubled));
          bytes[size++] = (byte) next;
          continue;
        }
        int n = in.read(bytes, size, bytes.length - size);
        if (n < 0) break;
        size += n;
      }
    } catch (IOException | RuntimeException e) {
      throw Status.INTERNAL
          .withDescription("message cannot be decompressed: " + e.getMessage())
          .withCause(e)
          .asException();
    }
    return size == bytes.length ? bytes : Arrays.copyOf(bytes, size);
  }

  /// A message with its prefix, compressed.
  public static byte[] compress(Compressor compressor, byte[] framed) throws IOException {
    var out = new ByteArrayOutputStream(Math.max(64, framed.length / 2));
    out.write(framed, 0, Envelope.PREFIX_BYTES); // room for the prefix, written below
    try (var compressed = compressor.compress(out)) {
      compressed.write(framed, Envelope.PREFIX_BYTES, framed.length - Envelope.PREFIX_BYTES);
    }
    return Envelope.prefix(out.toByteArray(), true);
  }
}
