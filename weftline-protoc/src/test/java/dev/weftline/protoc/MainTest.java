package dev.weftline.protoc;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.ByteString;
import com.google.protobuf.DescriptorProtos.Edition;
import com.google.protobuf.EmptyProto;
import com.google.protobuf.compiler.PluginProtos.CodeGeneratorRequest;
import com.google.protobuf.compiler.PluginProtos.CodeGeneratorResponse;
import com.google.protobuf.compiler.PluginProtos.CodeGeneratorResponse.Feature;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

/// The process that protoc starts.
final class MainTest {
  @Test
  void saysWhichEditionsItUnderstands() throws Exception {
    var request =
        CodeGeneratorRequest.newBuilder()
            .addProtoFile(EmptyProto.getDescriptor().toProto())
            .addFileToGenerate("google/protobuf/empty.proto")
            .build();
    var run = run(request.toByteArray());
    assertThat(run.complaint()).isEmpty();
    assertThat(run.exitCode()).isZero();
    var answer = CodeGeneratorResponse.parseFrom(run.output());
    assertThat(answer.getFileList()).isEmpty();
    assertThat(answer.getSupportedFeatures())
        .isEqualTo(Feature.FEATURE_PROTO3_OPTIONAL_VALUE | Feature.FEATURE_SUPPORTS_EDITIONS_VALUE);
    assertThat(answer.getMinimumEdition()).isEqualTo(Edition.EDITION_PROTO2_VALUE);
    assertThat(answer.getMaximumEdition()).isEqualTo(Edition.EDITION_2024_VALUE);
  }

  @Test
  void tellsPeopleWhoStartItThatProtocShould() throws Exception {
    var run = run("hello?\n".getBytes(StandardCharsets.UTF_8));
    assertThat(run.exitCode()).isEqualTo(2);
    assertThat(run.output()).isEmpty();
    assertThat(run.complaint()).startsWith("weftline-protoc: this is a plugin that protoc starts");
  }

  private record Run(int exitCode, ByteString output, String complaint) {}

  private static Run run(byte[] input) throws IOException, InterruptedException {
    var process =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-cp",
                System.getProperty("java.class.path"),
                Main.class.getName())
            .start();
    try {
      try (var toProcess = process.getOutputStream()) {
        toProcess.write(input);
      }
      var output = ByteString.readFrom(process.getInputStream());
      var complaint = new String(process.getErrorStream().readAllBytes(), StandardCharsets.UTF_8);
      assertThat(process.waitFor(1, TimeUnit.MINUTES)).isTrue();
      return new Run(process.exitValue(), output, complaint);
    } finally {
      process.destroy();
    }
  }
}
