package dev.weftline.testing;

import com.google.protobuf.ByteString;
import com.google.protobuf.InvalidProtocolBufferException;
import dev.weftline.Service;
import dev.weftline.internal.call.CallCounters;
import dev.weftline.internal.call.CallSettings;
import dev.weftline.internal.call.Route;
import dev.weftline.internal.call.Router;
import dev.weftline.internal.grpcjava.BridgedService;
import dev.weftline.internal.grpcjava.ConnectionAttributes;
import dev.weftline.internal.protocol.Compression;
import dev.weftline.internal.straight.ServiceRoutes;
import dev.weftline.probe.Answer;
import dev.weftline.probe.Ask;
import io.grpc.BindableService;
import io.grpc.CompressorRegistry;
import io.grpc.Context;
import io.grpc.DecompressorRegistry;
import io.grpc.ServerInterceptor;
import java.util.ArrayList;
import java.util.List;

/// What tests of calls share: routers over services, and the probe's messages.
public final class Probe {
  public static final String UNARY = "/weftline.probe.Probe/Unary";
  public static final String DOWN = "/weftline.probe.Probe/Down";
  public static final String UP = "/weftline.probe.Probe/Up";
  public static final String CHAT = "/weftline.probe.Probe/Chat";

  public static final int MESSAGE_BYTES_MAX = 256 << 10;
  public static final int SEND_BUFFER_BYTES = 256 << 10;

  private Probe() {}

  public static Router router(BindableService service, ServerInterceptor... interceptors) {
    return router(new CallCounters(), service, interceptors);
  }

  public static Router router(
      CallCounters counters, BindableService service, ServerInterceptor... interceptors) {
    return router(counters, Service.of(service), interceptors);
  }

  public static Router router(
      CallCounters counters, Service service, ServerInterceptor... interceptors) {
    var bridge =
        new BridgedService(
            List.of(interceptors),
            null,
            List.of(),
            Context.ROOT,
            new ConnectionAttributes(List.of()));
    var routes = new ArrayList<Route>(ServiceRoutes.of(service, bridge));
    return new Router(routes, null, settings(counters));
  }

  public static CallSettings settings(CallCounters counters) {
    return new CallSettings(
        MESSAGE_BYTES_MAX,
        SEND_BUFFER_BYTES,
        new Compression(
            DecompressorRegistry.getDefaultInstance(), CompressorRegistry.getDefaultInstance()),
        counters);
  }

  public static Ask ask(String text) {
    return Ask.newBuilder().setText(text).build();
  }

  public static Ask ask(int number) {
    return Ask.newBuilder().setNumber(number).build();
  }

  public static Answer answer(String text) {
    return Answer.newBuilder().setText(text).build();
  }

  public static Answer answer(int number) {
    return Answer.newBuilder().setNumber(number).build();
  }

  public static Answer answerOf(int bytes) {
    return Answer.newBuilder().setBody(ByteString.copyFrom(new byte[bytes])).build();
  }

  public static byte[] framed(Ask ask) {
    return MemoryExchange.framed(ask.toByteArray());
  }

  /// The answers received so far.
  public static List<Answer> answers(MemoryExchange exchange) {
    var answers = new ArrayList<Answer>();
    try {
      for (var message : exchange.messages()) answers.add(Answer.parseFrom(message));
    } catch (InvalidProtocolBufferException e) {
      throw new AssertionError(e);
    }
    return answers;
  }
}
