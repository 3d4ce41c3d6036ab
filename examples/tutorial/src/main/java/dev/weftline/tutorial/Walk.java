package dev.weftline.tutorial;

import dev.weftline.tutorial.routeguide.Point;
import dev.weftline.tutorial.routeguide.RouteSummary;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/// One route as its points arrive. Belongs to one call, which reports one point at a time.
final class Walk {
  private static final double EARTH_RADIUS_METRES = 6_371_000;
  private static final double UNITS_PER_DEGREE = 1e7;

  private final FeatureMap features;
  private int points;
  private int featuresPassed;
  private double metres;
  private @Nullable Point last; // until the first point

  Walk(FeatureMap features) {
    this.features = features;
  }

  void passes(Point point) {
    points++;
    if (features.isNamed(point)) featuresPassed++;
    if (last != null) metres += metresBetween(last, point);
    last = point;
  }

  RouteSummary summary(Duration taken) {
    return RouteSummary.newBuilder()
        .setPointCount(points)
        .setFeatureCount(featuresPassed)
        .setDistance((int) metres)
        .setElapsedTime((int) taken.toSeconds())
        .build();
  }

  /// The haversine formula: the shortest way over a sphere, exact enough for a walk.
  static double metresBetween(Point from, Point to) {
    double fromLatitude = radians(from.getLatitude());
    double toLatitude = radians(to.getLatitude());
    double northward = Math.sin((toLatitude - fromLatitude) / 2);
    double eastward = Math.sin((radians(to.getLongitude()) - radians(from.getLongitude())) / 2);
    double chord =
        northward * northward + Math.cos(fromLatitude) * Math.cos(toLatitude) * eastward * eastward;
    return 2 * EARTH_RADIUS_METRES * Math.asin(Math.min(1, Math.sqrt(chord)));
  }

  private static double radians(int units) {
    return Math.toRadians(units / UNITS_PER_DEGREE);
  }
}
