package dev.weftline.benchmarks;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// Panels of lines over the same steps, as SVG: a picture that a README can show and a diff can
/// tell apart.
final class Chart {
  private static final int PANEL_WIDTH = 420;
  private static final int PANEL_HEIGHT = 250;
  private static final int LEFT = 70;
  private static final int TOP = 92;
  private static final int GAP_X = 90;
  private static final int GAP_Y = 88;

  /// Told apart also by those who see no colours: by the marks and the dashes.
  private static final List<String> COLOURS = List.of("#0b6e4f", "#c8553d", "#3d5a80", "#8a6d1f");

  private static final List<String> DASHES = List.of("", "7 4", "2 3", "9 3 2 3");

  /// @param log whether the y axis is logarithmic
  /// @param limit a goal, drawn across
  /// @param lines by name, a figure for each step; NaN where there is none
  record Panel(
      String title,
      String yLabel,
      boolean log,
      double min,
      double max,
      @Nullable Double limit,
      Map<String, double[]> lines) {}

  private final String title;
  private final String subtitle;
  private final String xLabel;
  private final List<String> steps;
  private final int columns;
  private final List<Panel> panels = new ArrayList<>();

  Chart(String title, String subtitle, String xLabel, List<String> steps, int columns) {
    this.title = title;
    this.subtitle = subtitle;
    this.xLabel = xLabel;
    this.steps = steps;
    this.columns = columns;
  }

  /// Fills the rows from the left.
  void add(Panel panel) {
    panels.add(panel);
  }

  String svg(List<String> legend) {
    int rows = Math.ceilDiv(panels.size(), columns);
    int width = LEFT + columns * PANEL_WIDTH + (columns - 1) * GAP_X + 30;
    int height = TOP + rows * (PANEL_HEIGHT + GAP_Y);
    var svg = new StringBuilder();
    svg.append(
        """
        <svg xmlns="http://www.w3.org/2000/svg" width="%d" height="%d" viewBox="0 0 %d %d" font-family="Helvetica, Arial, sans-serif" font-size="12" fill="#222">
        <rect width="100%%" height="100%%" fill="#fff"/>
        """
            .formatted(width, height, width, height));
    text(svg, LEFT, 26, "start", 17, title);
    text(svg, LEFT, 45, "start", 12, subtitle);
    int x = LEFT;
    for (int i = 0; i < legend.size(); i++) {
      svg.append(line(i, x, 62, x + 30, 62));
      mark(svg, i, x + 15, 62);
      text(svg, x + 36, 66, "start", 12, legend.get(i));
      x += 52 + 7 * legend.get(i).length();
    }
    for (int i = 0; i < panels.size(); i++) {
      int left = LEFT + i % columns * (PANEL_WIDTH + GAP_X);
      int top = TOP + 14 + i / columns * (PANEL_HEIGHT + GAP_Y);
      draw(svg, panels.get(i), left, top, legend);
    }
    return svg.append("</svg>\n").toString();
  }

  private void draw(StringBuilder svg, Panel panel, int left, int top, List<String> legend) {
    text(svg, left, top - 10, "start", 13, panel.title);
    for (double tick : ticks(panel)) {
      double y = y(panel, tick, top);
      svg.append(
          String.format(
              Locale.ROOT,
              "<line x1=\"%d\" y1=\"%.1f\" x2=\"%d\" y2=\"%.1f\" stroke=\"#ddd\"/>%n",
              left,
              y,
              left + PANEL_WIDTH,
              y));
      text(svg, left - 6, y + 4, "end", 11, label(tick));
    }
    for (int i = 0; i < steps.size(); i++) {
      text(svg, x(i, left), top + PANEL_HEIGHT + 16, "middle", 11, steps.get(i));
    }
    text(svg, left + PANEL_WIDTH / 2.0, top + PANEL_HEIGHT + 34, "middle", 12, xLabel);
    double middle = top + PANEL_HEIGHT / 2.0;
    svg.append(
        String.format(
            Locale.ROOT,
            "<text x=\"%d\" y=\"%.1f\" text-anchor=\"middle\" transform=\"rotate(-90 %d"
                + " %.1f)\">%s</text>%n",
            left - 48,
            middle,
            left - 48,
            middle,
            escaped(panel.yLabel)));
    svg.append(
        String.format(
            Locale.ROOT,
            "<path d=\"M%d %d V%d H%d\" fill=\"none\" stroke=\"#555\"/>%n",
            left,
            top,
            top + PANEL_HEIGHT,
            left + PANEL_WIDTH));
    var limit = panel.limit;
    if (limit != null) {
      double y = y(panel, limit, top);
      svg.append(
          String.format(
              Locale.ROOT,
              "<line x1=\"%d\" y1=\"%.1f\" x2=\"%d\" y2=\"%.1f\" stroke=\"#888\""
                  + " stroke-dasharray=\"3 3\"/>%n",
              left,
              y,
              left + PANEL_WIDTH,
              y));
      text(svg, left + PANEL_WIDTH, y - 4, "end", 11, "goal");
    }
    // The first is drawn last, so that it lies on top.
    for (int i = legend.size() - 1; i >= 0; i--) {
      var figures = panel.lines.get(legend.get(i));
      if (figures != null) {
        draw(svg, panel, i, figures, left, top);
      }
    }
  }

  private void draw(StringBuilder svg, Panel panel, int line, double[] figures, int left, int top) {
    for (int i = 0; i < figures.length; i++) {
      if (Double.isNaN(figures[i])) {
        continue;
      }
      double y = y(panel, figures[i], top);
      if (i + 1 < figures.length && !Double.isNaN(figures[i + 1])) {
        svg.append(line(line, x(i, left), y, x(i + 1, left), y(panel, figures[i + 1], top)));
      }
      mark(svg, line, x(i, left), y);
    }
  }

  private static String line(int line, double x1, double y1, double x2, double y2) {
    return String.format(
        Locale.ROOT,
        "<line x1=\"%.1f\" y1=\"%.1f\" x2=\"%.1f\" y2=\"%.1f\" stroke=\"%s\" stroke-width=\"2\""
            + " stroke-dasharray=\"%s\"/>%n",
        x1,
        y1,
        x2,
        y2,
        COLOURS.get(line),
        DASHES.get(line));
  }

  private static void mark(StringBuilder svg, int line, double x, double y) {
    var shape =
        switch (line) {
          case 0 -> String.format(Locale.ROOT, "<circle cx=\"%.1f\" cy=\"%.1f\" r=\"4\"", x, y);
          case 1 ->
              String.format(
                  Locale.ROOT,
                  "<rect x=\"%.1f\" y=\"%.1f\" width=\"7\" height=\"7\"",
                  x - 3.5,
                  y - 3.5);
          case 2 -> String.format(Locale.ROOT, "<path d=\"M%.1f %.1f l5 9 h-10 z\"", x, y - 5);
          default ->
              String.format(Locale.ROOT, "<path d=\"M%.1f %.1f l5 5 l-5 5 l-5 -5 z\"", x, y - 5);
        };
    svg.append(shape).append(String.format(Locale.ROOT, " fill=\"%s\"/>%n", COLOURS.get(line)));
  }

  private double x(int step, int left) {
    return left + PANEL_WIDTH * (step + 0.5) / steps.size();
  }

  private static double y(Panel panel, double figure, int top) {
    double at = Math.clamp(figure, panel.min, panel.max);
    double part =
        panel.log
            ? Math.log(at / panel.min) / Math.log(panel.max / panel.min)
            : (at - panel.min) / (panel.max - panel.min);
    return top + PANEL_HEIGHT * (1 - part);
  }

  private static List<Double> ticks(Panel panel) {
    var ticks = new ArrayList<Double>();
    if (panel.log) {
      for (double tick = panel.min; tick <= panel.max * 1.001; tick *= 10) {
        ticks.add(tick);
      }
    } else {
      double step = (panel.max - panel.min) / 6;
      for (int i = 0; i <= 6; i++) {
        ticks.add(panel.min + i * step);
      }
    }
    return ticks;
  }

  private static String label(double tick) {
    return tick == Math.rint(tick)
        ? String.format(Locale.ROOT, "%,.0f", tick)
        : String.format(Locale.ROOT, "%s", tick);
  }

  private static void text(
      StringBuilder svg, double x, double y, String anchor, int size, String text) {
    svg.append(
        String.format(
            Locale.ROOT,
            "<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"%s\" font-size=\"%d\">%s</text>%n",
            x,
            y,
            anchor,
            size,
            escaped(text)));
  }

  private static String escaped(String text) {
    return text.replace("&", "&amp;").replace("<", "&lt;");
  }
}
