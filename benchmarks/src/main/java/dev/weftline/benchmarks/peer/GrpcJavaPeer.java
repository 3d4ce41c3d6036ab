package dev.weftline.benchmarks.peer;

import io.grpc.netty.NettyServerBuilder;
import java.io.IOException;
import java.util.function.UnaryOperator;

/// grpc-java on grpc-netty; its executor is what its users choose.
final class GrpcJavaPeer {
  private GrpcJavaPeer() {}

  static int start(UnaryOperator<NettyServerBuilder> executor) throws IOException {
    return executor
        .apply(NettyServerBuilder.forPort(0))
        .addService(new HelloService())
        .build()
        .start()
        .getPort();
  }
}
