package dev.weftline.server;

import dev.weftline.Service;
import io.grpc.protobuf.services.ProtoReflectionService;
import io.grpc.protobuf.services.ProtoReflectionServiceV1;
import java.util.List;

/// grpc-java's reflection, in both versions that clients ask for.
final class Reflection {
  private Reflection() {}

  @SuppressWarnings("deprecation") // v1alpha is still the only one that many installed tools know
  static List<Service> services() {
    return List.of(
        Service.of(ProtoReflectionServiceV1.newInstance()),
        Service.of(ProtoReflectionService.newInstance()));
  }
}
