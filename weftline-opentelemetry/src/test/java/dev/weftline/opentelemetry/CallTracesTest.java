package dev.weftline.opentelemetry;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.weftline.Handler;
import dev.weftline.Service;
import dev.weftline.server.Server;
import dev.weftline.tutorial.hello.GreeterGrpc;
import dev.weftline.tutorial.hello.HelloReply;
import dev.weftline.tutorial.hello.HelloRequest;
import io.grpc.Grpc;
import io.grpc.InsecureChannelCredentials;
import io.grpc.ManagedChannel;
import io.grpc.Metadata;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.stub.MetadataUtils;
import io.opentelemetry.api.common.AttributeKey;
import io.opentelemetry.api.trace.Span;
import io.opentelemetry.api.trace.SpanKind;
import io.opentelemetry.api.trace.StatusCode;
import io.opentelemetry.api.trace.propagation.W3CTraceContextPropagator;
import io.opentelemetry.context.propagation.ContextPropagators;
import io.opentelemetry.sdk.OpenTelemetrySdk;
import io.opentelemetry.sdk.testing.exporter.InMemorySpanExporter;
import io.opentelemetry.sdk.trace.SdkTracerProvider;
import io.opentelemetry.sdk.trace.data.SpanData;
import io.opentelemetry.sdk.trace.export.SimpleSpanProcessor;
import io.opentelemetry.sdk.trace.samplers.Sampler;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/// Spans of served calls, as an exporter gets them.
@Timeout(60)
final class CallTracesTest {
  private static final Metadata.Key<String> TRACEPARENT =
      Metadata.Key.of("traceparent", Metadata.ASCII_STRING_MARSHALLER);
  private static final String TRACE = "4bf92f3577b34da6a3ce929d0e0e4736";
  private static final String PARENT = "00f067aa0ba902b7";

  private final InMemorySpanExporter exporter = InMemorySpanExporter.create();
  private @Nullable Server server; // until serve
  private @Nullable ManagedChannel channel;

  private GreeterGrpc.GreeterBlockingStub serve(
      Sampler sampler, Handler.Unary<HelloRequest, HelloReply> method) throws Exception {
    return serve(sampler, 1, method);
  }

  private GreeterGrpc.GreeterBlockingStub serve(
      Sampler sampler, double share, Handler.Unary<HelloRequest, HelloReply> method)
      throws Exception {
    var sdk =
        OpenTelemetrySdk.builder()
            .setTracerProvider(
                SdkTracerProvider.builder()
                    .setSampler(sampler)
                    .addSpanProcessor(SimpleSpanProcessor.create(exporter))
                    .build())
            .setPropagators(ContextPropagators.create(W3CTraceContextPropagator.getInstance()))
            .build();
    var started =
        Server.builder()
            .addService(
                Service.builder(GreeterGrpc.getServiceDescriptor())
                    .unary(GreeterGrpc.getSayHelloMethod(), method)
                    .build())
            .observe(CallTraces.of(sdk).sampled(share))
            .start();
    server = started;
    var opened =
        Grpc.newChannelBuilder("localhost:" + started.port(), InsecureChannelCredentials.create())
            .build();
    channel = opened;
    return GreeterGrpc.newBlockingStub(opened);
  }

  @AfterEach
  void stop() {
    if (channel != null) channel.shutdownNow();
    if (server != null) server.close();
  }

  private static GreeterGrpc.GreeterBlockingStub inTrace(
      GreeterGrpc.GreeterBlockingStub stub, String flags) {
    var headers = new Metadata();
    headers.put(TRACEPARENT, "00-" + TRACE + "-" + PARENT + "-" + flags);
    return stub.withInterceptors(MetadataUtils.newAttachHeadersInterceptor(headers));
  }

  /// A client may have its reply before the server has noted that it was written.
  private SpanData onlySpan() throws InterruptedException {
    for (int i = 0; i < 1_000 && exporter.getFinishedSpanItems().isEmpty(); i++) Thread.sleep(5);
    assertThat(exporter.getFinishedSpanItems()).hasSize(1);
    return exporter.getFinishedSpanItems().getFirst();
  }

  @Test
  void aCallIsASpanInItsClientsTraceAndIsCurrentInTheMethod() throws Exception {
    var seen = new AtomicReference<Span>();
    var greeter =
        serve(
            Sampler.parentBased(Sampler.alwaysOff()),
            request -> {
              seen.set(Span.current());
              return HelloReply.getDefaultInstance();
            });

    assertThat(inTrace(greeter, "01").sayHello(HelloRequest.getDefaultInstance())).isNotNull();

    var span = onlySpan();
    assertThat(span.getTraceId()).isEqualTo(TRACE);
    assertThat(span.getParentSpanId()).isEqualTo(PARENT);
    assertThat(span.getKind()).isEqualTo(SpanKind.SERVER);
    assertThat(span.getName()).isEqualTo(GreeterGrpc.getSayHelloMethod().getFullMethodName());
    assertThat(seen.get().getSpanContext().getSpanId()).isEqualTo(span.getSpanId());
    var attributes = span.getAttributes();
    assertThat(attributes.get(AttributeKey.stringKey("rpc.system.name"))).isEqualTo("grpc");
    assertThat(attributes.get(AttributeKey.stringKey("rpc.response.status_code"))).isEqualTo("OK");
    assertThat(attributes.get(AttributeKey.stringKey("client.address"))).isNotBlank();
    assertThat(attributes.get(AttributeKey.doubleKey("weftline.ledger.handler"))).isPositive();
    assertThat(span.getStatus().getStatusCode()).isEqualTo(StatusCode.UNSET);
  }

  @Test
  void whatTheClientDoesNotSampleIsNotExportedButStaysInItsTrace() throws Exception {
    var seen = new AtomicReference<Span>();
    var greeter =
        serve(
            Sampler.parentBased(Sampler.alwaysOn()),
            request -> {
              seen.set(Span.current());
              return HelloReply.getDefaultInstance();
            });

    assertThat(inTrace(greeter, "00").sayHello(HelloRequest.getDefaultInstance())).isNotNull();

    assertThat(seen.get().getSpanContext().getTraceId()).isEqualTo(TRACE);
    assertThat(seen.get().getSpanContext().isSampled()).isFalse();
    stop(); // every call is over now
    assertThat(exporter.getFinishedSpanItems()).isEmpty();
  }

  @Test
  void whatIsNotChosenIsNotTouchedButATraceIsFollowed() throws Exception {
    var seen = new AtomicReference<Span>();
    var greeter =
        serve(
            Sampler.parentBased(Sampler.alwaysOn()),
            0,
            request -> {
              seen.set(Span.current());
              return HelloReply.getDefaultInstance();
            });

    assertThat(greeter.sayHello(HelloRequest.getDefaultInstance())).isNotNull();
    assertThat(seen.get().getSpanContext().isValid()).isFalse();

    assertThat(inTrace(greeter, "01").sayHello(HelloRequest.getDefaultInstance())).isNotNull();
    assertThat(onlySpan().getTraceId()).isEqualTo(TRACE);
  }

  @Test
  void aMalformedTraceparentStartsATraceOfOurOwn() throws Exception {
    var greeter = serve(Sampler.alwaysOn(), request -> HelloReply.getDefaultInstance());
    var headers = new Metadata();
    headers.put(TRACEPARENT, "00-nonsense");

    assertThat(
            greeter
                .withInterceptors(MetadataUtils.newAttachHeadersInterceptor(headers))
                .sayHello(HelloRequest.getDefaultInstance()))
        .isNotNull();

    assertThat(onlySpan().getParentSpanContext().isValid()).isFalse();
  }

  @Test
  void aFailureOfTheServerIsAnErrorAndARefusalOfTheRequestIsNone() throws Exception {
    var greeter =
        serve(
            Sampler.alwaysOn(),
            request -> {
              var code = Status.Code.valueOf(request.getName());
              throw code.toStatus().withDescription("because").asRuntimeException();
            });

    assertThatThrownBy(() -> greeter.sayHello(name("NOT_FOUND")))
        .isInstanceOf(StatusRuntimeException.class);
    assertThat(onlySpan().getStatus().getStatusCode()).isEqualTo(StatusCode.UNSET);
    exporter.reset();

    assertThatThrownBy(() -> greeter.sayHello(name("INTERNAL")))
        .isInstanceOf(StatusRuntimeException.class);
    var span = onlySpan();
    assertThat(span.getStatus().getStatusCode()).isEqualTo(StatusCode.ERROR);
    assertThat(span.getStatus().getDescription()).isEqualTo("because");
    assertThat(span.getAttributes().get(AttributeKey.stringKey("error.type")))
        .isEqualTo("INTERNAL");
  }

  private static HelloRequest name(String name) {
    return HelloRequest.newBuilder().setName(name).build();
  }
}
