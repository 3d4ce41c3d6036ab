package dev.weftline.internal.thread;

import dev.weftline.Placement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/// The placements of all methods of one server. Any thread.
public final class Placements {
  /// Methods that come while the server runs have names that a registry may make up as it likes;
  /// more than so many share one placement.
  static final int METHODS_MAX = 10_000;

  /// What methods beyond those are called.
  public static final String OTHERS = "(other methods)";

  private final Placement unlessSaid;
  private final boolean loopsCarry;
  private final long budgetNanos;
  private final Map<String, MethodPlacement> methods = new LinkedHashMap<>(); // guarded by this

  /// @param unlessSaid for methods that are [Placement#ADAPTIVE]
  /// @param budget what a run may take on a loop
  public Placements(Placement unlessSaid, Duration budget) {
    this(unlessSaid, budget, VirtualThreads.areSchedulable());
  }

  Placements(Placement unlessSaid, Duration budget, boolean loopsCarry) {
    this.unlessSaid = unlessSaid;
    this.loopsCarry = loopsCarry;
    this.budgetNanos = budget.toNanos();
  }

  /// That of a method, the same one each time; what was asked first counts.
  ///
  /// @param method its full name, such as `helloworld.Greeter/SayHello`
  public synchronized MethodPlacement of(String method, Placement asked) {
    var known = methods.get(method);
    if (known != null) return known;
    var name = methods.size() < METHODS_MAX ? method : OTHERS;
    return methods.computeIfAbsent(name, _ -> placement(name, asked));
  }

  private MethodPlacement placement(String method, Placement asked) {
    var placement = asked == Placement.ADAPTIVE ? unlessSaid : asked;
    return new MethodPlacement(method, placement, loopsCarry, budgetNanos, System::nanoTime);
  }

  /// Refuses what this JVM cannot do.
  ///
  /// @throws IllegalStateException with a sentence, when a method is fixed on loops that cannot
  ///   carry it
  public void requireCarriers() {
    if (loopsCarry) return;
    for (var method : all()) {
      if (method.placement() != Placement.LOOP) continue;
      throw new IllegalStateException(
          method.method()
              + " is fixed on the event loops (Placement.LOOP), which cannot carry it here: start"
              + " the JVM with "
              + VirtualThreads.FLAG
              + ", or leave the method ADAPTIVE");
    }
  }

  /// How often calls of a method held their loop for too long, by its name; those that never did
  /// are left out.
  public Map<String, Long> stalls() {
    var counts = new TreeMap<String, Long>();
    for (var method : all()) {
      long stalls = method.stalls();
      if (stalls > 0) counts.put(method.method(), stalls);
    }
    return counts;
  }

  /// In the order in which the methods came.
  public List<MethodPlacement> all() {
    Collection<MethodPlacement> known;
    synchronized (this) {
      known = new ArrayList<>(methods.values());
    }
    return List.copyOf(known);
  }
}
