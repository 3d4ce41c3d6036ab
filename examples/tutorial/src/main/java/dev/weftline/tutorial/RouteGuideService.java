package dev.weftline.tutorial;

import dev.weftline.tutorial.routeguide.Feature;
import dev.weftline.tutorial.routeguide.Point;
import dev.weftline.tutorial.routeguide.Rectangle;
import dev.weftline.tutorial.routeguide.RouteGuideGrpc;
import dev.weftline.tutorial.routeguide.RouteNote;
import dev.weftline.tutorial.routeguide.RouteSummary;
import io.grpc.stub.StreamObserver;
import java.time.Duration;

/// Guides through a map: one method of each of the four kinds.
final class RouteGuideService extends RouteGuideGrpc.RouteGuideImplBase {
  private final FeatureMap features;
  private final NoteBoard notes = new NoteBoard(1_000, 100);

  RouteGuideService(FeatureMap features) {
    this.features = features;
  }

  @Override
  public void getFeature(Point point, StreamObserver<Feature> reply) {
    reply.onNext(features.at(point));
    reply.onCompleted();
  }

  @Override
  public void listFeatures(Rectangle area, StreamObserver<Feature> replies) {
    features.namedWithin(area).forEach(replies::onNext);
    replies.onCompleted();
  }

  @Override
  public StreamObserver<Point> recordRoute(StreamObserver<RouteSummary> reply) {
    long startNanos = System.nanoTime();
    var walk = new Walk(features);
    return new StreamObserver<>() {
      @Override
      public void onNext(Point point) {
        walk.passes(point);
      }

      @Override
      public void onError(Throwable cancelled) {
        // A walk given up has no summary.
      }

      @Override
      public void onCompleted() {
        reply.onNext(walk.summary(Duration.ofNanos(System.nanoTime() - startNanos)));
        reply.onCompleted();
      }
    };
  }

  @Override
  public StreamObserver<RouteNote> routeChat(StreamObserver<RouteNote> replies) {
    return new StreamObserver<>() {
      @Override
      public void onNext(RouteNote note) {
        notes.post(note).forEach(replies::onNext);
      }

      @Override
      public void onError(Throwable cancelled) {
        // What was noted stays noted.
      }

      @Override
      public void onCompleted() {
        replies.onCompleted();
      }
    };
  }
}
