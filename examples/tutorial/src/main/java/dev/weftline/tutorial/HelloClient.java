package dev.weftline.tutorial;

import dev.weftline.tutorial.hello.GreeterGrpc;
import dev.weftline.tutorial.hello.HelloRequest;
import io.grpc.Grpc;
import io.grpc.InsecureChannelCredentials;
import io.grpc.ManagedChannel;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;

/// Calls a greeter over a cleartext connection. Any thread may call; whoever made it closes it.
///
/// Every method blocks until its call has ended and throws [io.grpc.StatusRuntimeException] when
/// the call ended with anything but OK.
public final class HelloClient implements AutoCloseable {
  private static final int CALL_SECONDS_MAX = 10;

  private final ManagedChannel channel;

  /// A client of the greeter at this target, for example `localhost:50051`. Connects with the first
  /// call.
  public HelloClient(String target) {
    channel = Grpc.newChannelBuilder(target, InsecureChannelCredentials.create()).build();
  }

  /// One greeting.
  public String hello(String name) {
    return greeter().sayHello(request(name)).getMessage();
  }

  /// Several greetings, each handed over as it arrives.
  public void helloStream(String name, Consumer<String> greetings) {
    greeter()
        .sayHelloStream(request(name))
        .forEachRemaining(reply -> greetings.accept(reply.getMessage()));
  }

  @Override
  public void close() {
    channel.shutdownNow();
  }

  private GreeterGrpc.GreeterBlockingStub greeter() {
    return GreeterGrpc.newBlockingStub(channel)
        .withDeadlineAfter(CALL_SECONDS_MAX, TimeUnit.SECONDS);
  }

  private static HelloRequest request(String name) {
    return HelloRequest.newBuilder().setName(name).build();
  }
}
