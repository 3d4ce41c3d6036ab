package dev.weftline.benchmarks.peer;

import io.grpc.Grpc;
import io.grpc.InsecureServerCredentials;
import java.io.IOException;

/// Weftline, found the way an unchanged grpc-java application finds it.
final class WeftlinePeer {
  private WeftlinePeer() {}

  static int start() throws IOException {
    var builder = Grpc.newServerBuilderForPort(0, InsecureServerCredentials.create());
    // Without our provider grpc-java would answer in our name.
    if (!builder.getClass().getName().startsWith("dev.weftline.")) {
      throw new IllegalStateException("no Weftline on the class path: " + builder.getClass());
    }
    return builder.addService(new HelloService()).build().start().getPort();
  }
}
