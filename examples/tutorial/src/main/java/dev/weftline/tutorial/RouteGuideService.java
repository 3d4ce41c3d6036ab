package dev.weftline.tutorial;

import dev.weftline.Receiver;
import dev.weftline.Sender;
import dev.weftline.tutorial.routeguide.Feature;
import dev.weftline.tutorial.routeguide.Point;
import dev.weftline.tutorial.routeguide.Rectangle;
import dev.weftline.tutorial.routeguide.RouteGuide;
import dev.weftline.tutorial.routeguide.RouteNote;
import dev.weftline.tutorial.routeguide.RouteSummary;
import java.time.Duration;

/// Guides through a map: one method of each of the four kinds.
final class RouteGuideService implements RouteGuide {
  private final FeatureMap features;
  private final NoteBoard board = new NoteBoard(1_000, 100);

  RouteGuideService(FeatureMap features) {
    this.features = features;
  }

  @Override
  public Feature getFeature(Point point) {
    return features.at(point);
  }

  @Override
  public void listFeatures(Rectangle area, Sender<Feature> replies) {
    for (var feature : features.namedWithin(area)) replies.send(feature);
  }

  @Override
  public RouteSummary recordRoute(Receiver<Point> points) {
    long startNanos = System.nanoTime();
    var walk = new Walk(features);
    for (var point : points) walk.passes(point);
    return walk.summary(Duration.ofNanos(System.nanoTime() - startNanos));
  }

  @Override
  public void routeChat(Receiver<RouteNote> notes, Sender<RouteNote> replies) {
    for (var note : notes) {
      for (var earlier : board.post(note)) replies.send(earlier);
    }
  }
}
