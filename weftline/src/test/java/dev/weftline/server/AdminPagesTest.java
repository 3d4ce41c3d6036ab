package dev.weftline.server;

import static dev.weftline.testing.Probe.answer;
import static dev.weftline.testing.Probe.ask;
import static org.assertj.core.api.Assertions.assertThat;

import dev.weftline.http.Request;
import dev.weftline.http.Response;
import dev.weftline.probe.ProbeGrpc;
import dev.weftline.testing.RunningServer;
import dev.weftline.testing.StraightProbe;
import io.grpc.channelz.v1.ChannelzGrpc;
import io.grpc.channelz.v1.GetServersRequest;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/// What a server shows to whoever runs it.
@Timeout(60)
final class AdminPagesTest {
  private static final InetSocketAddress NOWHERE =
      new InetSocketAddress(InetAddress.getLoopbackAddress(), 0);

  private static Request get(String path, String query, String... accept) {
    var fields =
        accept.length == 0
            ? List.<Map.Entry<String, String>>of()
            : List.of(Map.entry("accept", accept[0]));
    return new Request("GET", path, query, fields, new byte[0], NOWHERE);
  }

  private static String text(Response response) {
    assertThat(response.status()).isEqualTo(200);
    return new String(response.body(), StandardCharsets.UTF_8);
  }

  @Test
  void callsAreListedWithTheirStacksWhereAsked() throws Exception {
    var begun = new CountDownLatch(1);
    var release = new CountDownLatch(1);
    var probe =
        StraightProbe.unary(_ -> {
          begun.countDown();
          release.await();
          return answer("x");
        });
    try (var server = RunningServer.with(builder -> builder.addService(probe.service()));
        var pages = new AdminPages(server.server(), NOWHERE)) {
      assertThat(text(pages.calls(get("/calls", "")))).isEmpty();
      assertThat(text(pages.calls(get("/calls", "format=json")))).isEqualTo("[]\n");
      var reply = ProbeGrpc.newFutureStub(server.channel()).unary(ask("x"));
      begun.await();
      assertThat(text(pages.calls(get("/calls", ""))))
          .startsWith("method=weftline.probe.Probe/Unary peer=127.0.0.1:")
          .contains(" phase=HANDLER ")
          .doesNotContain("CountDownLatch");
      assertThat(text(pages.calls(get("/calls", "stack=true"))))
          .contains("\n    ", "CountDownLatch.await");
      assertThat(text(pages.calls(get("/calls", "stack=true", "application/json"))))
          .startsWith("[{\"method\":\"weftline.probe.Probe/Unary\",\"peer\":\"127.0.0.1:")
          .contains("\"stack\":[\"")
          .endsWith("]}]\n");
      release.countDown();
      reply.get();
    }
  }

  @Test
  void whatIsCountedIsShown() {
    try (var server =
            RunningServer.with(builder -> builder.addService(StraightProbe.echo().service()));
        var pages = new AdminPages(server.server(), NOWHERE)) {
      server.blocking().unary(ask("x"));
      assertThat(text(pages.stats(get("/stats", ""))))
          .contains("method=weftline.probe.Probe/Unary started=1 OK=1 OK.meanMs=")
          .contains("measure=weftline.server.connections.open value=1.000 unit={connection}");
      assertThat(text(pages.stats(get("/stats", "format=json"))))
          .startsWith("[{\"method\":\"weftline.probe.Probe/Unary\",\"started\":1,\"OK\":1,");
      assertThat(text(pages.placements(get("/placements", ""))))
          .contains("method=weftline.probe.Probe/Unary placement=ADAPTIVE now=");
    }
  }

  private static HttpResponse<String> fetch(Server server, String path) throws Exception {
    var at = (InetSocketAddress) server.adminAddresses().getFirst();
    assertThat(at.getAddress().isLoopbackAddress()).isTrue();
    try (var client = HttpClient.newHttpClient()) {
      var request = HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + at.getPort() + path));
      return client.send(
          request.version(HttpClient.Version.HTTP_1_1).build(), BodyHandlers.ofString());
    }
  }

  @Test
  void thePagesAreServedOnAnAddressOfTheirOwn() throws Exception {
    try (var server =
        RunningServer.with(
            builder -> builder.addService(StraightProbe.echo().service()).admin(0))) {
      var shown = server.server();
      assertThat(shown.adminAddresses()).hasSize(1).doesNotContainAnyElementsOf(shown.addresses());
      server.blocking().unary(ask("x"));
      assertThat(fetch(shown, "/").body()).contains("/calls", "/stats");
      assertThat(fetch(shown, "/calls").statusCode()).isEqualTo(200);
      assertThat(fetch(shown, "/stats").body()).contains("weftline.probe.Probe/Unary started=1");
      assertThat(fetch(shown, "/livez").body()).isEqualTo("ok\n");
      assertThat(fetch(shown, "/healthz").body()).isEqualTo("serving\n");
      assertThat(fetch(shown, "/nothing").statusCode()).isEqualTo(404);
    }
  }

  /// A server that drains is alive, and takes no new calls.
  @Test
  void aServerThatDrainsIsAliveAndNotHealthy() throws Exception {
    var begun = new CountDownLatch(1);
    var release = new CountDownLatch(1);
    var probe =
        StraightProbe.unary(_ -> {
          begun.countDown();
          release.await();
          return answer("x");
        });
    try (var server = RunningServer.with(builder -> builder.addService(probe.service()).admin(0))) {
      var reply = ProbeGrpc.newFutureStub(server.channel()).unary(ask("x"));
      begun.await();
      server.server().drain();
      assertThat(fetch(server.server(), "/livez").statusCode()).isEqualTo(200);
      assertThat(fetch(server.server(), "/healthz").statusCode()).isEqualTo(503);
      release.countDown();
      assertThat(reply.get()).isEqualTo(answer("x"));
    }
  }

  @Test
  void channelzIsServedWhereAsked() {
    try (var server =
        RunningServer.with(
            builder -> builder.addService(StraightProbe.echo().service()).channelz(true))) {
      var servers =
          ChannelzGrpc.newBlockingStub(server.channel())
              .getServers(GetServersRequest.getDefaultInstance());
      assertThat(servers.getServerList()).isNotEmpty();
    }
  }
}
