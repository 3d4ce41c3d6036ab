package dev.weftline.tutorial;

import com.google.protobuf.util.JsonFormat;
import dev.weftline.tutorial.routeguide.Feature;
import dev.weftline.tutorial.routeguide.FeatureDatabase;
import dev.weftline.tutorial.routeguide.Point;
import dev.weftline.tutorial.routeguide.Rectangle;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/// What stands where: immutable, in the order of the data file.
final class FeatureMap {
  private final Map<Point, Feature> byPoint = new LinkedHashMap<>();

  FeatureMap(List<Feature> features) {
    features.forEach(feature -> byPoint.put(feature.getLocation(), feature));
  }

  /// The features of the file that travels in this jar.
  static FeatureMap bundled() {
    try (var file = FeatureMap.class.getResourceAsStream("features.json")) {
      if (file == null) {
        throw new IllegalStateException("features.json is not on the class path");
      }
      var database = FeatureDatabase.newBuilder();
      JsonFormat.parser().merge(new InputStreamReader(file, StandardCharsets.UTF_8), database);
      return new FeatureMap(database.getFeatureList());
    } catch (IOException e) {
      throw new UncheckedIOException("features.json", e);
    }
  }

  /// The feature at this very point; one without a name when nothing stands there.
  Feature at(Point point) {
    var feature = byPoint.get(point);
    return feature != null ? feature : Feature.newBuilder().setLocation(point).build();
  }

  boolean isNamed(Point point) {
    return !at(point).getName().isEmpty();
  }

  /// Those that have a name, borders included.
  List<Feature> namedWithin(Rectangle area) {
    int south = Math.min(area.getLo().getLatitude(), area.getHi().getLatitude());
    int north = Math.max(area.getLo().getLatitude(), area.getHi().getLatitude());
    int west = Math.min(area.getLo().getLongitude(), area.getHi().getLongitude());
    int east = Math.max(area.getLo().getLongitude(), area.getHi().getLongitude());
    return byPoint.values().stream()
        .filter(feature -> !feature.getName().isEmpty())
        .filter(feature -> {
          var point = feature.getLocation();
          return south <= point.getLatitude()
              && point.getLatitude() <= north
              && west <= point.getLongitude()
              && point.getLongitude() <= east;
        })
        .toList();
  }
}
