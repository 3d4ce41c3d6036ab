package dev.weftline.jwt;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import com.google.rpc.RetryInfo;
import com.nimbusds.jose.jwk.ECKey;
import com.nimbusds.jose.jwk.JWK;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import dev.weftline.CallException;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import java.io.IOException;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/// Keys that change, and keys that cannot be read (RFC 7517 §5, RFC 8725 §3.10).
@Timeout(60)
final class JwksTest {
  private static final ECKey OLD = Issuer.ec("old");
  private static final ECKey NEW = Issuer.ec("new");

  /// Read when a token means another key and at no other time.
  private static final Keys.Times ON_DEMAND = times(Duration.ofHours(1), Duration.ZERO);

  private interface Answer {
    void to(HttpExchange exchange) throws IOException;
  }

  private final HttpServer http;
  private final AtomicInteger requests = new AtomicInteger();
  private volatile Answer answer = keys(OLD);

  @TempDir private Path folder;

  JwksTest() throws IOException {
    http = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    http.setExecutor(Executors.newVirtualThreadPerTaskExecutor());
    http.createContext(
        "/keys",
        exchange -> {
          requests.incrementAndGet();
          try (exchange) {
            answer.to(exchange);
          }
        });
    http.start();
  }

  @AfterEach
  void stop() {
    http.stop(0);
  }

  private static Answer keys(JWK... keys) {
    return text(200, Issuer.set(keys));
  }

  private static Answer text(int status, String text) {
    return exchange -> {
      var octets = text.getBytes(StandardCharsets.UTF_8);
      exchange.sendResponseHeaders(status, octets.length);
      exchange.getResponseBody().write(octets);
    };
  }

  private static Keys.Times times(Duration age, Duration pause) {
    return new Keys.Times(age, age, Duration.ofHours(2), pause, pause);
  }

  private JwtGuard.Builder trusting() {
    return JwtGuard.builder()
        .issuer(Issuer.NAME)
        .audience(Issuer.AUDIENCE)
        .clock(InstantSource.fixed(Issuer.NOW));
  }

  private JwtGuard guard(Keys.Times times) throws IOException {
    return trusting()
        .jwks(URI.create("http://127.0.0.1:" + http.getAddress().getPort() + "/keys"))
        .times(times)
        .build();
  }

  private static Status.Code outcome(JwtGuard guard, String token) {
    var refused =
        catchThrowableOfType(
            StatusRuntimeException.class, () -> guard.admit(CallWith.token(token)));
    return refused == null ? Status.Code.OK : refused.getStatus().getCode();
  }

  /// Another token each time, so that none is known from before.
  private static String token(ECKey key) {
    return Issuer.token(
        key, Issuer.claims().jwtID(String.valueOf(System.nanoTime())).build(), _ -> {});
  }

  @Test
  void keysAreReadOnceForManyCalls() throws Exception {
    var guard = guard(ON_DEMAND);
    try (var threads = Executors.newVirtualThreadPerTaskExecutor()) {
      var outcomes = new ArrayList<Future<Status.Code>>();
      for (int i = 0; i < 50; i++) outcomes.add(threads.submit(() -> outcome(guard, token(OLD))));
      for (var one : outcomes) assertThat(one.get()).isEqualTo(Status.Code.OK);
    }
    assertThat(requests).hasValue(1);
  }

  @Test
  void aNewKeyIsFoundWhenTheFirstTokenMeansIt() throws Exception {
    var guard = guard(ON_DEMAND);
    assertThat(outcome(guard, token(OLD))).isEqualTo(Status.Code.OK);
    answer = keys(OLD, NEW);
    assertThat(outcome(guard, token(NEW))).isEqualTo(Status.Code.OK);
    assertThat(outcome(guard, token(OLD))).isEqualTo(Status.Code.OK);
    assertThat(requests).hasValue(2);
  }

  /// Anybody can send tokens with made-up key names.
  @Test
  void unknownKeysDoNotFloodTheIssuer() throws Exception {
    var guard = guard(times(Duration.ofHours(1), Duration.ofHours(1)));
    assertThat(outcome(guard, token(OLD))).isEqualTo(Status.Code.OK);
    for (int i = 0; i < 20; i++) {
      assertThat(outcome(guard, token(Issuer.ec("made up " + i))))
          .isEqualTo(Status.Code.UNAUTHENTICATED);
    }
    assertThat(requests).hasValue(1);
  }

  @Test
  void aWithdrawnKeyIsNoLongerTakenOnceKeysWereReadAgain() throws Exception {
    var guard = guard(times(Duration.ZERO, Duration.ZERO));
    assertThat(outcome(guard, token(OLD))).isEqualTo(Status.Code.OK);
    answer = keys(NEW);
    assertThat(outcome(guard, token(OLD))).isEqualTo(Status.Code.UNAUTHENTICATED);
  }

  @Test
  void whileTheIssuerIsAwayTheOldKeysServe() throws Exception {
    var guard = guard(times(Duration.ZERO, Duration.ZERO));
    assertThat(outcome(guard, token(OLD))).isEqualTo(Status.Code.OK);
    for (var outage :
        new Answer[] {
          text(503, "busy"), text(200, "<html>"), text(200, "{}"), HttpExchange::close
        }) {
      answer = outage;
      int before = requests.get();
      assertThat(outcome(guard, token(OLD))).isEqualTo(Status.Code.OK);
      assertThat(outcome(guard, token(NEW))).isEqualTo(Status.Code.UNAUTHENTICATED);
      assertThat(requests.get()).isGreaterThan(before);
    }
  }

  @Test
  void keysThatWereNotReadForTooLongAreNoLongerUsed() throws Exception {
    var none = Duration.ZERO;
    var guard = guard(new Keys.Times(none, none, Duration.ofSeconds(3), none, none));
    assertThat(outcome(guard, token(OLD))).isEqualTo(Status.Code.OK);
    answer = text(503, "busy");
    long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(30);
    while (outcome(guard, token(OLD)) != Status.Code.UNAVAILABLE && System.nanoTime() < end) {
      Thread.sleep(50);
    }
    assertThat(outcome(guard, token(OLD))).isEqualTo(Status.Code.UNAVAILABLE);
  }

  /// The server starts while its issuer is away; calls are told to come back.
  @Test
  void withoutKeysFromTheStartCallsAreUnavailable() throws Exception {
    answer = text(503, "the database is down");
    var guard = guard(ON_DEMAND);
    var refused =
        catchThrowableOfType(
            StatusRuntimeException.class, () -> guard.admit(CallWith.token(token(OLD))));
    assertThat(refused.getStatus().getCode()).isEqualTo(Status.Code.UNAVAILABLE);
    assertThat(refused.getStatus().getDescription()).isEqualTo("tokens cannot be checked now");
    assertThat(CallException.detail(refused, RetryInfo.class)).isPresent();
    answer = keys(OLD);
    assertThat(outcome(guard, token(OLD))).isEqualTo(Status.Code.OK);
  }

  @Test
  void anAnswerThatNeverEndsIsGivenUp() throws Exception {
    var done = new CountDownLatch(1);
    answer =
        exchange -> {
          exchange.sendResponseHeaders(200, 0);
          drip(exchange.getResponseBody(), done);
        };
    try {
      var origin =
          new KeyOrigin.SetUrl(
              URI.create("http://127.0.0.1:" + http.getAddress().getPort() + "/keys"));
      long start = System.nanoTime();
      assertThatThrownBy(origin::read)
          .isInstanceOf(IOException.class)
          .hasMessage("no whole answer within 5 s");
      assertThat(Duration.ofNanos(System.nanoTime() - start)).isLessThan(Duration.ofSeconds(50));
    } finally {
      done.countDown();
    }
  }

  private static void drip(OutputStream out, CountDownLatch done) throws IOException {
    try {
      do {
        out.write(' ');
        out.flush();
      } while (!done.await(100, TimeUnit.MILLISECONDS));
    } catch (InterruptedException e) {
      throw new IOException(e);
    }
  }

  @Test
  void callsDoNotWaitForAnIssuerThatDoesNotAnswerWhileThereAreKeys() throws Exception {
    var done = new CountDownLatch(1);
    var guard = guard(times(Duration.ZERO, Duration.ZERO));
    assertThat(outcome(guard, token(OLD))).isEqualTo(Status.Code.OK);
    answer = text(503, "busy");
    assertThat(outcome(guard, token(OLD))).isEqualTo(Status.Code.OK); // hears of the outage
    answer =
        exchange -> {
          exchange.sendResponseHeaders(200, 0);
          drip(exchange.getResponseBody(), done);
        };
    try {
      // Each would take the five seconds of a reading, were it waited for.
      long start = System.nanoTime();
      for (int i = 0; i < 20; i++) {
        assertThat(outcome(guard, token(OLD))).isEqualTo(Status.Code.OK);
      }
      assertThat(Duration.ofNanos(System.nanoTime() - start)).isLessThan(Duration.ofSeconds(40));
    } finally {
      done.countDown();
    }
  }

  @Test
  void anOversizeAnswerIsNotRead() {
    answer = text(200, " ".repeat(KeyOrigin.BYTES_MAX + 1));
    assertNotRead();
  }

  @Test
  void redirectsAreNotFollowed() {
    answer =
        exchange -> {
          exchange.getResponseHeaders().add("location", "/keys?again");
          exchange.sendResponseHeaders(302, -1);
        };
    assertNotRead();
    assertThat(requests).hasValue(1);
  }

  private void assertNotRead() {
    var url = URI.create("http://127.0.0.1:" + http.getAddress().getPort() + "/keys");
    assertThatThrownBy(() -> new KeyOrigin.SetUrl(url).read()).isInstanceOf(IOException.class);
  }

  /// A call whose deadline passes stops waiting, and the reading goes on for the others.
  @Test
  void aCallThatIsGivenUpDoesNotStopTheReading() throws Exception {
    var arrived = new CountDownLatch(1);
    var go = new CountDownLatch(1);
    answer =
        exchange -> {
          arrived.countDown();
          try {
            go.await();
          } catch (InterruptedException e) {
            throw new IOException(e);
          }
          keys(OLD).to(exchange);
        };
    var guard = guard(ON_DEMAND);
    var token = token(OLD);
    var ended = new java.util.concurrent.CompletableFuture<Throwable>();
    var waiting =
        Thread.startVirtualThread(() -> {
          try {
            guard.admit(CallWith.token(token));
            ended.completeExceptionally(new AssertionError("admitted"));
          } catch (Exception e) {
            ended.complete(e);
          }
        });
    assertThat(arrived.await(10, TimeUnit.SECONDS)).isTrue();
    waiting.interrupt();
    assertThat(Status.fromThrowable(ended.get(10, TimeUnit.SECONDS)).getCode())
        .isEqualTo(Status.Code.CANCELLED);
    go.countDown();
    assertThat(outcome(guard, token(OLD))).isEqualTo(Status.Code.OK);
    assertThat(requests).hasValue(1);
  }

  @Test
  void aFileIsReadAgainWhenItHasChanged() throws Exception {
    var file = Files.writeString(folder.resolve("keys.json"), Issuer.set(OLD));
    var guard = trusting().jwks(file).times(times(Duration.ZERO, Duration.ZERO)).build();
    assertThat(outcome(guard, token(OLD))).isEqualTo(Status.Code.OK);
    Files.writeString(file, Issuer.set(NEW));
    assertThat(outcome(guard, token(NEW))).isEqualTo(Status.Code.OK);
    assertThat(outcome(guard, token(OLD))).isEqualTo(Status.Code.UNAUTHENTICATED);
    Files.writeString(file, "{\"keys\":["); // written to
    assertThat(outcome(guard, token(NEW))).isEqualTo(Status.Code.OK);
  }
}
