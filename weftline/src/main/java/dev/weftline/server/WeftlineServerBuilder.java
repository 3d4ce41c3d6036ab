package dev.weftline.server;

import io.grpc.BinaryLog;
import io.grpc.BindableService;
import io.grpc.CompressorRegistry;
import io.grpc.DecompressorRegistry;
import io.grpc.HandlerRegistry;
import io.grpc.ServerBuilder;
import io.grpc.ServerCredentials;
import io.grpc.ServerInterceptor;
import io.grpc.ServerServiceDefinition;
import io.grpc.ServerStreamTracer;
import io.grpc.ServerTransportFilter;
import io.grpc.TlsServerCredentials;
import java.io.File;
import java.io.IOException;
import java.io.InputStream;
import java.time.Duration;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/// grpc-java's server builder, building a Weftline server. Options that Weftline has no answer for
/// are refused with a sentence instead of being forgotten.
///
/// `executor`, `directExecutor` and `callExecutor` are accepted and have no effect: every call runs
/// on a virtual thread of its own, so there is nothing to choose.
public final class WeftlineServerBuilder extends ServerBuilder<WeftlineServerBuilder> {
  private final Server.Builder builder = Server.builder();
  private Limits limits = Limits.DEFAULT;

  WeftlineServerBuilder(int port, ServerCredentials credentials) {
    // Applications that build their servers this way bring their own hooks and services.
    builder.port(port).credentials(credentials).signals(false).health(false).reflection(false);
  }

  /// A builder for plain text on `port`.
  public static WeftlineServerBuilder forPort(int port) {
    return new WeftlineServerBuilder(port, io.grpc.InsecureServerCredentials.create());
  }

  /// A builder with these credentials on `port`.
  public static WeftlineServerBuilder forPort(int port, ServerCredentials credentials) {
    return new WeftlineServerBuilder(port, credentials);
  }

  @Override
  public WeftlineServerBuilder directExecutor() {
    return this;
  }

  @Override
  public WeftlineServerBuilder executor(@Nullable Executor executor) {
    return this;
  }

  @Override
  public WeftlineServerBuilder addService(ServerServiceDefinition service) {
    builder.addService(service);
    return this;
  }

  @Override
  public WeftlineServerBuilder addService(BindableService service) {
    builder.addService(service);
    return this;
  }

  @Override
  public WeftlineServerBuilder intercept(ServerInterceptor interceptor) {
    builder.intercept(interceptor);
    return this;
  }

  @Override
  public WeftlineServerBuilder addTransportFilter(ServerTransportFilter filter) {
    builder.transportFilter(filter);
    return this;
  }

  @Override
  public WeftlineServerBuilder addStreamTracerFactory(ServerStreamTracer.Factory factory) {
    builder.streamTracer(factory);
    return this;
  }

  @Override
  public WeftlineServerBuilder fallbackHandlerRegistry(@Nullable HandlerRegistry registry) {
    builder.fallback(registry);
    return this;
  }

  @Override
  public WeftlineServerBuilder useTransportSecurity(File chain, File key) {
    try {
      builder.credentials(TlsServerCredentials.create(chain, key));
    } catch (IOException e) {
      throw new IllegalArgumentException(e.getMessage(), e);
    }
    return this;
  }

  @Override
  public WeftlineServerBuilder useTransportSecurity(InputStream chain, InputStream key) {
    try {
      builder.credentials(TlsServerCredentials.create(chain, key));
    } catch (IOException e) {
      throw new IllegalArgumentException(e.getMessage(), e);
    }
    return this;
  }

  @Override
  public WeftlineServerBuilder decompressorRegistry(@Nullable DecompressorRegistry registry) {
    builder.decompressors(registry == null ? DecompressorRegistry.getDefaultInstance() : registry);
    return this;
  }

  @Override
  public WeftlineServerBuilder compressorRegistry(@Nullable CompressorRegistry registry) {
    builder.compressors(registry == null ? CompressorRegistry.getDefaultInstance() : registry);
    return this;
  }

  @Override
  public WeftlineServerBuilder handshakeTimeout(long timeout, TimeUnit unit) {
    limits = limits.withHandshake(Duration.of(timeout, unit.toChronoUnit()));
    return this;
  }

  @Override
  public WeftlineServerBuilder maxInboundMessageSize(int bytes) {
    limits = limits.withMaxInboundMessageBytes(bytes);
    return this;
  }

  @Override
  public WeftlineServerBuilder maxInboundMetadataSize(int bytes) {
    limits = limits.withFieldBytesMax(bytes);
    return this;
  }

  @Override
  public WeftlineServerBuilder setBinaryLog(@Nullable BinaryLog log) {
    builder.binaryLog(log);
    return this;
  }

  /// No effect: how often a client may ping is bounded for all clients alike, and more generously.
  @Override
  public WeftlineServerBuilder permitKeepAliveTime(long time, TimeUnit unit) {
    return this;
  }

  /// No effect: pings without calls are always permitted.
  @Override
  public WeftlineServerBuilder permitKeepAliveWithoutCalls(boolean permit) {
    return this;
  }

  @Override
  public WeftlineServerBuilder keepAliveTime(long time, TimeUnit unit) {
    throw refused("keepAliveTime");
  }

  @Override
  public WeftlineServerBuilder keepAliveTimeout(long time, TimeUnit unit) {
    throw refused("keepAliveTimeout");
  }

  @Override
  public WeftlineServerBuilder maxConnectionIdle(long time, TimeUnit unit) {
    throw refused("maxConnectionIdle");
  }

  @Override
  public WeftlineServerBuilder maxConnectionAge(long time, TimeUnit unit) {
    throw refused("maxConnectionAge");
  }

  @Override
  public WeftlineServerBuilder maxConnectionAgeGrace(long time, TimeUnit unit) {
    throw refused("maxConnectionAgeGrace");
  }

  private static UnsupportedOperationException refused(String option) {
    return new UnsupportedOperationException(
        option
            + " is not supported by Weftline yet: remove it, or keep grpc-netty for this server");
  }

  @Override
  public io.grpc.Server build() {
    return builder.limits(limits).build().grpcJava();
  }
}
