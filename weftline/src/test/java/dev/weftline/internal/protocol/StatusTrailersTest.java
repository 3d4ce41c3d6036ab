package dev.weftline.internal.protocol;

import static org.assertj.core.api.Assertions.assertThat;

import io.grpc.Metadata;
import io.grpc.Status;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

final class StatusTrailersTest {
  @Test
  void okWithoutMetadataIsOneConstant() {
    var trailers = StatusTrailers.of(Status.OK, new Metadata());
    assertThat(trailers.isConstant()).isTrue();
    assertThat(trailers).isSameAs(StatusTrailers.of(Status.OK, new Metadata()));
    assertThat(trailers.value("grpc-status")).isEqualTo("0");
  }

  /// Status-Message → Percent-Encoded.
  @ParameterizedTest
  @CsvSource(
      quoteCharacter = '"',
      textBlock =
          """
          plain text ~,   plain text ~
          100%,           100%25
          "a\tb",         a%09b
          ü,              %C3%BC
          😀,             %F0%9F%98%80
          " ends ",       %20ends%20
          """)
  void messages(String message, String encoded) {
    var trailers = StatusTrailers.of(Status.ABORTED.withDescription(message), new Metadata());
    assertThat(trailers.value("grpc-status")).isEqualTo("10");
    assertThat(trailers.value("grpc-message")).isEqualTo(encoded);
  }

  @Test
  void lineBreaksCannotSplitTheField() {
    var trailers = StatusTrailers.of(Status.ABORTED.withDescription("a\r\nb\0"), new Metadata());
    assertThat(trailers.value("grpc-message")).isEqualTo("a%0D%0Ab%00");
  }

  @Test
  void trailersOnlyStartsWithStatusAndContentType() {
    var section = StatusTrailers.trailersOnly(Status.DATA_LOSS, new Metadata());
    assertThat(section.get(0).toString()).isEqualTo(":status: 200");
    assertThat(section.value("content-type")).isEqualTo("application/grpc");
    assertThat(section.value("grpc-status")).isEqualTo("15");
    assertThat(section.value("grpc-message")).isNull();
  }
}
