package dev.weftline.internal.call;

import org.jspecify.annotations.Nullable;

/// What is told of calls beside their numbers.
///
/// @param accessLog told of every call that is over; null for nobody
/// @param ledgerTrailer whether clients may ask for the ledger of their calls
public record Sight(@Nullable AccessLines accessLog, boolean ledgerTrailer) {
  /// Nobody looks.
  public static final Sight NONE = new Sight(null, false);
}
