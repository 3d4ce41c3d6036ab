package dev.weftline.server;

import java.util.Collection;
import java.util.Comparator;
import java.util.Locale;
import java.util.Optional;

/// The name that somebody may have meant who wrote another one.
final class NearestName {
  private NearestName() {}

  /// The known name with the fewest edits, whatever the case; the first of several equals. Empty
  /// when none is known.
  static Optional<String> to(String written, Collection<String> known) {
    var name = written.toLowerCase(Locale.ROOT);
    return known.stream()
        .min(Comparator.comparingInt(each -> edits(name, each.toLowerCase(Locale.ROOT))));
  }

  /// How many letters to insert, drop, change or swap (restricted Damerau-Levenshtein). By hand,
  /// because a library for fifteen lines would be one more jar on every class path.
  private static int edits(String a, String b) {
    var rows = new int[a.length() + 1][b.length() + 1];
    for (int i = 0; i <= a.length(); i++) {
      for (int j = 0; j <= b.length(); j++) {
        if (i == 0 || j == 0) {
          rows[i][j] = i + j;
          continue;
        }
        boolean same = a.charAt(i - 1) == b.charAt(j - 1);
        int least = Math.min(rows[i - 1][j], rows[i][j - 1]) + 1;
        least = Math.min(least, rows[i - 1][j - 1] + (same ? 0 : 1));
        boolean swapped =
            i > 1
                && j > 1
                && a.charAt(i - 1) == b.charAt(j - 2)
                && a.charAt(i - 2) == b.charAt(j - 1);
        if (swapped) least = Math.min(least, rows[i - 2][j - 2] + 1);
        rows[i][j] = least;
      }
    }
    return rows[a.length()][b.length()];
  }
}
