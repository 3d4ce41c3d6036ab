package dev.weftline.tutorial;

import dev.weftline.tutorial.hello.Greeter;
import dev.weftline.tutorial.hello.HelloRequest;
import io.grpc.Grpc;
import io.grpc.InsecureChannelCredentials;
import io.grpc.ManagedChannel;
import java.time.Duration;
import java.util.function.Consumer;

/// Calls a greeter over a cleartext connection. Any thread may call; whoever made it closes it.
///
/// Every method blocks until its call has ended and throws [io.grpc.StatusRuntimeException] when
/// the call ended with anything but OK.
public final class HelloClient implements AutoCloseable {
  private static final Duration CALL_MAX = Duration.ofSeconds(10);

  private final ManagedChannel channel;
  private final Greeter.Client greeter;

  /// A client of the greeter at this target, for example `localhost:50051`. Connects with the first
  /// call.
  public HelloClient(String target) {
    channel = Grpc.newChannelBuilder(target, InsecureChannelCredentials.create()).build();
    greeter = Greeter.client(channel);
  }

  /// One greeting.
  public String hello(String name) {
    return greeter.withDeadline(CALL_MAX).sayHello(request(name)).getMessage();
  }

  /// Several greetings, each handed over as it arrives.
  public void helloStream(String name, Consumer<String> greetings) {
    greeter
        .withDeadline(CALL_MAX)
        .sayHelloStream(request(name), reply -> greetings.accept(reply.getMessage()));
  }

  @Override
  public void close() {
    channel.shutdownNow();
  }

  private static HelloRequest request(String name) {
    return HelloRequest.newBuilder().setName(name).build();
  }
}
