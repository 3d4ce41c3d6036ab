package dev.weftline.benchmarks;

import static org.assertj.core.api.Assertions.assertThat;

import dev.weftline.benchmarks.peer.Peer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// What is told of the figures.
class ReportTest {
  private static final Sample CHEAP = new Sample(100_000, 90, 400, 2.28, 1_500);
  private static final Sample DEAR = new Sample(20_000, 900, 9_000, 12.0, 8_000);

  @Test
  void aPeersRatioIsOurCostOverIts() {
    var report = new Report();
    report.load(
        Scenario.UNARY_8X16, Map.of(Peer.WEFTLINE, CHEAP, Peer.GRPC_JAVA_VIRTUAL, DEAR), Map.of());
    assertThat(report.markdown())
        .containsPattern("grpc-java, virtual threads \\| +20,000 .* 12\\.00 .* 0\\.19 \\|")
        .contains("met: unary 10 B, 8 × 16: 0.19 of grpc-java, virtual threads, at most 0.20");
  }

  @Test
  void aMissedGoalIsSaid() {
    var report = new Report();
    report.load(
        Scenario.UNARY_8X16,
        Map.of(Peer.WEFTLINE, DEAR, Peer.GRPC_JAVA_VIRTUAL, DEAR, Peer.VERTX, CHEAP),
        Map.of());
    assertThat(report.markdown())
        .contains("MISSED: unary 10 B, 8 × 16: 1.00 of grpc-java, virtual threads, at most 0.20")
        .contains("MISSED: unary 10 B, 8 × 16: 5.26 of Vert.x, own API, at most 0.40");
  }

  @Test
  void theBestIsTheCheapestServerThatIsNotOursAndServesCalls() {
    var report = new Report();
    report.load(
        Scenario.UNARY_8X16,
        Map.of(
            Peer.WEFTLINE, CHEAP,
            Peer.WEFTLINE_GRPC_JAVA, CHEAP,
            Peer.FLOOR, CHEAP,
            Peer.ARMERIA, DEAR),
        Map.of());
    assertThat(report.markdown())
        .contains("met: unary 10 B, 8 × 16: 0.19 of Armeria, at most 0.40")
        .contains("met: unary 10 B, 8 × 16: 1.00 of floor: frames echoed, no gRPC, at most 2.50")
        .doesNotContain("of Weftline");
  }

  @Test
  void whereNoGoalIsSetNobodyIsToBeCheaper() {
    var report = new Report();
    report.load(Scenario.UNARY_1X1, Map.of(Peer.WEFTLINE, CHEAP, Peer.ARMERIA, DEAR), Map.of());
    assertThat(report.markdown()).contains("met: unary 10 B, 1 × 1: 0.19 of Armeria, at most 1.00");
  }

  @Test
  void grpcJavaServicesHaveGoalsOfTheirOwn() {
    var report = new Report();
    report.load(
        Scenario.UNARY_8X16,
        Map.of(Peer.WEFTLINE_GRPC_JAVA, CHEAP, Peer.GRPC_JAVA_VIRTUAL, DEAR),
        Map.of());
    assertThat(report.markdown())
        .contains(
            "met: unary 10 B, 8 × 16, Weftline, grpc-java services:"
                + " 0.19 of grpc-java, virtual threads, at most 0.30");
  }

  @Test
  void aPeerThatFailedStaysInTheTable() {
    var report = new Report();
    report.load(Scenario.UNARY_8X16, Map.of(), Map.of(Peer.HELIDON, "17 bytes instead of 18"));
    assertThat(report.markdown())
        .contains("| Helidon (failed, see below)")
        .contains("- Helidon: 17 bytes instead of 18");
  }

  @Test
  void writingReplacesTheLastRunAndNothingElse(@TempDir Path directory) throws IOException {
    var file = directory.resolve("benchmarks.md");
    for (var figures : List.of("first run", "second run")) {
      var report = new Report();
      report.line(figures);
      report.write(file);
      if (figures.startsWith("first")) {
        Files.writeString(file, "by hand\n" + Files.readString(file) + "by hand too\n");
      }
    }
    assertThat(file)
        .content()
        .startsWith("by hand\n")
        .endsWith("by hand too\n")
        .contains("second run")
        .doesNotContain("first run");
  }

  @Test
  void theMiddleOfTheRoundsIsReported() {
    assertThat(Sample.middle(3, 1, 2)).isEqualTo(2);
    assertThat(Sample.middle(4, 1, 2, 3)).isEqualTo(2.5);
  }
}
