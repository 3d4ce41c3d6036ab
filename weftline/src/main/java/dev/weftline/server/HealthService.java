package dev.weftline.server;

import com.google.protobuf.Descriptors;
import com.google.protobuf.Duration;
import com.google.protobuf.Message;
import com.google.rpc.ErrorInfo;
import com.google.rpc.RetryInfo;
import dev.weftline.CallException;
import dev.weftline.Handler;
import dev.weftline.Placement;
import dev.weftline.Sender;
import dev.weftline.Service;
import dev.weftline.http.HttpHandler;
import dev.weftline.http.Response;
import dev.weftline.internal.call.Prompt;
import dev.weftline.internal.health.HealthCheckRequest;
import dev.weftline.internal.health.HealthCheckResponse;
import dev.weftline.internal.health.HealthCheckResponse.ServingStatus;
import dev.weftline.internal.health.HealthListRequest;
import dev.weftline.internal.health.HealthListResponse;
import dev.weftline.internal.health.HealthProto;
import dev.weftline.internal.thread.VirtualThreads;
import io.grpc.MethodDescriptor;
import io.grpc.MethodDescriptor.MethodType;
import io.grpc.ServiceDescriptor;
import io.grpc.Status;
import io.grpc.protobuf.ProtoServiceDescriptorSupplier;
import io.grpc.protobuf.ProtoUtils;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;

/// `grpc.health.v1.Health` and the probes over HTTP: a [Health] as others see it.
final class HealthService {
  static final String NAME = "grpc.health.v1.Health";

  /// Each holds a stream and a thread that sleeps, about 4 KB: one for each of ten thousand clients
  /// takes 40 MB.
  static final int WATCHES_MAX = 10_000;

  private static final int RETRY_SECONDS = 5;

  // By hand and not by Schema, which would read the .proto at every start of a server.
  private static final MethodDescriptor<HealthCheckRequest, HealthCheckResponse> CHECK =
      method(
          MethodType.UNARY,
          "Check",
          HealthCheckRequest.getDefaultInstance(),
          HealthCheckResponse.getDefaultInstance());
  private static final MethodDescriptor<HealthListRequest, HealthListResponse> LIST =
      method(
          MethodType.UNARY,
          "List",
          HealthListRequest.getDefaultInstance(),
          HealthListResponse.getDefaultInstance());
  private static final MethodDescriptor<HealthCheckRequest, HealthCheckResponse> WATCH =
      method(
          MethodType.SERVER_STREAMING,
          "Watch",
          HealthCheckRequest.getDefaultInstance(),
          HealthCheckResponse.getDefaultInstance());

  private final Health health;
  private final int watchesMax;
  private final AtomicInteger watches = new AtomicInteger();

  HealthService(Health health, int watchesMax) {
    this.health = health;
    this.watchesMax = watchesMax;
  }

  private static <ReqT extends Message, RespT extends Message> MethodDescriptor<ReqT, RespT> method(
      MethodType type, String name, ReqT request, RespT reply) {
    return MethodDescriptor.<ReqT, RespT>newBuilder()
        .setType(type)
        .setFullMethodName(MethodDescriptor.generateFullMethodName(NAME, name))
        .setRequestMarshaller(ProtoUtils.marshaller(request))
        .setResponseMarshaller(ProtoUtils.marshaller(reply))
        .build();
  }

  /// Its methods never hold a thread for long: Check and List need none, Watch has one on a loop
  /// where that is possible. So a server whose threads are all busy still answers.
  Service service() {
    var descriptor =
        ServiceDescriptor.newBuilder(NAME)
            .setSchemaDescriptor(new Described())
            .addMethod(CHECK)
            .addMethod(LIST)
            .addMethod(WATCH)
            .build();
    var where = VirtualThreads.areSchedulable() ? Placement.LOOP : Placement.SHARED;
    return Service.builder(descriptor)
        .unary(CHECK, (Handler.Unary<HealthCheckRequest, HealthCheckResponse> & Prompt) this::check)
        .unary(LIST, (Handler.Unary<HealthListRequest, HealthListResponse> & Prompt) this::list)
        .serverStreaming(WATCH, this::watch)
        .build()
        .place("Check", where)
        .place("List", where)
        .place("Watch", where);
  }

  private HealthCheckResponse check(HealthCheckRequest request) {
    health.ask();
    var status = health.status(request.getService());
    if (status == Health.Status.UNKNOWN) {
      throw new CallException(
          Status.Code.NOT_FOUND, "no service is called " + request.getService());
    }
    return response(status);
  }

  private HealthListResponse list(HealthListRequest request) {
    health.ask();
    var all = HealthListResponse.newBuilder();
    health.all().forEach((service, status) -> all.putStatuses(service, response(status)));
    return all.build();
  }

  /// Sends the newest status only, however many a slow client missed. Goes on with NOT_SERVING
  /// while the server is a lame duck: a client whose watch ends asks again at once.
  private void watch(HealthCheckRequest request, Sender<HealthCheckResponse> statuses)
      throws InterruptedException {
    health.ask();
    if (watches.incrementAndGet() > watchesMax) {
      watches.decrementAndGet();
      throw tooMany();
    }
    try {
      Health.Status told = null;
      while ((told = health.awaitOther(request.getService(), told)) != null) {
        statuses.send(response(told));
      }
    } finally {
      watches.decrementAndGet();
    }
  }

  private CallException tooMany() {
    return new CallException(
        Status.Code.RESOURCE_EXHAUSTED,
        "health is watched by " + watchesMax + " calls already; Check answers",
        ErrorInfo.newBuilder()
            .setReason("HEALTH_WATCHES_EXHAUSTED")
            .setDomain("weftline.dev")
            .putMetadata("limit", "" + watchesMax)
            .build(),
        RetryInfo.newBuilder()
            .setRetryDelay(Duration.newBuilder().setSeconds(RETRY_SECONDS))
            .build());
  }

  private static HealthCheckResponse response(Health.Status status) {
    return HealthCheckResponse.newBuilder()
        .setStatus(
            switch (status) {
              case SERVING -> ServingStatus.SERVING;
              case NOT_SERVING -> ServingStatus.NOT_SERVING;
              case UNKNOWN -> ServingStatus.SERVICE_UNKNOWN;
            })
        .build();
  }

  /// The probes over HTTP, by path: whether calls should be sent here, and whether the process
  /// lives, which it does while it drains.
  static Map<String, HttpHandler> probes(Health health) {
    return Map.of(
        "/healthz",
        (HttpHandler & Prompt) _ -> readiness(health),
        "/livez",
        (HttpHandler & Prompt) _ -> Response.text(200, "LIVE\n"));
  }

  private static Response readiness(Health health) {
    health.ask();
    return health.isServing(Health.SERVER)
        ? Response.text(200, "SERVING\n")
        : Response.text(503, "NOT_SERVING\n");
  }

  /// For reflection, which alone needs it.
  private static final class Described implements ProtoServiceDescriptorSupplier {
    @Override
    public Descriptors.ServiceDescriptor getServiceDescriptor() {
      return getFileDescriptor().findServiceByName("Health");
    }

    @Override
    public Descriptors.FileDescriptor getFileDescriptor() {
      return HealthProto.getDescriptor();
    }
  }
}
