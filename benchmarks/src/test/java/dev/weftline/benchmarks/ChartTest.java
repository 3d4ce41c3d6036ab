package dev.weftline.benchmarks;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayInputStream;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import javax.xml.parsers.DocumentBuilderFactory;
import org.junit.jupiter.api.Test;

/// The picture of the overload scenario.
class ChartTest {
  @Test
  void aChartIsWellFormedAndNamesItsLines() throws Exception {
    var chart = new Chart("A & B", "less < more", "load", List.of("1×", "10×"), 1);
    chart.add(
        new Chart.Panel(
            "latency", "ms", true, 1, 1_000, 100.0, Map.of("ours", new double[] {5, Double.NaN})));
    var svg = chart.svg(List.of("ours", "theirs"));
    var document =
        DocumentBuilderFactory.newInstance()
            .newDocumentBuilder()
            .parse(new ByteArrayInputStream(svg.getBytes(StandardCharsets.UTF_8)));
    assertThat(document.getDocumentElement().getTextContent())
        .contains("A & B", "less < more", "latency", "ours", "theirs", "10×", "1,000");
    assertThat(svg).doesNotContain("NaN");
  }
}
