package dev.weftline.server;

import java.util.Collection;
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
    return NearestName.to(name, candidates(name))
        .map(nearest -> "; did you mean " + nearest + "?")
        .orElse("");
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
}
