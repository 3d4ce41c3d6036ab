package dev.weftline.internal.protocol;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// W3C Trace Context, §3.2.
final class TraceParentTest {
  private static final String TRACE = "4bf92f3577b34da6a3ce929d0e0e4736";
  private static final String PARENT = "00f067aa0ba902b7";

  @Test
  void aTraceIdIsFound() {
    assertThat(TraceParent.traceId("00-" + TRACE + "-" + PARENT + "-01")).isEqualTo(TRACE);
  }

  /// §3.2.4: of a later version the known part counts.
  @Test
  void laterVersionsMayBeLonger() {
    assertThat(TraceParent.traceId("01-" + TRACE + "-" + PARENT + "-01-more")).isEqualTo(TRACE);
    assertThat(TraceParent.traceId("cc-" + TRACE + "-" + PARENT + "-01")).isEqualTo(TRACE);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "00",
        "00-" + TRACE + "-" + PARENT,
        "00-" + TRACE + "-" + PARENT + "-01-more",
        "01-" + TRACE + "-" + PARENT + "-01more",
        "ff-" + TRACE + "-" + PARENT + "-01",
        "0x-" + TRACE + "-" + PARENT + "-01",
        "00-00000000000000000000000000000000-" + PARENT + "-01",
        "00-" + TRACE + "-0000000000000000-01",
        "00-4BF92F3577B34DA6A3CE929D0E0E4736-" + PARENT + "-01",
        "00_" + TRACE + "-" + PARENT + "-01",
        "00-" + TRACE + "-" + PARENT + "-0g",
      })
  void whatIsMalformedIsIgnored(String field) {
    assertThat(TraceParent.traceId(field)).isNull();
  }

  @Test
  void noFieldIsNoTrace() {
    assertThat(TraceParent.traceId(null)).isNull();
  }
}
