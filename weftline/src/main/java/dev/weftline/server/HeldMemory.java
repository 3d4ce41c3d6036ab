package dev.weftline.server;

import dev.weftline.internal.http.ByteBudget;

/// What a server holds for its clients, in octets: replies that they have not read, requests that
/// were not taken or have not come whole. A snapshot, for dashboards and tests.
///
/// @param held at the moment, within one part in a hundred of the budget for each event loop
/// @param budget that may be held ([Overload#budgetBytes])
/// @param level how near to the budget that is
public record HeldMemory(long held, long budget, Level level) {
  /// How near to its budget a server is.
  public enum Level {
    /// Less than half is held.
    ROOMY,
    /// Half of it or more: what one client can make the server hold shrinks.
    TIGHT,
    /// All of it: new calls are refused, and those that keep most of what has not come whole are
    /// ended.
    FULL
  }

  static HeldMemory of(ByteBudget budget) {
    return new HeldMemory(
        budget.held(),
        budget.bytes(),
        switch (budget.level()) {
          case ROOMY -> Level.ROOMY;
          case TIGHT -> Level.TIGHT;
          case FULL -> Level.FULL;
        });
  }
}
