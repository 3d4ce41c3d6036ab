package dev.weftline.internal.call;

import com.google.protobuf.CodedOutputStream;
import com.google.protobuf.MessageLite;
import dev.weftline.internal.admission.Admission;
import dev.weftline.internal.admission.MethodAdmission;
import dev.weftline.internal.protocol.Envelope;
import dev.weftline.internal.thread.MethodPlacement;
import io.grpc.Drainable;
import io.grpc.KnownLength;
import io.grpc.MethodDescriptor;
import io.grpc.MethodDescriptor.Marshaller;
import io.grpc.MethodDescriptor.PrototypeMarshaller;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import org.jspecify.annotations.Nullable;

/// Where a `:path` leads, with everything about its method that can be decided once.
///
/// @param path `/package.Service/Method`
/// @param oneRequest the client sends exactly one message: the call thread starts when it is whole
/// @param oneResponse the server sends exactly one message: the response goes out in one piece
/// @param parsedOnLoop requests are parsed by generated protobuf code, which is quick and not a
///   user's
/// @param writesProtobuf responses are written by generated protobuf code, straight into their
///   frame
/// @param prompt whether the loop runs it itself, where no guard stands before it
/// @param placement where its call threads run
/// @param admission which of its calls are let in; null when all are
public record Route(
    String path,
    MethodDescriptor<?, ?> method,
    InboundHandler handler,
    boolean oneRequest,
    boolean oneResponse,
    boolean parsedOnLoop,
    boolean writesProtobuf,
    boolean prompt,
    MethodPlacement placement,
    @Nullable MethodAdmission admission) {

  public Route(MethodDescriptor<?, ?> method, InboundHandler handler, MethodPlacement placement) {
    this(method, handler, placement, false);
  }

  public Route(
      MethodDescriptor<?, ?> method,
      InboundHandler handler,
      MethodPlacement placement,
      boolean prompt) {
    this(
        "/" + method.getFullMethodName(),
        method,
        handler,
        method.getType().clientSendsOneMessage(),
        method.getType().serverSendsOneMessage(),
        isProtobuf(method.getRequestMarshaller()),
        isProtobuf(method.getResponseMarshaller()),
        prompt,
        placement,
        null);
  }

  /// The same method behind the admission of its server.
  Route behind(Admission server) {
    return new Route(
        path,
        method,
        handler,
        oneRequest,
        oneResponse,
        parsedOnLoop,
        writesProtobuf,
        prompt,
        placement,
        server.of(method.getFullMethodName(), oneRequest && oneResponse));
  }

  /// grpc-java's own marshaller for generated messages. A user's PrototypeMarshaller may do
  /// anything in `parse`, so the prototype alone is not enough.
  private static boolean isProtobuf(Marshaller<?> marshaller) {
    return marshaller instanceof PrototypeMarshaller<?> typed
        && typed.getMessagePrototype() instanceof MessageLite
        && marshaller.getClass().getName().startsWith("io.grpc.protobuf.");
  }

  /// Whether this response can be written straight into what is sent.
  public boolean writesInPlace(Object message) {
    return writesProtobuf && message instanceof MessageLite;
  }

  /// A message with room for its prefix, uncompressed.
  public <T> byte[] frame(Marshaller<T> marshaller, T message) throws IOException {
    if (writesProtobuf && message instanceof MessageLite protobuf) {
      int size = protobuf.getSerializedSize();
      var framed = new byte[Envelope.PREFIX_BYTES + size];
      write(protobuf, size, framed, 0);
      return framed;
    }
    try (var stream = marshaller.stream(message)) {
      return Envelope.prefix(drain(stream), false);
    }
  }

  /// Writes a message of `size` octets behind its prefix to `into`, from `start` on.
  static void write(MessageLite message, int size, byte[] into, int start) throws IOException {
    Envelope.prefix(into, start, size, false);
    var out = CodedOutputStream.newInstance(into, start + Envelope.PREFIX_BYTES, size);
    message.writeTo(out);
    out.checkNoSpaceLeft();
  }

  private static byte[] drain(InputStream stream) throws IOException {
    int known = stream instanceof KnownLength ? stream.available() : 0;
    var out = new Frame(known);
    if (stream instanceof Drainable drainable) {
      drainable.drainTo(out);
    } else {
      stream.transferTo(out);
    }
    return out.whole();
  }

  /// Octets behind room for a prefix; copied at the end only when the size was not known.
  private static final class Frame extends ByteArrayOutputStream {
    Frame(int bytes) {
      super(Envelope.PREFIX_BYTES + bytes);
      count = Envelope.PREFIX_BYTES;
    }

    byte[] whole() {
      return count == buf.length ? buf : toByteArray();
    }
  }

  /// A message in an array, for marshallers that size their buffer by what is there.
  static final class KnownBytes extends ByteArrayInputStream implements KnownLength {
    KnownBytes(byte[] bytes) {
      super(bytes);
    }
  }
}
