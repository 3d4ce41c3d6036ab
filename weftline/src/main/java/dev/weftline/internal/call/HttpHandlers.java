package dev.weftline.internal.call;

import dev.weftline.http.HttpHandler;
import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// Path → handler of plain HTTP. Filled while a server is built, not changed afterwards, so any
/// loop may look up.
public final class HttpHandlers {
  private final Map<String, HttpHandler> exact = new HashMap<>();
  private final Map<String, HttpHandler> below = new HashMap<>(); // by what stands before "/*"

  /// Registers a handler.
  ///
  /// @param path an exact one, or with `/*` at its end everything below what stands before
  /// @throws IllegalArgumentException for a path that no request has, or that has a handler already
  public void add(String path, HttpHandler handler) {
    boolean prefix = path.endsWith("/*");
    var fixed = prefix ? path.substring(0, path.length() - 2) : path;
    if (!path.startsWith("/")) {
      throw new IllegalArgumentException("a path begins with /: " + path);
    }
    for (int i = 0; i < fixed.length(); i++) {
      char c = fixed.charAt(i);
      if (c <= ' ' || c >= 0x7f || c == '*' || c == '?' || c == '#') {
        throw new IllegalArgumentException("not the path of a request, and no prefix: " + path);
      }
    }
    if ((prefix ? below : exact).putIfAbsent(fixed, handler) != null) {
      throw new IllegalArgumentException("two handlers of one path: " + path);
    }
  }

  /// The handler for a path without its query: the exact one, else that of the longest prefix.
  @Nullable HttpHandler find(String path) {
    var handler = exact.get(path);
    if (handler != null || below.isEmpty()) return handler;
    int longest = -1;
    for (var prefix : below.entrySet()) {
      int length = prefix.getKey().length();
      boolean fits =
          length > longest
              && path.startsWith(prefix.getKey())
              && (path.length() == length || path.charAt(length) == '/');
      if (!fits) continue;
      longest = length;
      handler = prefix.getValue();
    }
    return handler;
  }
}
