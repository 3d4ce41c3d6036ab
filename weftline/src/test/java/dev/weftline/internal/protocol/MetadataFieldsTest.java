package dev.weftline.internal.protocol;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.weftline.internal.http.Fields;
import io.grpc.Metadata;
import io.grpc.StatusException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

final class MetadataFieldsTest {
  private static final Metadata.Key<String> TEXT =
      Metadata.Key.of("text", Metadata.ASCII_STRING_MARSHALLER);
  private static final Metadata.Key<byte[]> OCTETS =
      Metadata.Key.of("octets-bin", Metadata.BINARY_BYTE_MARSHALLER);

  @Test
  void pseudoFieldsAndHostStayOut() throws Exception {
    var fields =
        new Fields(4).add(":path", "/a/b").add("host", "h").add("text", "1").add("text", "2");
    var metadata = MetadataFields.metadata(fields);
    assertThat(metadata.keys()).containsExactly("text");
    assertThat(metadata.getAll(TEXT)).containsExactly("1", "2");
  }

  /// "Implementations MUST accept padded and un-padded values and should emit un-padded values."
  @ParameterizedTest
  @CsvSource({"aGVsbG8=, hello", "aGVsbG8, hello", "'', ''"})
  void binaryValuesPaddedOrNot(String base64, String value) throws Exception {
    var metadata = MetadataFields.metadata(new Fields(1).add("octets-bin", base64));
    assertThat(metadata.get(OCTETS)).isEqualTo(value.getBytes(UTF_8));
  }

  @Test
  void joinedBinaryValuesAreSeveral() throws Exception {
    var fields = new Fields(2).add("octets-bin", "YQ==,Yg, Yw").add("text", "after");
    var metadata = MetadataFields.metadata(fields);
    assertThat(metadata.getAll(OCTETS)).containsExactly(b("a"), b("b"), b("c"));
    assertThat(metadata.get(TEXT)).isEqualTo("after");
  }

  @Test
  void whatIsNotBase64IsASentenceWithTheName() {
    assertThatThrownBy(() -> MetadataFields.metadata(new Fields(1).add("octets-bin", "a!")))
        .isInstanceOf(StatusException.class)
        .hasMessageContaining("INTERNAL: metadata octets-bin is not base64");
  }

  @Test
  void metadataOutAndInAgainIsTheSame() throws Exception {
    var metadata = new Metadata();
    metadata.put(TEXT, "printable ~");
    metadata.put(OCTETS, new byte[] {0, -1, 127});
    metadata.put(OCTETS, b("two"));
    var fields = MetadataFields.addTo(new Fields(4), metadata);
    assertThat(fields.value("octets-bin")).isEqualTo("AP9/");
    var again = MetadataFields.metadata(fields);
    assertThat(again.get(TEXT)).isEqualTo("printable ~");
    assertThat(again.getAll(OCTETS)).containsExactly(new byte[] {0, -1, 127}, b("two"));
  }

  @Test
  void aServiceCannotSetWhatBelongsToTheProtocol() {
    var metadata = new Metadata();
    for (var name :
        new String[] {"grpc-status", "grpc-message", "content-type", "te", "grpc-encoding"}) {
      metadata.put(Metadata.Key.of(name, Metadata.ASCII_STRING_MARSHALLER), "x");
    }
    metadata.put(
        Metadata.Key.of("grpc-status-details-bin", Metadata.BINARY_BYTE_MARSHALLER), b("d"));
    var fields = MetadataFields.addTo(new Fields(4), metadata);
    assertThat(fields.size()).isEqualTo(1);
    assertThat(fields.get(0).name()).isEqualTo("grpc-status-details-bin");
  }

  private static byte[] b(String text) {
    return text.getBytes(UTF_8);
  }
}
