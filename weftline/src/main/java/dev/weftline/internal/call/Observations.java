package dev.weftline.internal.call;

import dev.weftline.CallObserver;
import dev.weftline.CallObserver.Observation;
import dev.weftline.CallObserver.Scope;
import dev.weftline.CallReport;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// What several observers see of one call, as one. An observer that throws is logged and left out.
record Observations(List<Observation> all) implements Observation {
  private static final Logger log = System.getLogger(CallObserver.class.getName());

  /// Begins the observations of `call`; null when nobody is interested.
  static @Nullable Observations of(InboundCall call) {
    List<Observation> begun = null;
    for (var observer : call.settings().observers()) {
      try {
        var observation = observer.begin(call);
        if (observation == null) continue;
        if (begun == null) begun = new ArrayList<>(1);
        begun.add(observation);
      } catch (Exception e) {
        failed(e);
      }
    }
    return begun == null ? null : new Observations(begun);
  }

  @Override
  public Scope enter() {
    var scopes = new ArrayList<Scope>(all.size());
    for (var observation : all) {
      try {
        scopes.add(observation.enter());
      } catch (Exception e) {
        failed(e);
      }
    }
    return () -> {
      for (var scope : scopes.reversed()) {
        try {
          scope.close();
        } catch (Exception e) {
          failed(e);
        }
      }
    };
  }

  @Override
  public void ended(CallReport report) {
    for (var observation : all) {
      try {
        observation.ended(report);
      } catch (Exception e) {
        failed(e);
      }
    }
  }

  /// Tells `observers` of a call that never began.
  static void refused(List<CallObserver> observers, CallReport report) {
    for (var observer : observers) {
      try {
        observer.refused(report);
      } catch (Exception e) {
        failed(e);
      }
    }
  }

  private static void failed(Exception e) {
    log.log(Level.WARNING, "an observer of calls failed", e);
  }
}
