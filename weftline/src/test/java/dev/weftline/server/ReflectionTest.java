package dev.weftline.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.weftline.client.OutboundCall;
import dev.weftline.testing.EchoService;
import dev.weftline.testing.RunningServer;
import io.grpc.CallOptions;
import io.grpc.reflection.v1.ServerReflectionGrpc;
import io.grpc.reflection.v1.ServerReflectionRequest;
import io.grpc.reflection.v1.ServiceResponse;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/// What a server tells of its services, without being told to.
@Timeout(60)
final class ReflectionTest {
  private static final String[] ALL = {
    "grpc.health.v1.Health",
    "grpc.reflection.v1.ServerReflection",
    "grpc.reflection.v1alpha.ServerReflection",
    "weftline.probe.Probe"
  };

  @Test
  void bothVersionsListEveryServiceWithHealthAndThemselves() {
    try (var running = RunningServer.of(new EchoService());
        var v1 =
            OutboundCall.open(
                running.channel(),
                ServerReflectionGrpc.getServerReflectionInfoMethod(),
                CallOptions.DEFAULT);
        var alpha =
            OutboundCall.open(
                running.channel(),
                io.grpc.reflection.v1alpha.ServerReflectionGrpc.getServerReflectionInfoMethod(),
                CallOptions.DEFAULT)) {
      v1.send(ServerReflectionRequest.newBuilder().setListServices("").build());
      assertThat(v1.iterator().next().getListServicesResponse().getServiceList())
          .extracting(ServiceResponse::getName)
          .containsExactlyInAnyOrder(ALL);
      alpha.send(
          io.grpc.reflection.v1alpha.ServerReflectionRequest.newBuilder()
              .setListServices("")
              .build());
      assertThat(alpha.iterator().next().getListServicesResponse().getServiceList())
          .extracting(io.grpc.reflection.v1alpha.ServiceResponse::getName)
          .containsExactlyInAnyOrder(ALL);
    }
  }

  /// Whose descriptors are made by hand, and lead to the .proto nevertheless.
  @Test
  void healthIsDescribed() {
    try (var running = RunningServer.of(new EchoService());
        var v1 =
            OutboundCall.open(
                running.channel(),
                ServerReflectionGrpc.getServerReflectionInfoMethod(),
                CallOptions.DEFAULT)) {
      v1.send(
          ServerReflectionRequest.newBuilder()
              .setFileContainingSymbol("grpc.health.v1.Health.List")
              .build());
      var file = v1.iterator().next().getFileDescriptorResponse().getFileDescriptorProto(0);
      assertThat(file.toStringUtf8()).contains("grpc/health/v1/health.proto", "HealthListResponse");
    }
  }

  @Test
  void aServerThatIsToldNotToDescribeItselfDoesNot() {
    try (var running =
            RunningServer.with(builder -> builder.addService(new EchoService()).reflection(false));
        var v1 =
            OutboundCall.open(
                running.channel(),
                ServerReflectionGrpc.getServerReflectionInfoMethod(),
                CallOptions.DEFAULT)) {
      assertThatThrownBy(() -> v1.iterator().hasNext()).hasMessageContaining("UNIMPLEMENTED");
    }
  }
}
