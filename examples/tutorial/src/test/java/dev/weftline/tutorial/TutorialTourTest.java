package dev.weftline.tutorial;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import com.google.rpc.BadRequest;
import dev.weftline.CallException;
import dev.weftline.Receiver;
import dev.weftline.server.Server;
import dev.weftline.tutorial.hello.Greeter;
import dev.weftline.tutorial.hello.GreeterGrpc;
import dev.weftline.tutorial.hello.HelloReply;
import dev.weftline.tutorial.hello.HelloRequest;
import dev.weftline.tutorial.routeguide.Feature;
import dev.weftline.tutorial.routeguide.Point;
import dev.weftline.tutorial.routeguide.Rectangle;
import dev.weftline.tutorial.routeguide.RouteGuide;
import dev.weftline.tutorial.routeguide.RouteGuideGrpc;
import dev.weftline.tutorial.routeguide.RouteNote;
import dev.weftline.tutorial.routeguide.RouteSummary;
import io.grpc.Grpc;
import io.grpc.InsecureChannelCredentials;
import io.grpc.ManagedChannel;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.stub.StreamObserver;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/// A tour of straight-line services, to be read from top to bottom.
@Timeout(60)
class TutorialTourTest {
  private static final Point JUNIPER_PARK = point(396389324, -740401130);
  private static final Point WINDMILL_AVENUE = point(396652857, -741595154);
  private static final Point HOLLOW_POND_TRAIL = point(397327494, -741176234);

  private Server server;
  private ManagedChannel channel;

  /// 1. A server is its services and a port.
  @BeforeEach
  void start() throws IOException {
    server =
        Server.builder()
            .addService(Greeter.service(new GreeterService()))
            .addService(RouteGuide.service(new RouteGuideService(FeatureMap.bundled())))
            .start();
    channel =
        Grpc.newChannelBuilder("localhost:" + server.port(), InsecureChannelCredentials.create())
            .build();
  }

  @AfterEach
  void stop() {
    channel.shutdownNow();
    server.close();
  }

  /// 2. The client that comes with the interface has its methods: what a service implements is what
  ///    is called.
  @Nested
  class TheClientOfTheSameShape {
    private Greeter.Client greeter;
    private RouteGuide.Client guide;

    @BeforeEach
    void call() {
      greeter = Greeter.client(channel);
      guide = RouteGuide.client(channel);
    }

    @Test
    void aUnaryCallIsAMethod() {
      assertThat(greeter.sayHello(name("Ada"))).isEqualTo(greeting("Hello Ada"));
    }

    @Test
    void aStreamOfRepliesIsALoop() {
      var names = new ArrayList<String>();
      try (var features = guide.listFeatures(between(JUNIPER_PARK, HOLLOW_POND_TRAIL))) {
        for (var feature : features) names.add(feature.getName());
      }
      assertThat(names).hasSize(3).startsWith("Juniper Park, Little Wharf, NJ, USA");
    }

    @Test
    void aStreamOfRequestsIsASeriesOfSends() {
      try (var walk = guide.recordRoute()) {
        walk.send(JUNIPER_PARK);
        walk.send(WINDMILL_AVENUE);
        assertThat(walk.reply().getPointCount()).isEqualTo(2);
      }
    }

    @Test
    void twoStreamsAreReadAndWrittenInTurn() {
      try (var greetings = greeter.sayHelloBidi()) {
        var replies = greetings.iterator();
        for (var name : List.of("Ada", "Grace")) {
          greetings.send(name(name));
          assertThat(replies.next()).isEqualTo(greeting("Hello " + name));
        }
        greetings.halfClose();
        assertThat(replies.hasNext()).isFalse();
      }
    }

    /// A client is an implementation like any other: whoever needs a [RouteGuide] does not see
    /// which.
    @Test
    void theServiceAndItsClientAreInterchangeable() throws Exception {
      for (var anyGuide : List.of(guide, new RouteGuideService(FeatureMap.bundled()))) {
        assertThat(walked(anyGuide).getPointCount()).isEqualTo(2);
      }
    }

    private static RouteSummary walked(RouteGuide guide) throws Exception {
      return guide.recordRoute(Receiver.of(List.of(JUNIPER_PARK, WINDMILL_AVENUE)));
    }
  }

  /// 3. On the wire it is gRPC: clients that grpc-java generated need not change.
  @Nested
  class TheStubsOfGrpcJava {
    @Test
    void aBlockingStubCalls() {
      assertThat(GreeterGrpc.newBlockingStub(channel).sayHello(name("Ada")))
          .isEqualTo(greeting("Hello Ada"));
    }

    @Test
    void aFutureStubCalls() throws Exception {
      assertThat(GreeterGrpc.newFutureStub(channel).sayHello(name("Ada")).get(10, TimeUnit.SECONDS))
          .isEqualTo(greeting("Hello Ada"));
    }

    @Test
    void anAsynchronousStubSendsAndIsCalledBack() throws Exception {
      var replies = new Replies<RouteNote>();
      var notes = RouteGuideGrpc.newStub(channel).routeChat(replies);
      notes.onNext(note("first"));
      notes.onNext(note("second"));
      notes.onCompleted();
      assertThat(replies.all()).containsExactly(note("first"));
    }
  }

  /// 4. A call ends when its time is up, or when its caller has had enough.
  @Nested
  class DeadlinesAndCancellation {
    @Test
    void aDeadlineEndsACallThatTakesLonger() {
      var hasty = Greeter.client(channel).withDeadline(Duration.ofMillis(200));
      try (var greetings = hasty.sayHelloBidi()) {
        assertThatThrownBy(() -> greetings.iterator().next())
            .isInstanceOfSatisfying(
                StatusRuntimeException.class,
                failure ->
                    assertThat(failure.getStatus().getCode())
                        .isEqualTo(Status.Code.DEADLINE_EXCEEDED));
      }
    }

    @Test
    void closingACallCancelsIt() throws Exception {
      var unending = name("Ada").toBuilder().setReplies(10_000_000).build();
      try (var greetings = Greeter.client(channel).sayHelloStream(unending)) {
        assertThat(greetings.iterator().next()).isEqualTo(greeting("Hello Ada, 1 of 10000000"));
      }
      // Nobody reads the rest, so nobody writes it: the method's `send` has thrown.
      while (server.stats().callsFailed() == 0) Thread.sleep(10);
    }
  }

  /// 5. What a caller got wrong is told with details that a program can read.
  @Test
  void aFailureCarriesDetails() {
    var negative = name("Ada").toBuilder().setReplies(-1).build();
    var failure =
        catchThrowableOfType(
            StatusRuntimeException.class,
            () -> Greeter.client(channel).sayHelloStream(negative, _ -> {}));

    assertThat(failure.getStatus().getCode()).isEqualTo(Status.Code.INVALID_ARGUMENT);
    assertThat(CallException.detail(failure, BadRequest.class))
        .hasValueSatisfying(
            detail -> assertThat(detail.getFieldViolations(0).getField()).isEqualTo("replies"));
  }

  /// 6. A service is a class and its streams are lists in a test: neither server nor connection.
  @Nested
  class WithoutAnyServer {
    private final RouteGuideService guide = new RouteGuideService(FeatureMap.bundled());

    @Test
    void whatItSendsCanGoIntoAList() {
      var features = new ArrayList<Feature>();
      guide.listFeatures(between(JUNIPER_PARK, HOLLOW_POND_TRAIL), features::add);
      assertThat(features).hasSize(3);
    }

    @Test
    void whatItReceivesCanComeFromAList() {
      assertThat(guide.recordRoute(Receiver.of(List.of(JUNIPER_PARK))).getPointCount()).isOne();
    }
  }

  /// What an asynchronous stub was called back with.
  private static final class Replies<T> implements StreamObserver<T> {
    private final ConcurrentLinkedQueue<T> received = new ConcurrentLinkedQueue<>();
    private final CompletableFuture<List<T>> ended = new CompletableFuture<>();

    @Override
    public void onNext(T reply) {
      received.add(reply);
    }

    @Override
    public void onError(Throwable failure) {
      ended.completeExceptionally(failure);
    }

    @Override
    public void onCompleted() {
      ended.complete(List.copyOf(received));
    }

    List<T> all() throws Exception {
      return ended.get(10, TimeUnit.SECONDS);
    }
  }

  private static HelloRequest name(String name) {
    return HelloRequest.newBuilder().setName(name).build();
  }

  private static HelloReply greeting(String message) {
    return HelloReply.newBuilder().setMessage(message).build();
  }

  private static Point point(int latitude, int longitude) {
    return Point.newBuilder().setLatitude(latitude).setLongitude(longitude).build();
  }

  private static Rectangle between(Point lo, Point hi) {
    return Rectangle.newBuilder().setLo(lo).setHi(hi).build();
  }

  private static RouteNote note(String message) {
    return RouteNote.newBuilder().setLocation(JUNIPER_PARK).setMessage(message).build();
  }
}
