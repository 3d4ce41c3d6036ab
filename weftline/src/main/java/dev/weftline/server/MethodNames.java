package dev.weftline.server;

import java.util.Collection;
import java.util.Locale;
import java.util.TreeSet;

/// The methods of a server, as guards name them: `package.Service/Method`, `package.Service/*`,
/// `package.*`, or `*`.
record MethodNames(Collection<String> served) {
  /// Whether `name` is a name of that kind at all.
  ///
  /// @throws IllegalArgumentException with a sentence when it is not
  static String require(String name) {
    int slash = name.indexOf('/');
    boolean many = name.equals("*") || name.endsWith("/*") || (slash < 0 && name.endsWith(".*"));
    int star = name.indexOf('*');
    boolean starElsewhere = star >= 0 && !(many && star == name.length() - 1);
    boolean one = slash > 0 && slash == name.lastIndexOf('/') && slash < name.length() - 1;
    if ((many || one) && !starElsewhere && slash != 0) return name;
    throw new IllegalArgumentException(
        "\"%s\" names no method: write package.Service/Method, package.Service/*, package.* or *"
            .formatted(name));
  }

  /// Whether `name` stands for `method`, which is `package.Service/Method`.
  static boolean matches(String name, String method) {
    return name.endsWith("*")
        ? method.regionMatches(0, name, 0, name.length() - 1)
        : name.equals(method);
  }

  /// @throws IllegalArgumentException with the nearest name, when the server has no such method
  void requireServed(String name) {
    require(name);
    for (var method : served) {
      if (matches(name, method)) return;
    }
    throw new IllegalArgumentException(
        "a guard names %s, which this server does not have%s".formatted(name, suggestion(name)));
  }

  private String suggestion(String name) {
    String nearest = null;
    int least = Integer.MAX_VALUE;
    for (var candidate : candidates(name)) {
      int edits = edits(name.toLowerCase(Locale.ROOT), candidate.toLowerCase(Locale.ROOT));
      if (edits < least) {
        nearest = candidate;
        least = edits;
      }
    }
    return nearest == null ? "" : "; did you mean " + nearest + "?";
  }

  /// Names of the kind that was meant. In alphabetical order, so that the first of several equals
  /// is always the same.
  private Collection<String> candidates(String name) {
    if (!name.endsWith("*")) return new TreeSet<>(served);
    var all = new TreeSet<String>();
    for (var method : served) {
      var service = method.substring(0, method.lastIndexOf('/'));
      int dot = service.lastIndexOf('.');
      if (name.endsWith("/*")) all.add(service + "/*");
      else if (dot > 0) all.add(service.substring(0, dot) + ".*");
    }
    return all;
  }

  /// How many characters must be put in, taken out or changed (Levenshtein's distance).
  private static int edits(String from, String to) {
    var row = new int[to.length() + 1];
    for (int j = 0; j < row.length; j++) row[j] = j;
    for (int i = 1; i <= from.length(); i++) {
      int diagonal = row[0];
      row[0] = i;
      for (int j = 1; j < row.length; j++) {
        int changed = diagonal + (from.charAt(i - 1) == to.charAt(j - 1) ? 0 : 1);
        diagonal = row[j];
        row[j] = Math.min(changed, 1 + Math.min(row[j], row[j - 1]));
      }
    }
    return row[to.length()];
  }
}
