package dev.weftline.server;

import static dev.weftline.testing.Probe.answer;
import static dev.weftline.testing.Probe.ask;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.google.protobuf.ByteString;
import dev.weftline.Service;
import dev.weftline.probe.Answer;
import dev.weftline.probe.Ask;
import dev.weftline.probe.ProbeGrpc;
import dev.weftline.probe.ProbeGrpc.ProbeImplBase;
import dev.weftline.testing.EchoService;
import dev.weftline.testing.RunningServer;
import io.grpc.Attributes;
import io.grpc.CallOptions;
import io.grpc.Channel;
import io.grpc.ClientCall;
import io.grpc.ClientInterceptor;
import io.grpc.ClientInterceptors;
import io.grpc.Context;
import io.grpc.Contexts;
import io.grpc.ForwardingClientCall.SimpleForwardingClientCall;
import io.grpc.ForwardingClientCallListener.SimpleForwardingClientCallListener;
import io.grpc.Grpc;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import io.grpc.ServerCall;
import io.grpc.ServerCallHandler;
import io.grpc.ServerInterceptor;
import io.grpc.ServerStreamTracer;
import io.grpc.ServerTransportFilter;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.channelz.v1.ChannelzGrpc;
import io.grpc.channelz.v1.GetServerSocketsRequest;
import io.grpc.channelz.v1.GetServersRequest;
import io.grpc.channelz.v1.GetSocketRequest;
import io.grpc.health.v1.HealthCheckRequest;
import io.grpc.health.v1.HealthCheckResponse;
import io.grpc.health.v1.HealthCheckResponse.ServingStatus;
import io.grpc.health.v1.HealthGrpc;
import io.grpc.protobuf.services.ChannelzService;
import io.grpc.protobuf.services.HealthStatusManager;
import io.grpc.protobuf.services.ProtoReflectionService;
import io.grpc.protobuf.services.ProtoReflectionServiceV1;
import io.grpc.reflection.v1.ServerReflectionGrpc;
import io.grpc.reflection.v1.ServerReflectionRequest;
import io.grpc.reflection.v1.ServerReflectionResponse;
import io.grpc.stub.MetadataUtils;
import io.grpc.stub.ServerCallStreamObserver;
import io.grpc.stub.StreamObserver;
import io.grpc.util.MutableHandlerRegistry;
import java.net.InetSocketAddress;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/// grpc-java's services and clients, unchanged, over a real connection.
@Timeout(60)
final class GrpcJavaServicesTest {
  private static final Metadata.Key<String> NAME =
      Metadata.Key.of("name", Metadata.ASCII_STRING_MARSHALLER);
  private static final Context.Key<String> CALLER = Context.key("caller");

  private final BlockingQueue<Object> seen = new LinkedBlockingQueue<>();

  private Object next() throws InterruptedException {
    var event = seen.poll(10, TimeUnit.SECONDS);
    return event == null ? "nothing within 10 s" : event;
  }

  /// Collects what a stream receives.
  private final class Collector<T> implements StreamObserver<T> {
    final CompletableFuture<List<Object>> done = new CompletableFuture<>();
    private final List<Object> received = new java.util.ArrayList<>();

    @Override
    public void onNext(T value) {
      received.add(value);
      seen.add(value);
    }

    @Override
    public void onError(Throwable t) {
      done.completeExceptionally(t);
    }

    @Override
    public void onCompleted() {
      done.complete(received);
    }
  }

  @Test
  void interceptorsRunInGrpcJavasOrderAndTheirContextReachesTheService() {
    ServerInterceptor first = named("first");
    ServerInterceptor second = named("second");
    ServerInterceptor own = named("own");
    ServerInterceptor caller =
        new ServerInterceptor() {
          @Override
          public <Q, A> ServerCall.Listener<Q> interceptCall(
              ServerCall<Q, A> call, Metadata headers, ServerCallHandler<Q, A> next) {
            var context = Context.current().withValue(CALLER, String.valueOf(headers.get(NAME)));
            return Contexts.interceptCall(context, call, headers, next);
          }
        };
    var service =
        new ProbeImplBase() {
          @Override
          public void unary(Ask ask, StreamObserver<Answer> observer) {
            observer.onNext(answer(ask.getText() + " from " + CALLER.get()));
            observer.onCompleted();
          }
        };
    try (var running =
        RunningServer.with(builder ->
            builder
                .addService(Service.of(service).intercept(own))
                .intercept(caller)
                .intercept(first)
                .intercept(second))) {
      var metadata = new Metadata();
      metadata.put(NAME, "tester");
      var stub =
          running.blocking().withInterceptors(MetadataUtils.newAttachHeadersInterceptor(metadata));
      assertThat(stub.unary(ask("hello"))).isEqualTo(answer("hello from tester"));
      assertThat(seen).containsExactly("second", "first", "own");
    }
  }

  private ServerInterceptor named(String name) {
    return new ServerInterceptor() {
      @Override
      public <Q, A> ServerCall.Listener<Q> interceptCall(
          ServerCall<Q, A> call, Metadata headers, ServerCallHandler<Q, A> next) {
        seen.add(name);
        return next.startCall(call, headers);
      }
    };
  }

  @Test
  void aCallKnowsItsPeerAuthorityAndSecurity() throws Exception {
    ServerInterceptor looking =
        new ServerInterceptor() {
          @Override
          public <Q, A> ServerCall.Listener<Q> interceptCall(
              ServerCall<Q, A> call, Metadata headers, ServerCallHandler<Q, A> next) {
            seen.add(String.valueOf(call.getAuthority()));
            seen.add(call.getSecurityLevel());
            seen.add(call.getMethodDescriptor().getFullMethodName());
            var remote = call.getAttributes().get(Grpc.TRANSPORT_ATTR_REMOTE_ADDR);
            seen.add(
                remote instanceof InetSocketAddress inet
                    ? inet.getAddress().getHostAddress()
                    : "?");
            return next.startCall(call, headers);
          }
        };
    try (var running =
        RunningServer.with(b -> b.addService(new EchoService()).intercept(looking))) {
      running.blocking().unary(ask("x"));
      assertThat(next()).isEqualTo("127.0.0.1:" + running.server().port());
      assertThat(next()).isEqualTo(io.grpc.SecurityLevel.NONE);
      assertThat(next()).isEqualTo("weftline.probe.Probe/Unary");
      assertThat(next()).isEqualTo("127.0.0.1");
    }
  }

  @Test
  void gzipBothWays() throws Exception {
    var service =
        new ProbeImplBase() {
          @Override
          public void down(Ask ask, StreamObserver<Answer> observer) {
            var call = (ServerCallStreamObserver<Answer>) observer;
            call.setCompression("gzip");
            call.onNext(answer(ask.getText()));
            call.setMessageCompression(false);
            call.onNext(answer("plain"));
            call.onCompleted();
          }
        };
    var responseHeaders = new AtomicReference<Metadata>();
    try (var running = RunningServer.of(service)) {
      var channel = ClientInterceptors.intercept(running.channel(), capturing(responseHeaders));
      var text = "x".repeat(100_000);
      var replies = ProbeGrpc.newBlockingStub(channel).withCompression("gzip").down(ask(text));
      assertThat(replies.next()).isEqualTo(answer(text));
      assertThat(replies.next()).isEqualTo(answer("plain"));
      assertThat(replies.hasNext()).isFalse();
      var encoding = Metadata.Key.of("grpc-encoding", Metadata.ASCII_STRING_MARSHALLER);
      assertThat(responseHeaders.get().get(encoding)).isEqualTo("gzip");
    }
  }

  private static ClientInterceptor capturing(AtomicReference<Metadata> headers) {
    return new ClientInterceptor() {
      @Override
      public <Q, A> ClientCall<Q, A> interceptCall(
          MethodDescriptor<Q, A> method, CallOptions options, Channel next) {
        return new SimpleForwardingClientCall<>(next.newCall(method, options)) {
          @Override
          public void start(Listener<A> listener, Metadata request) {
            super.start(
                new SimpleForwardingClientCallListener<>(listener) {
                  @Override
                  public void onHeaders(Metadata received) {
                    headers.set(received);
                    super.onHeaders(received);
                  }
                },
                request);
          }
        };
      }
    };
  }

  @Test
  void statusDetailsAndTrailersArrive() {
    var details = Metadata.Key.of("grpc-status-details-bin", Metadata.BINARY_BYTE_MARSHALLER);
    var service =
        new ProbeImplBase() {
          @Override
          public void unary(Ask ask, StreamObserver<Answer> observer) {
            var trailers = new Metadata();
            trailers.put(details, new byte[] {1, 2, 3});
            trailers.put(NAME, "value");
            observer.onError(
                Status.FAILED_PRECONDITION
                    .withDescription("100 % größer\n")
                    .asRuntimeException(trailers));
          }
        };
    try (var running = RunningServer.of(service)) {
      assertThatThrownBy(() -> running.blocking().unary(ask("x")))
          .isInstanceOfSatisfying(
              StatusRuntimeException.class,
              e -> {
                assertThat(e.getStatus().getCode()).isEqualTo(Status.Code.FAILED_PRECONDITION);
                assertThat(e.getStatus().getDescription()).isEqualTo("100 % größer\n");
                var trailers = e.getTrailers();
                assertThat(trailers == null ? null : trailers.get(details))
                    .containsExactly(1, 2, 3);
                assertThat(trailers == null ? null : trailers.get(NAME)).isEqualTo("value");
              });
    }
  }

  @Test
  void healthChecksAndWatches() throws Exception {
    var health = new HealthStatusManager();
    try (var running = RunningServer.of(health.getHealthService())) {
      var request = HealthCheckRequest.newBuilder().setService("").build();
      assertThat(HealthGrpc.newBlockingStub(running.channel()).check(request).getStatus())
          .isEqualTo(ServingStatus.SERVING);
      var watch = new Collector<HealthCheckResponse>();
      HealthGrpc.newStub(running.channel()).watch(request, watch);
      assertThat(((HealthCheckResponse) next()).getStatus()).isEqualTo(ServingStatus.SERVING);
      health.setStatus("", ServingStatus.NOT_SERVING);
      assertThat(((HealthCheckResponse) next()).getStatus()).isEqualTo(ServingStatus.NOT_SERVING);
      assertThat(watch.done).isNotDone();
    }
  }

  @Test
  void reflectionListsServicesInBothVersions() throws Exception {
    try (var running =
        RunningServer.with(builder ->
            builder
                .addService(new EchoService())
                .addService(ProtoReflectionServiceV1.newInstance())
                .addService(alphaReflection()))) {
      var v1 = new Collector<ServerReflectionResponse>();
      var ask = ServerReflectionGrpc.newStub(running.channel()).serverReflectionInfo(v1);
      ask.onNext(ServerReflectionRequest.newBuilder().setListServices("").build());
      assertThat(next().toString()).contains("weftline.probe.Probe");
      ask.onNext(
          ServerReflectionRequest.newBuilder()
              .setFileContainingSymbol("weftline.probe.Ask")
              .build());
      assertThat(
              ((ServerReflectionResponse) next())
                  .getFileDescriptorResponse()
                  .getFileDescriptorProtoCount())
          .isEqualTo(1);
      ask.onCompleted();
      assertThat(v1.done.get(5, TimeUnit.SECONDS)).hasSize(2);

      var alpha = new Collector<io.grpc.reflection.v1alpha.ServerReflectionResponse>();
      var askAlpha =
          io.grpc.reflection.v1alpha.ServerReflectionGrpc.newStub(running.channel())
              .serverReflectionInfo(alpha);
      askAlpha.onNext(
          io.grpc.reflection.v1alpha.ServerReflectionRequest.newBuilder()
              .setListServices("")
              .build());
      assertThat(next().toString()).contains("weftline.probe.Probe");
      askAlpha.onCompleted();
    }
  }

  @SuppressWarnings("deprecation") // v1alpha is what older tools still ask for
  private static io.grpc.BindableService alphaReflection() {
    return ProtoReflectionService.newInstance();
  }

  @Test
  void filtersSeeConnectionsAndAddAttributes() throws Exception {
    var key = Attributes.Key.<String>create("filtered");
    var filter =
        new ServerTransportFilter() {
          @Override
          public Attributes transportReady(Attributes attributes) {
            return attributes.toBuilder().set(key, "yes").build();
          }

          @Override
          public void transportTerminated(Attributes attributes) {
            seen.add("terminated " + attributes.get(key));
          }
        };
    ServerInterceptor looking =
        new ServerInterceptor() {
          @Override
          public <Q, A> ServerCall.Listener<Q> interceptCall(
              ServerCall<Q, A> call, Metadata headers, ServerCallHandler<Q, A> next) {
            seen.add("call " + call.getAttributes().get(key));
            return next.startCall(call, headers);
          }
        };
    try (var running =
        RunningServer.with(
            b -> b.addService(new EchoService()).transportFilter(filter).intercept(looking))) {
      running.blocking().unary(ask("x"));
      assertThat(next()).isEqualTo("call yes");
      running.channel().shutdownNow();
      assertThat(next()).isEqualTo("terminated yes");
    }
  }

  @Test
  void tracersSeeTheLifeOfACall() throws Exception {
    var factory =
        new ServerStreamTracer.Factory() {
          @Override
          public ServerStreamTracer newServerStreamTracer(String method, Metadata headers) {
            return new ServerStreamTracer() {
              @Override
              public void serverCallStarted(ServerCallInfo<?, ?> info) {
                seen.add("started " + info.getMethodDescriptor().getFullMethodName());
              }

              @Override
              public void inboundMessage(int number) {
                seen.add("in " + number);
              }

              @Override
              public void outboundMessage(int number) {
                seen.add("out " + number);
              }

              @Override
              public void streamClosed(Status status) {
                seen.add("closed " + status.getCode());
              }
            };
          }
        };
    try (var running =
        RunningServer.with(b -> b.addService(new EchoService()).streamTracer(factory))) {
      running.blocking().unary(ask("x"));
      assertThat(next()).isEqualTo("started weftline.probe.Probe/Unary");
      assertThat(next()).isEqualTo("in 0");
      assertThat(next()).isEqualTo("out 0");
      assertThat(next()).isEqualTo("closed OK");
    }
  }

  @Test
  void servicesMayComeWhileTheServerRuns() {
    var registry = new MutableHandlerRegistry();
    try (var running = RunningServer.with(builder -> builder.fallback(registry))) {
      assertThatThrownBy(() -> running.blocking().unary(ask("x")))
          .hasMessageContaining("UNIMPLEMENTED: Method not found: weftline.probe.Probe/Unary");
      registry.addService(new EchoService());
      assertThat(running.blocking().unary(ask("x"))).isEqualTo(answer("x"));
    }
  }

  @Test
  void messagesFarLargerThanAnyWindow() {
    try (var running =
        RunningServer.with(builder ->
            builder
                .addService(new EchoService())
                .limits(Limits.DEFAULT.withMaxInboundMessageBytes(32 << 20)))) {
      var body = ByteString.copyFrom(new byte[20 << 20]);
      var reply = running.blocking().unary(Ask.newBuilder().setBody(body).build());
      assertThat(reply.getBody()).isEqualTo(body);
    }
  }

  @Test
  void orderHoldsUnderLoad() throws Exception {
    try (var running = RunningServer.of(new EchoService())) {
      var streams = new java.util.ArrayList<Collector<Answer>>();
      var senders = new java.util.ArrayList<Thread>();
      for (int s = 0; s < 20; s++) {
        var collector = new Collector<Answer>();
        streams.add(collector);
        var requests = running.async().chat(collector);
        senders.add(
            Thread.startVirtualThread(() -> {
              for (int i = 0; i < 500; i++) requests.onNext(ask(i));
              requests.onCompleted();
            }));
      }
      for (var sender : senders) sender.join();
      for (var stream : streams) {
        var received = stream.done.get(20, TimeUnit.SECONDS);
        assertThat(received).hasSize(500);
        for (int i = 0; i < 500; i++) assertThat(received.get(i)).isEqualTo(answer(i));
      }
    }
  }

  @Test
  void aClientThatCancelsFiresListenersAndInterrupts() throws Exception {
    var service =
        new ProbeImplBase() {
          @Override
          public void down(Ask ask, StreamObserver<Answer> observer) {
            Context.current().addListener(_ -> seen.add("listener"), Runnable::run);
            observer.onNext(answer("first"));
            try {
              Thread.sleep(30_000);
            } catch (InterruptedException e) {
              seen.add("interrupted");
            }
          }
        };
    try (var running = RunningServer.of(service)) {
      var context = Context.current().withCancellation();
      context.run(
          () -> assertThat(running.blocking().down(ask("x")).next()).isEqualTo(answer("first")));
      context.cancel(null);
      assertThat(next()).isEqualTo("listener");
      assertThat(next()).isEqualTo("interrupted");
    }
  }

  /// The small form of ten million messages to a client that does not read.
  @Test
  void aPlainLoopOfOnNextStaysBounded() throws Exception {
    int messages = 100_000;
    var sent = new java.util.concurrent.atomic.AtomicInteger();
    var service =
        new ProbeImplBase() {
          @Override
          public void down(Ask ask, StreamObserver<Answer> observer) {
            for (int i = 0; i < messages; i++) {
              observer.onNext(Answer.newBuilder().setNumber(i).setBody(ask.getBody()).build());
              sent.incrementAndGet();
            }
            observer.onCompleted();
          }
        };
    try (var running = RunningServer.of(service)) {
      var request = Ask.newBuilder().setBody(ByteString.copyFrom(new byte[1 << 10])).build();
      var replies = running.blocking().down(request);
      assertThat(replies.next().getNumber()).isZero();
      int stalled = -1;
      for (int i = 0; i < 50 && stalled != sent.get(); i++) {
        stalled = sent.get();
        Thread.sleep(300);
      }
      assertThat(sent.get()).as("still sending to a stalled reader").isEqualTo(stalled);
      // What fits the client's window, the sockets' buffers and one call's send buffer.
      assertThat(stalled).isLessThan(20_000);
      int received = 1;
      while (replies.hasNext()) assertThat(replies.next().getNumber()).isEqualTo(received++);
      assertThat(received).isEqualTo(messages);
    }
  }

  @Test
  void channelzShowsServerSocketsAndCounts() {
    try (var running =
        RunningServer.with(builder ->
            builder.addService(new EchoService()).addService(ChannelzService.newInstance(100)))) {
      for (int i = 0; i < 3; i++) running.blocking().unary(ask("x"));
      var channelz = ChannelzGrpc.newBlockingStub(running.channel());
      var ours =
          channelz.getServers(GetServersRequest.getDefaultInstance()).getServerList().stream()
              .filter(server -> server.getRef().getName().contains("weftline"))
              .toList();
      assertThat(ours).isNotEmpty();
      var server = ours.getLast();
      assertThat(server.getData().getCallsStarted()).isGreaterThanOrEqualTo(4);
      assertThat(server.getData().getCallsSucceeded()).isGreaterThanOrEqualTo(3);
      assertThat(server.getListenSocketList()).hasSize(1);
      var sockets =
          channelz.getServerSockets(
              GetServerSocketsRequest.newBuilder()
                  .setServerId(server.getRef().getServerId())
                  .build());
      assertThat(sockets.getSocketRefList()).hasSize(1);
      var socket =
          channelz.getSocket(
              GetSocketRequest.newBuilder()
                  .setSocketId(sockets.getSocketRef(0).getSocketId())
                  .build());
      assertThat(socket.getSocket().getLocal().getTcpipAddress().getPort())
          .isEqualTo(running.server().port());
    }
  }
}
