package dev.weftline.internal.grpcjava;

import com.google.protobuf.MessageLite;
import dev.weftline.internal.call.InboundCall;
import dev.weftline.internal.call.Response;
import dev.weftline.internal.http.Fields;
import dev.weftline.internal.protocol.Compression;
import dev.weftline.internal.protocol.Envelope;
import dev.weftline.internal.protocol.MetadataFields;
import io.grpc.Attributes;
import io.grpc.Codec;
import io.grpc.Compressor;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import io.grpc.SecurityLevel;
import io.grpc.ServerCall;
import io.grpc.Status;
import io.grpc.StatusException;
import java.io.IOException;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import org.jspecify.annotations.Nullable;

/// The `ServerCall` that grpc-java services and interceptors see.
///
/// Hot: one per call.
public final class BridgedServerCall<ReqT, RespT> extends ServerCall<ReqT, RespT> {
  private static final Logger log = System.getLogger(BridgedServerCall.class.getName());

  private final InboundCall inbound;
  private final Response response;
  private final MethodDescriptor<ReqT, RespT> method;
  private final ConnectionAttributes connectionAttributes;
  private final CallTracing tracing;
  private boolean headersSent;
  private boolean messageSent;
  private boolean closed;
  private Compressor compressor = Codec.Identity.NONE;
  private boolean compressing = true;
  private @Nullable Attributes attributes; // until asked for
  private @Nullable Status closeStatus; // until closed
  private @Nullable Listener<ReqT> listener; // until startCall returned it

  BridgedServerCall(
      InboundCall inbound,
      MethodDescriptor<ReqT, RespT> method,
      ConnectionAttributes connectionAttributes,
      CallTracing tracing) {
    this.inbound = inbound;
    this.response = inbound.response();
    this.method = method;
    this.connectionAttributes = connectionAttributes;
    this.tracing = tracing;
  }

  /// A call of a server without tracers.
  public BridgedServerCall(
      InboundCall inbound,
      MethodDescriptor<ReqT, RespT> method,
      ConnectionAttributes connectionAttributes) {
    this(inbound, method, connectionAttributes, CallTracing.NONE);
  }

  public InboundCall inbound() {
    return inbound;
  }

  /// Who is told of the call's events.
  public void listener(Listener<ReqT> listener) {
    this.listener = listener;
  }

  /// Tells the listener, with all interceptors before it, of an event that is not the last.
  public void deliver(InboundCall.Event event) {
    var told = listener;
    if (told == null) throw new IllegalStateException("startCall has not returned");
    switch (event) {
      case MESSAGE -> {
        var message = takeMessage();
        if (message != null) told.onMessage(message);
      }
      case HALF_CLOSED -> told.onHalfClose();
      case READY -> told.onReady();
      case COMPLETED, CANCELLED -> throw new IllegalStateException("the last event: " + event);
    }
  }

  CallTracing tracing() {
    return tracing;
  }

  @Override
  public void request(int messages) {
    inbound.request(messages);
  }

  /// The message that was announced; null when it cannot be had, which ends the call.
  public @Nullable ReqT takeMessage() {
    try {
      @SuppressWarnings("unchecked") // parsed by this method's own marshaller
      var message = (ReqT) inbound.takeMessage();
      tracing.received();
      return message;
    } catch (StatusException e) {
      fail(e.getStatus());
      return null;
    }
  }

  @Override
  public void sendHeaders(Metadata metadata) {
    check(!headersSent, "sendHeaders has already been called");
    check(!closed, "call is closed");
    headersSent = true;
    if (isCompressed()
        && !Compression.accepts(
            inbound.exchange().request().value("grpc-accept-encoding"),
            compressor.getMessageEncoding())) {
      // gRPC compression: what the client does not accept is sent uncompressed.
      compressor = Codec.Identity.NONE;
    }
    var headers = inbound.settings().responseHeaders();
    if (isCompressed() || !MetadataFields.isEmpty(metadata)) {
      headers = withMetadata(headers, metadata);
    }
    response.sendHeaders(headers);
  }

  private Fields withMetadata(Fields constant, Metadata metadata) {
    var headers = new Fields(constant.size() + 8);
    for (int i = 0; i < constant.size(); i++) headers.add(constant.get(i));
    if (isCompressed()) headers.add(Compression.encodingField(compressor));
    return MetadataFields.addTo(headers, metadata);
  }

  @Override
  public void sendMessage(RespT message) {
    check(headersSent, "sendHeaders has not been called");
    check(!closed, "call is closed");
    if (messageSent && inbound.route().oneResponse()) {
      fail(Status.INTERNAL.withDescription("Too many responses"));
      return;
    }
    messageSent = true;
    try {
      tracing.sent(write(message));
    } catch (IOException e) {
      // A broken marshaller. grpc-java ends the call and lets the handler run on.
      log.log(Level.WARNING, "cannot write a response of " + method.getFullMethodName(), e);
      fail(Status.INTERNAL.withDescription("the response message cannot be written").withCause(e));
    }
  }

  /// Hands the message over, and tells its octets.
  ///
  /// @throws IOException when the marshaller fails, in whatever way
  private int write(RespT message) throws IOException {
    var route = inbound.route();
    boolean compressed = compressing && isCompressed();
    if (!compressed && route.writesInPlace(message)) {
      return response.sendMessage((MessageLite) message);
    }
    byte[] framed;
    try {
      framed = route.frame(method.getResponseMarshaller(), message);
      if (compressed) framed = Compression.compress(compressor, framed);
    } catch (RuntimeException e) {
      throw new IOException(e);
    }
    response.sendMessage(framed);
    return framed.length - Envelope.PREFIX_BYTES;
  }

  @Override
  public void close(Status status, Metadata trailers) {
    check(!closed, "call already closed");
    closed = true;
    if (status.isOk() && !messageSent && inbound.route().oneResponse()) {
      fail(Status.INTERNAL.withDescription("Completed without a response"));
      return;
    }
    if (response.close(status, trailers)) closeStatus = status;
  }

  /// Ends the call for a fault on our side of it; what the handler still does is ignored.
  private void fail(Status status) {
    if (inbound.abort(status)) closeStatus = status;
  }

  /// The handler threw: ends the call, unless that was done before.
  public void failed(Status status, Metadata trailers) {
    closed = true;
    if (response.close(status, trailers)) closeStatus = status;
  }

  void tracingEnded() {
    var status = closeStatus;
    tracing.closed(status == null || isCancelled() ? Status.CANCELLED : status);
  }

  @Override
  public boolean isReady() {
    return !closed && response.isReady();
  }

  @Override
  public boolean isCancelled() {
    return inbound.isCancelled();
  }

  @Override
  public void setMessageCompression(boolean enabled) {
    compressing = enabled;
  }

  @Override
  public void setCompression(String name) {
    check(!headersSent, "sendHeaders has been called");
    var known = inbound.settings().compression().compressor(name);
    if (known == null)
      throw new IllegalArgumentException("Unable to find compressor by name " + name);
    compressor = known;
  }

  @Override
  public void setOnReadyThreshold(int bytes) {
    if (bytes <= 0) throw new IllegalArgumentException("numBytes must be positive: " + bytes);
    response.readyBytes(bytes);
  }

  @Override
  public SecurityLevel getSecurityLevel() {
    return inbound.exchange().tlsSession() == null
        ? SecurityLevel.NONE
        : SecurityLevel.PRIVACY_AND_INTEGRITY;
  }

  @Override
  public Attributes getAttributes() {
    var known = attributes;
    if (known == null) {
      known = connectionAttributes.of(inbound.exchange());
      attributes = known;
    }
    return known;
  }

  @Override
  public @Nullable String getAuthority() {
    return inbound.authority().orElse(null);
  }

  @Override
  public MethodDescriptor<ReqT, RespT> getMethodDescriptor() {
    return method;
  }

  private boolean isCompressed() {
    return !(compressor instanceof Codec.Identity);
  }

  private static void check(boolean condition, String message) {
    if (!condition) throw new IllegalStateException(message);
  }
}
