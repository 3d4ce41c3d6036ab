package dev.weftline.server;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// When operators hear of a certificate that ends.
final class ExpiryTest {
  private static final Instant END = Instant.parse("2027-01-01T00:00:00Z");

  private static Expiry living(Duration lifetime) {
    return new Expiry(END.minus(lifetime), END);
  }

  private static List<Duration> warnings(Expiry expiry) {
    var warnings = new ArrayList<Duration>();
    for (var at = expiry.firstWarning(expiry.notBefore());
        !at.isAfter(END.plus(Duration.ofDays(2)));
        at = expiry.warningAfter(at)) {
      warnings.add(Duration.between(at, END));
    }
    return warnings;
  }

  @ParameterizedTest
  @CsvSource(
      textBlock =
          """
          # lifetime, time left at each warning; then every day
          P365D,      P30D,   P7D,   P1D
          P90D,       PT540H, P7D,   P1D
          P28D,       P7D,    PT84H, P1D
          PT24H,      PT6H,   PT3H,  PT2H
          PT60M,      PT15M,  PT7M30S, PT5M
          """)
  void warningsComeEarlierTheLongerACertificateLives(
      Duration lifetime, Duration first, Duration second, Duration third) {
    assertThat(warnings(living(lifetime)))
        .containsExactlyElementsOf(
            Stream.of(first, second, third, Duration.ZERO, Duration.ofDays(-1), Duration.ofDays(-2))
                .toList());
  }

  @Test
  void aCertificateIsValidFromItsFirstInstantToItsLast() {
    var expiry = living(Duration.ofDays(90));
    assertThat(expiry.isValid(expiry.notBefore())).isTrue();
    assertThat(expiry.isValid(END)).isTrue();
    assertThat(expiry.isValid(expiry.notBefore().minusSeconds(1))).isFalse();
    assertThat(expiry.isValid(END.plusSeconds(1))).isFalse();
  }
}
