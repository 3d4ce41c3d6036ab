package dev.weftline.benchmarks;

import com.google.protobuf.ByteString;
import com.google.protobuf.MessageLite;
import dev.weftline.benchmarks.hello.Repeat;
import dev.weftline.benchmarks.hello.Text;
import dev.weftline.benchmarks.peer.Peer;
import java.io.ByteArrayOutputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.Locale;

/// What is asked of a server, by how many at once.
enum Scenario {
  UNARY_1X1("unary 10 B, 1 × 1", "Say", 1, 1, 1),
  UNARY_8X16("unary 10 B, 8 × 16", "Say", 8, 16, 1),
  UNARY_50X20("unary 10 B, 50 × 20", "Say", 50, 20, 1),
  UNARY_10K("unary 10 KiB, 8 × 16", "Say", 8, 16, 1),
  STREAM("stream of 1000 messages of 10 B, 8 × 4", "Count", 8, 4, 1000),
  BIDI("bidi of 100 messages of 10 B, 8 × 16", "Chat", 8, 16, 100);

  private final String label;
  private final String method;
  final int connections;
  final int streams;

  /// In one call, towards the client.
  final int messages;

  Scenario(String label, String method, int connections, int streams, int messages) {
    this.label = label;
    this.method = method;
    this.connections = connections;
    this.streams = streams;
    this.messages = messages;
  }

  String id() {
    return name().toLowerCase(Locale.ROOT).replace('_', '-');
  }

  static Scenario of(String id) {
    for (var scenario : values()) {
      if (scenario.id().equals(id)) {
        return scenario;
      }
    }
    throw new IllegalArgumentException("no such scenario: " + id);
  }

  String label() {
    return label;
  }

  /// What the figures are divided by.
  String unit() {
    return messages == 1 ? "call" : "message";
  }

  String path() {
    return "/weftline.benchmarks.Hello/" + method;
  }

  private ByteString text() {
    return ByteString.copyFrom(new byte[this == UNARY_10K ? 10 << 10 : 10]);
  }

  /// The request body: each message with its gRPC prefix.
  byte[] body() {
    return switch (this) {
      case STREAM -> prefixed(Repeat.newBuilder().setMessages(messages).setText(text()).build(), 1);
      case BIDI -> prefixed(Text.newBuilder().setText(text()).build(), messages);
      case UNARY_1X1, UNARY_8X16, UNARY_50X20, UNARY_10K ->
          prefixed(Text.newBuilder().setText(text()).build(), 1);
    };
  }

  /// DATA bytes of one right reply.
  long replyBytes() {
    return (long) prefixed(Text.newBuilder().setText(text()).build(), 1).length * messages;
  }

  boolean servedBy(Peer peer) {
    return peer.servesCalls() || this != STREAM;
  }

  static byte[] prefixed(MessageLite message, int times) {
    var bytes = new ByteArrayOutputStream();
    try (var out = new DataOutputStream(bytes)) {
      for (int i = 0; i < times; i++) {
        out.writeByte(0);
        out.writeInt(message.getSerializedSize());
        message.writeTo(out);
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return bytes.toByteArray();
  }
}
