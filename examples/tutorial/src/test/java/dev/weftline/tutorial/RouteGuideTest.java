package dev.weftline.tutorial;

import static org.assertj.core.api.Assertions.assertThat;

import dev.weftline.tutorial.routeguide.Feature;
import dev.weftline.tutorial.routeguide.Point;
import dev.weftline.tutorial.routeguide.Rectangle;
import dev.weftline.tutorial.routeguide.RouteGuideGrpc;
import dev.weftline.tutorial.routeguide.RouteNote;
import io.grpc.StatusException;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(30)
class RouteGuideTest {
  /// Three lines of the data file.
  private static final Point JUNIPER_PARK = point(396389324, -740401130);

  private static final Point WINDMILL_AVENUE = point(396652857, -741595154);
  private static final Point HOLLOW_POND_TRAIL = point(397327494, -741176234);
  private static final Point OPEN_SEA = point(396000000, -700000000);

  private TutorialServer server;
  private RouteGuideGrpc.RouteGuideBlockingV2Stub guide;

  @BeforeEach
  void start() throws IOException {
    server = new TutorialServer();
    guide = RouteGuideGrpc.newBlockingV2Stub(server.channel());
  }

  @AfterEach
  void stop() throws InterruptedException {
    server.stop();
  }

  @Test
  void theFeatureAtAPoint() throws StatusException {
    var feature = guide.getFeature(JUNIPER_PARK);
    assertThat(feature.getName()).isEqualTo("Juniper Park, Little Wharf, NJ, USA");
    assertThat(feature.getLocation()).isEqualTo(JUNIPER_PARK);
  }

  @Test
  void aPointWithNothingOnItIsAFeatureWithoutAName() throws StatusException {
    assertThat(guide.getFeature(OPEN_SEA))
        .isEqualTo(Feature.newBuilder().setLocation(OPEN_SEA).build());
  }

  @Test
  void theNamedFeaturesInARectangleBordersIncluded() throws Exception {
    assertThat(featuresBetween(JUNIPER_PARK, HOLLOW_POND_TRAIL))
        .extracting(Feature::getName)
        .containsExactly(
            "Juniper Park, Little Wharf, NJ, USA",
            "Falcon Bridge Street, Little Wharf, NJ, USA",
            "Hollow Pond Trail, Little Wharf, NJ, USA");
  }

  @Test
  void theCornersOfARectangleMayBeGivenEitherWayRound() throws Exception {
    assertThat(featuresBetween(HOLLOW_POND_TRAIL, JUNIPER_PARK)).hasSize(3);
  }

  @Test
  void everyFeatureThatHasAName() throws Exception {
    var everywhere = featuresBetween(point(-900000000, -1800000000), point(900000000, 1800000000));
    assertThat(everywhere).hasSizeBetween(90, 99).noneMatch(f -> f.getName().isEmpty());
  }

  @Test
  void aWalkIsSummedUpOnceItHasEnded() throws Exception {
    var walk = guide.recordRoute();
    for (var point : List.of(JUNIPER_PARK, OPEN_SEA, WINDMILL_AVENUE)) {
      assertThat(walk.write(point)).isTrue();
    }
    walk.halfClose();

    var summary = walk.read();
    assertThat(summary.getPointCount()).isEqualTo(3);
    assertThat(summary.getFeatureCount()).as("the sea has no name").isEqualTo(2);
    assertThat(summary.getDistance()).as("346 km out and 356 km back").isBetween(695_000, 710_000);
    assertThat(summary.getElapsedTime()).isBetween(0, 30);
    assertThat(walk.read()).as("the end of the stream").isNull();
  }

  @Test
  void aWalkOfNoPointsIsShort() throws Exception {
    var walk = guide.recordRoute();
    walk.halfClose();
    assertThat(walk.read().getPointCount()).isZero();
  }

  /// One degree of a great circle is 111.2 km, along a meridian and along the equator.
  @Test
  void distancesAreThoseOfAGlobe() {
    var origin = point(0, 0);
    assertThat(Walk.metresBetween(origin, point(10_000_000, 0))).isBetween(111_190.0, 111_200.0);
    assertThat(Walk.metresBetween(origin, point(0, 10_000_000))).isBetween(111_190.0, 111_200.0);
    assertThat(Walk.metresBetween(JUNIPER_PARK, JUNIPER_PARK)).isZero();
  }

  @Test
  void aNoteIsAnsweredByThoseLeftBeforeAtTheSamePoint() throws Exception {
    var chat = guide.routeChat();
    assertThat(chat.write(note(JUNIPER_PARK, "first"))).isTrue();
    assertThat(chat.write(note(WINDMILL_AVENUE, "elsewhere"))).isTrue();
    assertThat(chat.write(note(JUNIPER_PARK, "second"))).isTrue();
    assertThat(chat.read()).isEqualTo(note(JUNIPER_PARK, "first"));

    assertThat(chat.write(note(JUNIPER_PARK, "third"))).isTrue();
    assertThat(chat.read()).isEqualTo(note(JUNIPER_PARK, "first"));
    assertThat(chat.read()).isEqualTo(note(JUNIPER_PARK, "second"));

    chat.halfClose();
    assertThat(chat.read()).as("the end of the stream").isNull();
  }

  @Test
  void notesOutliveTheChatTheyWereLeftIn() throws Exception {
    var earlier = guide.routeChat();
    assertThat(earlier.write(note(JUNIPER_PARK, "was here"))).isTrue();
    earlier.halfClose();
    assertThat(earlier.read()).isNull();

    var later = guide.routeChat();
    assertThat(later.write(note(JUNIPER_PARK, "so was I"))).isTrue();
    assertThat(later.read()).isEqualTo(note(JUNIPER_PARK, "was here"));
    later.halfClose();
    assertThat(later.read()).isNull();
  }

  @Test
  void aFullBoardForgetsTheOldestNoteAndTheQuietestPoint() {
    var board = new NoteBoard(2, 2);
    for (var text : List.of("1", "2", "3")) board.post(note(JUNIPER_PARK, text));
    assertThat(board.post(note(JUNIPER_PARK, "4")))
        .extracting(RouteNote::getMessage)
        .containsExactly("2", "3");

    board.post(note(OPEN_SEA, "quiet"));
    board.post(note(JUNIPER_PARK, "busy"));
    board.post(note(WINDMILL_AVENUE, "new"));
    assertThat(board.post(note(JUNIPER_PARK, "still there"))).isNotEmpty();
    assertThat(board.post(note(OPEN_SEA, "again"))).as("the quiet point's notes").isEmpty();
  }

  private List<Feature> featuresBetween(Point lo, Point hi) throws Exception {
    var features = new ArrayList<Feature>();
    var call = guide.listFeatures(Rectangle.newBuilder().setLo(lo).setHi(hi).build());
    while (call.hasNext()) features.add(call.read());
    return features;
  }

  private static Point point(int latitude, int longitude) {
    return Point.newBuilder().setLatitude(latitude).setLongitude(longitude).build();
  }

  private static RouteNote note(Point at, String message) {
    return RouteNote.newBuilder().setLocation(at).setMessage(message).build();
  }
}
