package dev.weftline.tutorial;

import dev.weftline.server.Server;
import io.grpc.Channel;
import io.grpc.Grpc;
import io.grpc.InsecureChannelCredentials;
import io.grpc.ManagedChannel;
import java.io.IOException;
import java.time.Duration;

/// The tutorial's services on a free port, and a channel to them.
final class TutorialServer {
  private final Server server;
  private final ManagedChannel channel;
  private final String target;

  TutorialServer() throws IOException {
    var builder = Server.builder().port(0);
    Tutorial.services().forEach(builder::addService);
    server = builder.start();
    target = "localhost:" + server.port();
    channel = Grpc.newChannelBuilder(target, InsecureChannelCredentials.create()).build();
  }

  String target() {
    return target;
  }

  Channel channel() {
    return channel;
  }

  void stop() throws InterruptedException {
    channel.shutdownNow();
    server.shutdown(Duration.ofSeconds(10));
  }
}
