package dev.weftline.tutorial;

import io.grpc.Channel;
import io.grpc.Grpc;
import io.grpc.InsecureChannelCredentials;
import io.grpc.InsecureServerCredentials;
import io.grpc.ManagedChannel;
import io.grpc.Server;
import java.io.IOException;
import java.util.concurrent.TimeUnit;

/// The tutorial's services on a free port, and a channel to them.
final class TutorialServer {
  private final Server server;
  private final ManagedChannel channel;

  TutorialServer() throws IOException {
    var builder = Grpc.newServerBuilderForPort(0, InsecureServerCredentials.create());
    Tutorial.services().forEach(builder::addService);
    server = builder.build().start();
    channel = Grpc.newChannelBuilder(target(), InsecureChannelCredentials.create()).build();
  }

  String target() {
    return "localhost:" + server.getPort();
  }

  Channel channel() {
    return channel;
  }

  void stop() throws InterruptedException {
    channel.shutdownNow();
    server.shutdownNow();
    if (!server.awaitTermination(10, TimeUnit.SECONDS)) {
      throw new IllegalStateException("the server did not end within 10 s");
    }
  }
}
