package dev.weftline.internal.admission;

import dev.weftline.internal.http.ByteBudget;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/// The admission of one server: that of each of its methods, and the limit they share. Any thread.
public final class Admission {
  /// Methods that come while the server runs have names that a registry may make up as it likes;
  /// more than so many share one admission.
  static final int METHODS_MAX = 10_000;

  private static final String OTHERS = "(other methods)";

  /// Served whatever happens: who watches a server must hear from it most of all when it is
  /// saturated.
  private static final List<String> EXEMPT =
      List.of("grpc.health.v1.", "grpc.reflection.", "grpc.channelz.");

  private final AdmissionRules rules;
  private final ByteBudget budget;
  private final int cores;
  private final LongSupplier clock;
  private final Map<String, MethodAdmission> methods = new ConcurrentHashMap<>();
  private final List<MethodAdmission> byPriority = new CopyOnWriteArrayList<>();

  // Of the whole server, where that has a limit.
  private final AtomicInteger underWay = new AtomicInteger();
  private final AtomicInteger waiting = new AtomicInteger();

  /// @param budget what the server may hold for its clients
  public Admission(AdmissionRules rules, ByteBudget budget) {
    this(rules, budget, Runtime.getRuntime().availableProcessors(), System::nanoTime);
  }

  Admission(AdmissionRules rules, ByteBudget budget, int cores, LongSupplier clock) {
    this.rules = rules;
    this.budget = budget;
    this.cores = cores;
    this.clock = clock;
  }

  /// That of a method, the same one each time; null for those that are served outside of every
  /// limit: health, reflection, channelz.
  ///
  /// @param unary whether its calls last as long as the server needs for them; the length of a
  ///   stream is the client's business, so streams have fixed limits only
  public @Nullable MethodAdmission of(String method, boolean unary) {
    for (var exempt : EXEMPT) {
      if (method.startsWith(exempt)) return null;
    }
    var known = methods.get(method);
    return known != null ? known : add(method, unary);
  }

  private synchronized MethodAdmission add(String method, boolean unary) {
    var name = methods.size() < METHODS_MAX ? method : OTHERS;
    return methods.computeIfAbsent(
        name,
        _ -> {
          var added = new MethodAdmission(this, name, unary, rules, cores, clock);
          byPriority.add(added);
          byPriority.sort(Comparator.comparingInt(MethodAdmission::priority).reversed());
          return added;
        });
  }

  /// All methods that calls may be refused for, by name.
  public List<MethodAdmission> all() {
    var all = new ArrayList<>(methods.values());
    all.sort(Comparator.comparing(MethodAdmission::method));
    return all;
  }

  public ByteBudget budget() {
    return budget;
  }

  // ---- The limit that all share.

  boolean isShared() {
    return rules.callsMax() > 0;
  }

  int callsMax() {
    return rules.callsMax();
  }

  boolean isFull() {
    return isShared() && underWay.get() >= rules.callsMax();
  }

  boolean tryTake() {
    if (!isShared()) return true;
    int now;
    do {
      now = underWay.get();
      if (now >= rules.callsMax()) return false;
    } while (!underWay.compareAndSet(now, now + 1));
    return true;
  }

  void giveBack() {
    if (isShared()) underWay.decrementAndGet();
  }

  void waitsFor(int calls) {
    if (isShared()) waiting.addAndGet(calls);
  }

  /// A place came free: it goes to the method with the highest priority that has a call waiting.
  void freed() {
    if (!isShared() || waiting.get() == 0) return;
    for (var method : byPriority) method.letIn();
  }
}
