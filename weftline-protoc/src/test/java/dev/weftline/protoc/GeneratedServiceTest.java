package dev.weftline.protoc;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.weftline.Placed;
import dev.weftline.Placement;
import dev.weftline.Receiver;
import dev.weftline.Sender;
import dev.weftline.Service;
import dev.weftline.server.Server;
import io.grpc.CallOptions;
import io.grpc.Channel;
import io.grpc.ClientCall;
import io.grpc.ClientInterceptor;
import io.grpc.ClientInterceptors;
import io.grpc.Grpc;
import io.grpc.InsecureChannelCredentials;
import io.grpc.ManagedChannel;
import io.grpc.MethodDescriptor;
import io.grpc.examples.helloworld.Greeter;
import io.grpc.examples.helloworld.HelloReply;
import io.grpc.examples.helloworld.HelloRequest;
import io.grpc.protobuf.services.ProtoReflectionServiceV1;
import io.grpc.reflection.v1.ServerReflectionGrpc;
import io.grpc.reflection.v1.ServerReflectionRequest;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import names.Client;
import names.NamesOuterClass.Name;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/// Generated services and clients on a real server.
final class GeneratedServiceTest {
  @Placed(Placement.SHARED)
  static final class Hello implements Greeter {
    @Override
    public HelloReply sayHello(HelloRequest request) {
      return reply("Hello " + request.getName());
    }

    @Override
    public void lotsOfReplies(HelloRequest request, Sender<HelloReply> replies) {
      for (int i = 1; i <= 3; i++) replies.send(reply("Hello " + request.getName() + " " + i));
    }

    @Override
    public HelloReply lotsOfGreetings(Receiver<HelloRequest> requests) {
      var names = new ArrayList<String>();
      for (var request : requests) names.add(request.getName());
      return reply("Hello " + String.join(", ", names));
    }

    @Override
    public void bidiHello(Receiver<HelloRequest> requests, Sender<HelloReply> replies) {
      for (var request : requests) replies.send(reply("Hello " + request.getName()));
    }
  }

  /// Only one method of many, and one whose name Java needs for itself.
  static final class Names implements Client {
    @Override
    public void wait_(Receiver<Name> requests, Sender<Name> replies) {
      for (var request : requests) replies.send(request);
    }
  }

  private Server server;
  private ManagedChannel channel;
  private Greeter.Client greeter;

  @BeforeEach
  void start() throws IOException {
    server =
        Server.builder()
            .addService(Greeter.service(new Hello()))
            .addService(Client.service(new Names()))
            .addService(ProtoReflectionServiceV1.newInstance())
            .start();
    channel =
        Grpc.newChannelBuilder("localhost:" + server.port(), InsecureChannelCredentials.create())
            .build();
    greeter = Greeter.client(channel);
  }

  @AfterEach
  void stop() throws InterruptedException {
    channel.shutdownNow();
    assertThat(channel.awaitTermination(10, TimeUnit.SECONDS)).isTrue();
    server.close();
  }

  @Test
  void aClientIsCalledLikeTheService() throws Exception {
    for (var hello : List.<Greeter>of(new Hello(), greeter)) {
      assertThat(hello.sayHello(request("Ada"))).isEqualTo(reply("Hello Ada"));

      var replies = new ArrayList<HelloReply>();
      hello.lotsOfReplies(request("Ada"), replies::add);
      assertThat(replies)
          .containsExactly(reply("Hello Ada 1"), reply("Hello Ada 2"), reply("Hello Ada 3"));

      var names = List.of(request("Ada"), request("Grace"));
      assertThat(hello.lotsOfGreetings(Receiver.of(names))).isEqualTo(reply("Hello Ada, Grace"));

      replies.clear();
      hello.bidiHello(Receiver.of(names), replies::add);
      assertThat(replies).containsExactly(reply("Hello Ada"), reply("Hello Grace"));
    }
  }

  @Test
  void aStreamMayBeLeftOpen() {
    try (var call = greeter.lotsOfReplies(request("Ada"))) {
      assertThat(call)
          .containsExactly(reply("Hello Ada 1"), reply("Hello Ada 2"), reply("Hello Ada 3"));
    }
    try (var call = greeter.lotsOfGreetings()) {
      call.send(request("Ada"));
      call.send(request("Grace"));
      assertThat(call.reply()).isEqualTo(reply("Hello Ada, Grace"));
    }
    try (var call = greeter.bidiHello()) {
      var replies = call.iterator();
      call.send(request("Ada"));
      assertThat(replies.next()).isEqualTo(reply("Hello Ada"));
      call.send(request("Grace"));
      assertThat(replies.next()).isEqualTo(reply("Hello Grace"));
      call.halfClose();
      assertThat(replies.hasNext()).isFalse();
    }
  }

  @Test
  void aMethodLeftOutIsUnimplemented() {
    assertThatThrownBy(() -> Client.client(channel).getUserById(Name.getDefaultInstance()))
        .hasMessage("UNIMPLEMENTED: Method not found: names.Client/get_user_by_id");
  }

  @Test
  void aMethodWhoseNameJavaNeedsIsServed() {
    var name = Name.getDefaultInstance();
    var replies = new ArrayList<Name>();
    Client.client(channel).wait_(Receiver.of(List.of(name, name)), replies::add);
    assertThat(replies).containsExactly(name, name);
  }

  @Test
  void placementIsReadFromTheImplementation() {
    assertThat(Greeter.service(new Hello()).methods())
        .hasSize(4)
        .extracting(Service.Method::placement)
        .containsOnly(Placement.SHARED);
  }

  @Test
  void eachCallHasItsOwnDeadlineAndTheOptionsAskedFor() {
    var seen = new ArrayList<CallOptions>();
    var client =
        Greeter.client(ClientInterceptors.intercept(channel, new Recorder(seen)))
            .withOptions(options -> options.withMaxInboundMessageSize(1_000))
            .withDeadline(Duration.ofMinutes(1));
    client.sayHello(request("Ada"));
    client.sayHello(request("Grace"));
    assertThat(seen)
        .hasSize(2)
        .allSatisfy(options -> assertThat(options.getMaxInboundMessageSize()).isEqualTo(1_000));
    assertThat(seen.get(1).getDeadline()).isGreaterThan(seen.get(0).getDeadline());
  }

  private record Recorder(List<CallOptions> seen) implements ClientInterceptor {
    @Override
    public <ReqT, RespT> ClientCall<ReqT, RespT> interceptCall(
        MethodDescriptor<ReqT, RespT> method, CallOptions options, Channel next) {
      seen.add(options);
      return next.newCall(method, options);
    }
  }

  @Test
  void reflectionShowsTheProto() throws Exception {
    var call = ServerReflectionGrpc.newBlockingV2Stub(channel).serverReflectionInfo();
    call.write(
        ServerReflectionRequest.newBuilder().setFileContainingSymbol("helloworld.Greeter").build());
    var file =
        com.google.protobuf.DescriptorProtos.FileDescriptorProto.parseFrom(
            call.read().getFileDescriptorResponse().getFileDescriptorProto(0));
    assertThat(file.getName()).isEqualTo("hello.proto");
    call.cancel("seen enough", null);
  }

  private static HelloRequest request(String name) {
    return HelloRequest.newBuilder().setName(name).build();
  }

  private static HelloReply reply(String message) {
    return HelloReply.newBuilder().setMessage(message).build();
  }
}
