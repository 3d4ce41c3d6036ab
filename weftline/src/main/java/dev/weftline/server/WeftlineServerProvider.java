package dev.weftline.server;

import io.grpc.InsecureServerCredentials;
import io.grpc.ServerBuilder;
import io.grpc.ServerCredentials;
import io.grpc.ServerProvider;

/// Makes `Grpc.newServerBuilderForPort` and `ServerBuilder.forPort` build a Weftline server,
/// wherever Weftline is on the class path. Found by grpc-java; not for direct use.
public final class WeftlineServerProvider extends ServerProvider {
  /// grpc-netty has 5. Whoever adds Weftline to a class path wants it used.
  private static final int PRIORITY = 8;

  /// For grpc-java's service loader.
  public WeftlineServerProvider() {}

  @Override
  protected boolean isAvailable() {
    return true;
  }

  @Override
  protected int priority() {
    return PRIORITY;
  }

  @Override
  protected ServerBuilder<?> builderForPort(int port) {
    return new WeftlineServerBuilder(port, InsecureServerCredentials.create());
  }

  /// Credentials that only another provider understands are left to it.
  @Override
  protected NewServerBuilderResult newServerBuilderForPort(
      int port, ServerCredentials credentials) {
    return Credentials.understood(credentials)
        .map(known -> NewServerBuilderResult.serverBuilder(new WeftlineServerBuilder(port, known)))
        .orElseGet(() ->
            NewServerBuilderResult.error(
                "Weftline does not understand " + credentials.getClass().getName()));
  }
}
