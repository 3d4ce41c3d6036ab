package dev.weftline.internal.call;

import dev.weftline.http.HttpHandler;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;

/// Path → handler of plain HTTP, and what its requests may cost. Filled while a server is built,
/// not changed afterwards, so any loop may look up.
public final class HttpHandlers {
  /// What all requests under way may hold of content: 64 that are as long as a request may be by
  /// default, so that many streams at once do not take the heap.
  private static final long ALL_CONTENT_BYTES_MAX = 64 << 20;

  private final Map<String, HttpHandler> exact = new HashMap<>();
  private final Map<String, HttpHandler> below = new HashMap<>(); // by what stands before "/*"
  private final AtomicLong contentBytes = new AtomicLong(); // of all requests under way
  private int contentBytesMax = 1 << 20;
  private Duration timeout = Duration.ofSeconds(30);

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

  /// Bounds the content of one request.
  public void limitContent(int bytes) {
    if (bytes < 0) throw new IllegalArgumentException("httpContentBytesMax: " + bytes);
    contentBytesMax = bytes;
  }

  /// Bounds one request from its fields to the last octet of its response.
  public void limitTime(Duration time) {
    if (!time.isPositive() || time.compareTo(Duration.ofDays(1)) > 0) {
      throw new IllegalArgumentException("httpTimeout: " + time);
    }
    timeout = time;
  }

  int contentBytesMax() {
    return contentBytesMax;
  }

  Duration timeout() {
    return timeout;
  }

  /// Counts so much more content; false, and nothing counted, when there is too much already.
  boolean reserve(int bytes) {
    long max = Math.max(ALL_CONTENT_BYTES_MAX, contentBytesMax);
    if (contentBytes.addAndGet(bytes) <= max) return true;
    contentBytes.addAndGet(-bytes);
    return false;
  }

  void release(int bytes) {
    contentBytes.addAndGet(-bytes);
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
