package dev.weftline.interop;

import com.google.protobuf.ByteString;
import com.google.protobuf.Message;
import dev.weftline.interop.proto.BoolValue;
import dev.weftline.interop.proto.EchoStatus;
import dev.weftline.interop.proto.Empty;
import dev.weftline.interop.proto.OrcaLoadReport;
import dev.weftline.interop.proto.Payload;
import dev.weftline.interop.proto.ResponseParameters;
import dev.weftline.interop.proto.SimpleRequest;
import dev.weftline.interop.proto.SimpleResponse;
import dev.weftline.interop.proto.StreamingInputCallRequest;
import dev.weftline.interop.proto.StreamingInputCallResponse;
import dev.weftline.interop.proto.StreamingOutputCallRequest;
import dev.weftline.interop.proto.StreamingOutputCallResponse;
import dev.weftline.interop.proto.TestOrcaReport;
import dev.weftline.interop.proto.TestServiceGrpc;
import io.grpc.ServerInterceptors;
import io.grpc.ServerServiceDefinition;
import io.grpc.Status;
import io.grpc.StatusException;
import io.grpc.stub.ServerCallStreamObserver;
import io.grpc.stub.StreamObserver;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.TimeUnit;

/// grpc.testing.TestService as the gRPC interop descriptions want it. An ordinary grpc-java
/// service: nothing in here knows which server runs it. Methods wait where they have to, on the
/// thread of their call.
///
/// The server it is added to needs [CompressionMark#decompressors()].
final class TestService extends TestServiceGrpc.TestServiceImplBase {
  /// Largest payload we make: the suite asks for 314,159 bytes, and a stranger shall not ask for 2
  /// GiB.
  static final int PAYLOAD_BYTES_MAX = 16 << 20;

  /// Responses a client may ask for before it half-closes: about 10 MB of parameters.
  private static final int PARAMETERS_KEPT_MAX = 100_000;

  private final String serverId = UUID.randomUUID().toString();
  private final String hostname;
  private final ServerLoad load;
  private final CacheableReplies replies = new CacheableReplies();

  /// @param hostname what responses call this machine
  /// @param load where reports of the server's load are left
  TestService(String hostname, ServerLoad load) {
    this.hostname = hostname;
    this.load = load;
  }

  /// The service with the interceptors some of its cases need.
  ServerServiceDefinition definition() {
    return ServerInterceptors.intercept(
        this, replies, new EchoMetadata(), new PeerAddress(), new CallLoad());
  }

  @Override
  public void emptyCall(Empty request, StreamObserver<Empty> response) {
    response.onNext(Empty.getDefaultInstance());
    response.onCompleted();
  }

  @Override
  public void unaryCall(SimpleRequest request, StreamObserver<SimpleResponse> response) {
    try {
      checkCompression(request, request.hasExpectCompressed(), request.getExpectCompressed());
      if (request.hasResponseStatus()) throw asked(request.getResponseStatus());
      if (request.hasOrcaPerQueryReport()) CallLoad.report(load(request.getOrcaPerQueryReport()));
      var message = SimpleResponse.newBuilder();
      if (request.getResponseSize() != 0) message.setPayload(payload(request.getResponseSize()));
      if (request.getFillServerId()) message.setServerId(serverId).setHostname(hostname);
      // Without gzip in the client's grpc-accept-encoding this stays identity.
      if (request.getResponseCompressed().getValue()) {
        ((ServerCallStreamObserver<SimpleResponse>) response).setCompression("gzip");
      }
      response.onNext(message.build());
      response.onCompleted();
    } catch (StatusException e) {
      response.onError(e);
    }
  }

  @Override
  public void cacheableUnaryCall(SimpleRequest request, StreamObserver<SimpleResponse> response) {
    response.onNext(replies.replyTo(request));
    response.onCompleted();
  }

  @Override
  public void streamingOutputCall(
      StreamingOutputCallRequest request, StreamObserver<StreamingOutputCallResponse> responses) {
    var answers = new Answers(responses);
    answers.answer(request);
    answers.complete();
  }

  @Override
  public StreamObserver<StreamingInputCallRequest> streamingInputCall(
      StreamObserver<StreamingInputCallResponse> response) {
    return new StreamObserver<>() {
      private long bytes;
      private boolean refused;

      @Override
      public void onNext(StreamingInputCallRequest request) {
        if (refused) return;
        try {
          checkCompression(request, request.hasExpectCompressed(), request.getExpectCompressed());
          bytes += request.getPayload().getBody().size();
          if (bytes > Integer.MAX_VALUE) {
            throw Status.OUT_OF_RANGE
                .withDescription("aggregated_payload_size cannot say " + bytes)
                .asException();
          }
        } catch (StatusException e) {
          refused = true;
          response.onError(e);
        }
      }

      @Override
      public void onCompleted() {
        if (refused) return;
        response.onNext(
            StreamingInputCallResponse.newBuilder().setAggregatedPayloadSize((int) bytes).build());
        response.onCompleted();
      }

      @Override
      public void onError(Throwable cancelled) {
        // The call is over, and nothing of it is left here.
      }
    };
  }

  @Override
  public StreamObserver<StreamingOutputCallRequest> fullDuplexCall(
      StreamObserver<StreamingOutputCallResponse> responses) {
    var answers = new Answers(responses);
    return new StreamObserver<>() {
      private boolean reporting;

      @Override
      public void onNext(StreamingOutputCallRequest request) {
        if (request.hasOrcaOobReport() && enter()) {
          load.report(load(request.getOrcaOobReport()));
        }
        answers.answer(request);
      }

      private boolean enter() {
        try {
          if (!reporting) load.enter();
          reporting = true;
        } catch (InterruptedException e) {
          answers.interrupted();
        }
        return reporting;
      }

      @Override
      public void onCompleted() {
        leave();
        answers.complete();
      }

      @Override
      public void onError(Throwable cancelled) {
        leave();
      }

      private void leave() {
        if (reporting) load.leave();
        reporting = false;
      }
    };
  }

  @Override
  public StreamObserver<StreamingOutputCallRequest> halfDuplexCall(
      StreamObserver<StreamingOutputCallResponse> responses) {
    var answers = new Answers(responses);
    return new StreamObserver<>() {
      private final List<StreamingOutputCallRequest> requests = new ArrayList<>();
      private long parametersKept;

      @Override
      public void onNext(StreamingOutputCallRequest request) {
        parametersKept += 1 + request.getResponseParametersCount();
        if (parametersKept > PARAMETERS_KEPT_MAX) {
          requests.clear();
          answers.end(
              Status.RESOURCE_EXHAUSTED
                  .withDescription("more than " + PARAMETERS_KEPT_MAX + " responses to remember")
                  .asException());
        } else {
          // Its payload is not answered, so it need not be kept.
          requests.add(request.toBuilder().clearPayload().build());
        }
      }

      @Override
      public void onCompleted() {
        requests.forEach(answers::answer);
        answers.complete();
      }

      @Override
      public void onError(Throwable cancelled) {
        requests.clear();
      }
    };
  }

  /// The responses of one stream. One thread at a time, as with any `StreamObserver`.
  private static final class Answers {
    private final ServerCallStreamObserver<StreamingOutputCallResponse> responses;
    private boolean ended;

    Answers(StreamObserver<StreamingOutputCallResponse> responses) {
      this.responses = (ServerCallStreamObserver<StreamingOutputCallResponse>) responses;
      // With a handler set, responses that cross the client's cancellation are dropped, not thrown.
      this.responses.setOnCancelHandler(() -> {});
      // The encoding is said once, before the first message; whether it is used, with each message.
      this.responses.setCompression("gzip");
    }

    /// Sends all that `request` asks for; nothing once the call has ended.
    void answer(StreamingOutputCallRequest request) {
      try {
        if (!ended && request.hasResponseStatus()) throw asked(request.getResponseStatus());
        for (var wanted : request.getResponseParametersList()) {
          if (ended || responses.isCancelled()) return;
          TimeUnit.MICROSECONDS.sleep(wanted.getIntervalUs());
          responses.setMessageCompression(wanted.getCompressed().getValue());
          responses.onNext(response(wanted));
        }
      } catch (StatusException e) {
        end(e);
      } catch (InterruptedException e) {
        interrupted();
      }
    }

    private static StreamingOutputCallResponse response(ResponseParameters wanted)
        throws StatusException {
      var message = StreamingOutputCallResponse.newBuilder();
      if (wanted.getSize() != 0) message.setPayload(payload(wanted.getSize()));
      if (wanted.getFillPeerSocketAddress().getValue()) {
        message.setPeerSocketAddress(PeerAddress.current());
      }
      return message.build();
    }

    void complete() {
      if (!ended) responses.onCompleted();
      ended = true;
    }

    void end(StatusException status) {
      if (!ended) responses.onError(status);
      ended = true;
    }

    /// Only a call that is over is interrupted; a server that is shutting down wants us gone as
    /// well.
    void interrupted() {
      Thread.currentThread().interrupt();
      end(Status.CANCELLED.withDescription("interrupted").asException());
    }
  }

  private static void checkCompression(Message request, boolean asked, BoolValue expected)
      throws StatusException {
    if (asked && expected.getValue() != CompressionMark.isOn(request)) {
      throw Status.INVALID_ARGUMENT
          .withDescription(
              expected.getValue() ? "the message is not compressed" : "the message is compressed")
          .asException();
    }
  }

  private static StatusException asked(EchoStatus status) {
    return Status.fromCodeValue(status.getCode())
        .withDescription(status.getMessage())
        .asException();
  }

  private static Payload payload(int bytes) throws StatusException {
    if (bytes < 0 || bytes > PAYLOAD_BYTES_MAX) {
      throw Status.INVALID_ARGUMENT
          .withDescription("a payload has 0 to " + PAYLOAD_BYTES_MAX + " bytes, not " + bytes)
          .asException();
    }
    return Payload.newBuilder().setBody(ByteString.copyFrom(new byte[bytes])).build();
  }

  private static OrcaLoadReport load(TestOrcaReport report) {
    return OrcaLoadReport.newBuilder()
        .setCpuUtilization(report.getCpuUtilization())
        .setMemUtilization(report.getMemoryUtilization())
        .putAllRequestCost(report.getRequestCostMap())
        .putAllUtilization(report.getUtilizationMap())
        .build();
  }
}
