package dev.weftline.jwt;

import static dev.weftline.jwt.JwtPrincipal.hasScope;
import static dev.weftline.server.Authorization.caller;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import com.nimbusds.jose.jwk.ECKey;
import dev.weftline.CallInfo;
import dev.weftline.server.Authorization;
import dev.weftline.server.Server;
import io.grpc.Grpc;
import io.grpc.InsecureChannelCredentials;
import io.grpc.ManagedChannel;
import io.grpc.Metadata;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.health.v1.HealthCheckRequest;
import io.grpc.health.v1.HealthCheckResponse;
import io.grpc.health.v1.HealthGrpc;
import io.grpc.protobuf.services.HealthStatusManager;
import io.grpc.protobuf.services.ProtoReflectionServiceV1;
import io.grpc.reflection.v1.ServerReflectionGrpc;
import io.grpc.reflection.v1.ServerReflectionRequest;
import io.grpc.stub.MetadataUtils;
import io.grpc.stub.StreamObserver;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Date;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/// A server behind tokens, as grpc-java's client sees it.
@Timeout(60)
final class GuardedServerTest {
  private static final ECKey KEY = Issuer.ec("key-1");

  @TempDir private Path folder;
  private Server server;
  private ManagedChannel channel;

  /// Health, served as any grpc-java service is: `Check` tells who asks.
  private static final class Asked extends HealthGrpc.HealthImplBase {
    final List<Object> callers = new ArrayList<>();

    @Override
    public void check(HealthCheckRequest request, StreamObserver<HealthCheckResponse> observer) {
      callers.add(CallInfo.PRINCIPAL.get());
      observer.onNext(HealthCheckResponse.getDefaultInstance());
      observer.onCompleted();
    }
  }

  private final Asked asked = new Asked();

  private JwtGuard.Builder trusting() throws Exception {
    return JwtGuard.builder()
        .issuer(Issuer.NAME)
        .audience(Issuer.AUDIENCE)
        .clock(InstantSource.fixed(Issuer.NOW))
        .jwks(Files.writeString(folder.resolve("keys.json"), Issuer.set(KEY)));
  }

  @BeforeEach
  void start() throws Exception {
    server =
        Server.builder()
            .port(0)
            .guard(trusting().build())
            .guard(
                Authorization.builder()
                    .allow("grpc.health.v1.Health/Check", caller(hasScope("orders.read")))
                    .build())
            .addService(asked)
            .addService(ProtoReflectionServiceV1.newInstance())
            .start();
    channel =
        Grpc.newChannelBuilder("127.0.0.1:" + server.port(), InsecureChannelCredentials.create())
            .build();
  }

  @AfterEach
  void stop() throws Exception {
    channel.shutdownNow();
    channel.awaitTermination(5, TimeUnit.SECONDS);
    server.close();
  }

  private HealthGrpc.HealthBlockingStub with(String... authorization) {
    var headers = new Metadata();
    for (var field : authorization) {
      headers.put(Metadata.Key.of("authorization", Metadata.ASCII_STRING_MARSHALLER), field);
    }
    return HealthGrpc.newBlockingStub(channel)
        .withInterceptors(MetadataUtils.newAttachHeadersInterceptor(headers));
  }

  private static StatusRuntimeException refusal(HealthGrpc.HealthBlockingStub stub) {
    return catchThrowableOfType(
        StatusRuntimeException.class, () -> stub.check(HealthCheckRequest.getDefaultInstance()));
  }

  @Test
  void aGrpcJavaServiceLearnsWhoCalls() {
    var _ = with("Bearer " + Issuer.token(KEY)).check(HealthCheckRequest.getDefaultInstance());
    assertThat(asked.callers)
        .singleElement()
        .isInstanceOfSatisfying(
            JwtPrincipal.class, caller -> assertThat(caller.subject()).isEqualTo("ada"));
  }

  @Test
  void whoMayNotIsDenied() {
    var token = Issuer.token(KEY, Issuer.claims().claim("scope", "orders").build(), _ -> {});
    assertThat(refusal(with("Bearer " + token)).getStatus().getCode())
        .isEqualTo(Status.Code.PERMISSION_DENIED);
    assertThat(asked.callers).isEmpty();
  }

  /// All octets that the client gets are compared: status, text and trailers.
  @Test
  void thePeerHearsNothingOfWhatWasWrong() {
    var answers = new ArrayList<String>();
    var claims = Issuer.claims();
    for (var stub :
        List.of(
            with(),
            with("Basic YWRhOng="),
            with("Bearer x"),
            with("Bearer " + "x".repeat(9_000)),
            with("Bearer " + Issuer.token(KEY), "Bearer " + Issuer.token(KEY)),
            with("Bearer " + Issuer.token(Issuer.ec("key-1"))),
            with("Bearer " + Issuer.token(Issuer.ec("unknown"))),
            with("Bearer " + Issuer.token(KEY, claims.audience("other").build(), _ -> {})),
            with("Bearer " + Issuer.token(KEY, claims.issuer("other").build(), _ -> {})),
            with(
                "Bearer "
                    + Issuer.token(
                        KEY, claims.expirationTime(Date.from(Instant.EPOCH)).build(), _ -> {})))) {
      var refused = refusal(stub);
      assertThat(refused.getStatus().getCode()).isEqualTo(Status.Code.UNAUTHENTICATED);
      answers.add(refused.getStatus().getDescription() + refused.getTrailers());
    }
    assertThat(answers.stream().distinct())
        .singleElement()
        .asString()
        .startsWith("no valid bearer token")
        .contains("www-authenticate=Bearer");
    assertThat(asked.callers).isEmpty();
  }

  @Test
  void reflectionIsNotOpenEither() throws Exception {
    var end = new CompletableFuture<Status.Code>();
    var requests =
        ServerReflectionGrpc.newStub(channel)
            .serverReflectionInfo(
                new StreamObserver<>() {
                  @Override
                  public void onNext(io.grpc.reflection.v1.ServerReflectionResponse response) {
                    end.complete(Status.Code.OK);
                  }

                  @Override
                  public void onError(Throwable t) {
                    end.complete(Status.fromThrowable(t).getCode());
                  }

                  @Override
                  public void onCompleted() {
                    end.complete(Status.Code.OK);
                  }
                });
    requests.onNext(ServerReflectionRequest.newBuilder().setListServices("").build());
    assertThat(end.get(10, TimeUnit.SECONDS)).isEqualTo(Status.Code.UNAUTHENTICATED);
  }

  @Test
  void aMisspeltOpenMethodStopsTheStart() throws Exception {
    var misspelt = trusting().open("grpc.health.v1.Health/Chek").build();
    assertThatThrownBy(() ->
            Server.builder()
                .guard(misspelt)
                .addService(new HealthStatusManager().getHealthService())
                .build())
        .hasMessageEndingWith("did you mean grpc.health.v1.Health/Check?");
    Server.builder().guard(trusting().openHealth().build()).build(); // without health: fine
  }
}
