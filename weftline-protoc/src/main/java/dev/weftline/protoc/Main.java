package dev.weftline.protoc;

import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.compiler.PluginProtos.CodeGeneratorRequest;
import java.io.IOException;

/// The process that protoc starts: one request on standard input, one answer on standard output.
public final class Main {
  private Main() {}

  public static void main(String[] args) throws IOException {
    try {
      Generator.answer(CodeGeneratorRequest.parseFrom(System.in)).writeTo(System.out);
      System.out.flush();
    } catch (InvalidProtocolBufferException e) {
      System.err.println(
          "weftline-protoc: this is a plugin that protoc starts; it understands only protoc ("
              + e.getMessage()
              + ")");
      System.exit(2);
    }
  }
}
