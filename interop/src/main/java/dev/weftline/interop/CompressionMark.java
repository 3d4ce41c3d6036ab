package dev.weftline.interop;

import com.google.protobuf.Message;
import com.google.protobuf.UnknownFieldSet;
import io.grpc.Codec;
import io.grpc.Decompressor;
import io.grpc.DecompressorRegistry;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.SequenceInputStream;

/// How a service learns whether a message came compressed. grpc-java does not tell; so our gzip
/// codec writes one more field behind each message it decompresses. No message of this server
/// declares that field, hence it ends up among the unknown ones, where we look for it. Nobody else
/// is disturbed: protobuf ignores fields it does not know.
final class CompressionMark {
  /// The last field number there is: no message in use declares it.
  private static final int FIELD = 536_870_911;

  private static final byte[] MARK =
      UnknownFieldSet.newBuilder()
          .addField(FIELD, UnknownFieldSet.Field.newBuilder().addVarint(1).build())
          .build()
          .toByteArray();

  private CompressionMark() {}

  /// What a server needs so that [#isOn(Message)] knows.
  static DecompressorRegistry decompressors() {
    return DecompressorRegistry.emptyInstance()
        .with(new MarkingGzip(), true)
        .with(Codec.Identity.NONE, false);
  }

  static boolean isOn(Message message) {
    return message.getUnknownFields().hasField(FIELD);
  }

  private static final class MarkingGzip implements Decompressor {
    private final Decompressor gzip = new Codec.Gzip();

    @Override
    public String getMessageEncoding() {
      return gzip.getMessageEncoding();
    }

    @Override
    public InputStream decompress(InputStream compressed) throws IOException {
      return new SequenceInputStream(gzip.decompress(compressed), new ByteArrayInputStream(MARK));
    }
  }
}
