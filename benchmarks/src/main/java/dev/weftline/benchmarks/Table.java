package dev.weftline.benchmarks;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/// A table that reads as well in a terminal as it does as Markdown.
final class Table {
  private final String title;
  private final List<List<String>> rows = new ArrayList<>();

  Table(String title, String... header) {
    this.title = title;
    rows.add(List.of(header));
  }

  void row(String... cells) {
    if (cells.length != rows.getFirst().size()) {
      throw new IllegalArgumentException(cells.length + " cells");
    }
    rows.add(List.of(cells));
  }

  /// A row without figures.
  void failed(String name) {
    var cells = new String[rows.getFirst().size()];
    Arrays.fill(cells, "–");
    cells[0] = name + " (failed, see below)";
    row(cells);
  }

  boolean isEmpty() {
    return rows.size() == 1;
  }

  String markdown() {
    var text = new StringBuilder("### ").append(title).append("\n\n");
    int columns = rows.getFirst().size();
    int[] widths = new int[columns];
    for (var row : rows) {
      for (int i = 0; i < columns; i++) {
        widths[i] = Math.max(widths[i], row.get(i).length());
      }
    }
    for (int r = 0; r < rows.size(); r++) {
      for (int i = 0; i < columns; i++) {
        String cell = rows.get(r).get(i);
        String blank = " ".repeat(widths[i] - cell.length());
        text.append("| ").append(i == 0 ? cell + blank : blank + cell).append(' ');
      }
      text.append("|\n");
      if (r == 0) {
        for (int i = 0; i < columns; i++) {
          text.append(i == 0 ? "|:" : "|-")
              .append("-".repeat(widths[i]))
              .append(i == 0 ? "-" : ":");
        }
        text.append("|\n");
      }
    }
    return text.append('\n').toString();
  }
}
