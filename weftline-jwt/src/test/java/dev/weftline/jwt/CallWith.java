package dev.weftline.jwt;

import dev.weftline.CallInfo;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import io.grpc.health.v1.HealthGrpc;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.security.Principal;
import java.time.Duration;
import java.util.Optional;
import javax.net.ssl.SSLSession;

/// A call as a guard sees it, with these headers.
record CallWith(MethodDescriptor<?, ?> method, Metadata headers) implements CallInfo {
  private static final Metadata.Key<String> AUTHORIZATION =
      Metadata.Key.of("authorization", Metadata.ASCII_STRING_MARSHALLER);

  /// One authorization field for each.
  static CallWith fields(String... authorization) {
    var headers = new Metadata();
    for (var field : authorization) headers.put(AUTHORIZATION, field);
    return new CallWith(HealthGrpc.getWatchMethod(), headers);
  }

  static CallWith token(String token) {
    return fields("Bearer " + token);
  }

  @Override
  public SocketAddress peer() {
    return InetSocketAddress.createUnresolved("192.0.2.1", 4711);
  }

  @Override
  public Optional<String> authority() {
    return Optional.empty();
  }

  @Override
  public Optional<SSLSession> tlsSession() {
    return Optional.empty();
  }

  @Override
  public Optional<Duration> deadlineLeft() {
    return Optional.empty();
  }

  @Override
  public Optional<Principal> principal() {
    return Optional.empty();
  }
}
