package dev.weftline.internal.admission;

import java.util.Map;

/// What a server was told about admission.
///
/// @param adaptive whether the limits of unary methods are found by measuring, where none is set
/// @param deadlines whether calls that cannot finish in time are turned away
/// @param limits calls under way at once, by method (`pkg.Service/Method`) or service
///   (`pkg.Service`)
/// @param priorities who takes free places first, the higher number, by method or service; 0 unless
///   said
/// @param callsMax calls under way at once in the whole server; 0 for any number
/// @param queueWaitNanos how long a call may wait for a place
public record AdmissionRules(
    boolean adaptive,
    boolean deadlines,
    Map<String, Integer> limits,
    Map<String, Integer> priorities,
    int callsMax,
    long queueWaitNanos) {
  public AdmissionRules {
    limits = Map.copyOf(limits);
    priorities = Map.copyOf(priorities);
  }

  /// What is said of the method, or of its service, or `otherwise`.
  static int of(Map<String, Integer> said, String method, int otherwise) {
    var own = said.get(method);
    if (own != null) return own;
    int end = method.lastIndexOf('/');
    return end < 0 ? otherwise : said.getOrDefault(method.substring(0, end), otherwise);
  }
}
