package dev.weftline.interop;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.weftline.interop.proto.BoolValue;
import dev.weftline.interop.proto.ResponseParameters;
import dev.weftline.interop.proto.SimpleRequest;
import dev.weftline.interop.proto.StreamingOutputCallRequest;
import dev.weftline.interop.proto.StreamingOutputCallResponse;
import dev.weftline.interop.proto.TestServiceGrpc;
import io.grpc.Grpc;
import io.grpc.InsecureChannelCredentials;
import io.grpc.InsecureServerCredentials;
import io.grpc.ManagedChannel;
import io.grpc.Metadata;
import io.grpc.Server;
import io.grpc.stub.MetadataUtils;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/// What the interop client leaves unseen: it cannot tell whether a response came compressed, and it
/// sends nothing unreasonable.
@Timeout(30)
class TestServiceTest {
  private static final BoolValue YES = BoolValue.newBuilder().setValue(true).build();

  private Server server;
  private ManagedChannel channel;
  private TestServiceGrpc.TestServiceBlockingV2Stub stub;

  @BeforeEach
  void start() throws Exception {
    server = InteropServer.start(0, InsecureServerCredentials.create());
    channel =
        Grpc.newChannelBuilderForAddress(
                "127.0.0.1", server.getPort(), InsecureChannelCredentials.create())
            .decompressorRegistry(CompressionMark.decompressors())
            .maxInboundMessageSize(TestService.PAYLOAD_BYTES_MAX + 1_000)
            .build();
    stub = TestServiceGrpc.newBlockingV2Stub(channel);
  }

  @AfterEach
  void stop() throws Exception {
    channel.shutdownNow().awaitTermination(5, TimeUnit.SECONDS);
    server.shutdownNow().awaitTermination(5, TimeUnit.SECONDS);
  }

  @Test
  void aResponseIsCompressedWhenTheRequestSaysSo() throws Exception {
    var plain = SimpleRequest.newBuilder().setResponseSize(1_000).build();
    assertThat(CompressionMark.isOn(stub.unaryCall(plain))).isFalse();

    var compressed = stub.unaryCall(plain.toBuilder().setResponseCompressed(YES).build());
    assertThat(CompressionMark.isOn(compressed)).isTrue();
    assertThat(compressed.getPayload().getBody().size()).isEqualTo(1_000);
  }

  @Test
  void eachResponseOfAStreamIsCompressedOrNot() throws Exception {
    var request =
        StreamingOutputCallRequest.newBuilder()
            .addResponseParameters(ResponseParameters.newBuilder().setSize(100))
            .addResponseParameters(ResponseParameters.newBuilder().setSize(200).setCompressed(YES))
            .addResponseParameters(ResponseParameters.newBuilder().setSize(300))
            .build();
    var responses = stub.streamingOutputCall(request);
    assertNext(responses.read(), 100, false);
    assertNext(responses.read(), 200, true);
    assertNext(responses.read(), 300, false);
    assertThat(responses.read()).isNull();
  }

  private static void assertNext(
      StreamingOutputCallResponse response, int bytes, boolean compressed) {
    assertThat(response.getPayload().getBody().size()).isEqualTo(bytes);
    assertThat(CompressionMark.isOn(response)).isEqualTo(compressed);
  }

  @Test
  void halfDuplexAnswersWhenTheClientIsDone() throws Exception {
    var call = stub.halfDuplexCall();
    for (int size : new int[] {1, 2}) {
      call.write(
          StreamingOutputCallRequest.newBuilder()
              .addResponseParameters(ResponseParameters.newBuilder().setSize(size))
              .build());
    }
    assertThatThrownBy(() -> call.read(100, TimeUnit.MILLISECONDS))
        .isInstanceOf(TimeoutException.class);
    call.halfClose();
    assertNext(call.read(), 1, false);
    assertNext(call.read(), 2, false);
    assertThat(call.read()).isNull();
  }

  @Test
  void aCacheableReplySaysForHowLong() throws Exception {
    var headers = new AtomicReference<Metadata>();
    var trailers = new AtomicReference<Metadata>();
    stub.withInterceptors(MetadataUtils.newCaptureMetadataInterceptor(headers, trailers))
        .cacheableUnaryCall(SimpleRequest.getDefaultInstance());
    assertThat(headers.get())
        .extracting(h -> h.get(Metadata.Key.of("cache-control", Metadata.ASCII_STRING_MARSHALLER)))
        .isEqualTo("max-age=60, public");
  }

  @Test
  void aPayloadOfNegativeOrEndlessSizeIsRefused() {
    for (int size : new int[] {-1, TestService.PAYLOAD_BYTES_MAX + 1, Integer.MAX_VALUE}) {
      assertThatThrownBy(
              () -> stub.unaryCall(SimpleRequest.newBuilder().setResponseSize(size).build()))
          .hasMessageContaining("INVALID_ARGUMENT")
          .hasMessageContaining(Integer.toString(size));
    }
  }
}
