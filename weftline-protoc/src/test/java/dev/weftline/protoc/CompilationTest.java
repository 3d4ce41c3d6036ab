package dev.weftline.protoc;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.DescriptorProtos.FileDescriptorProto;
import com.google.protobuf.DescriptorProtos.MethodDescriptorProto;
import com.google.protobuf.DescriptorProtos.ServiceDescriptorProto;
import com.google.protobuf.DescriptorProtos.SourceCodeInfo;
import com.google.protobuf.EmptyProto;
import com.google.protobuf.compiler.PluginProtos.CodeGeneratorRequest;
import java.io.IOException;
import java.io.StringWriter;
import java.net.URI;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.function.IntFunction;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import javax.tools.JavaFileObject;
import javax.tools.SimpleJavaFileObject;
import javax.tools.ToolProvider;
import org.junit.jupiter.api.RepeatedTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Generated code gives javac and Javadoc nothing to complain about.
final class CompilationTest {
  private static final String EMPTY = ".google.protobuf.Empty";

  @TempDir Path classes;

  @Test
  void whatIsGeneratedHasNoWarnings() throws IOException {
    var sources = new ArrayList<JavaFileObject>();
    for (var file : GeneratedCode.files()) {
      sources.add(source(file.toString(), GeneratedCode.text(GeneratedCode.FOLDER.resolve(file))));
    }
    assertThat(sources).isNotEmpty();
    compile(sources);
  }

  @Test
  void aServiceMayHaveAThousandMethods() throws IOException {
    compile(generated(1_000, method -> ""));
  }

  /// Pieces of Java, Javadoc, HTML and Markdown in any order are a comment, and nothing else.
  @RepeatedTest(3)
  void noCommentIsTooOdd() throws IOException {
    long seed = new Random().nextLong();
    System.out.println("comments of seed " + seed);
    var random = new Random(seed);
    compile(generated(300, method -> oddComment(random)));
  }

  private static String oddComment(Random random) {
    var pieces =
        List.of(
            "*/",
            "/*",
            "/**",
            "//",
            "///",
            "\\",
            "\\u",
            "\\u002a",
            "\\uuu",
            "\\\\u0041",
            "@",
            "@param x",
            "@see",
            "{@link X}",
            "{@",
            "{",
            "}",
            "<",
            "<b>",
            "</b>",
            "<p",
            "<!--",
            "&",
            "&lt;",
            "&#",
            "&x;",
            "`",
            "``",
            "```",
            "~~~",
            "[",
            "]",
            "[x]",
            "[x][y.Z]",
            "[x](y)",
            "](",
            "(",
            ")",
            "![",
            "\n",
            "\n",
            "\n\n",
            "\r",
            "\t",
            " ",
            "  ",
            "    ",
            "\n    ",
            "\n\n    ",
            "\n@",
            "\n- ",
            "\n* ",
            "\n# ",
            "|",
            "\n|---|",
            "\n---\n",
            "\0",
            "\f",
            "\u001a",
            "\u2028",
            "\u0085",
            "ä",
            "😀",
            "\"",
            "\"\"\"",
            "'",
            ";",
            "$1",
            "%s",
            "%",
            "word",
            "word");
    return IntStream.range(0, random.nextInt(30))
        .mapToObj(piece -> pieces.get(random.nextInt(pieces.size())))
        .collect(Collectors.joining());
  }

  /// A service `big.Big` with methods of all shapes in turn, and a class for its file.
  private static List<JavaFileObject> generated(int methods, IntFunction<String> comment) {
    var service = ServiceDescriptorProto.newBuilder().setName("Big");
    var comments = SourceCodeInfo.newBuilder();
    for (int i = 0; i < methods; i++) {
      service.addMethod(
          MethodDescriptorProto.newBuilder()
              .setName("Method" + i)
              .setInputType(EMPTY)
              .setOutputType(EMPTY)
              .setClientStreaming((i & 1) != 0)
              .setServerStreaming((i & 2) != 0));
      comments
          .addLocationBuilder()
          .addAllPath(List.of(6, 0, 2, i))
          .setLeadingComments(comment.apply(i));
    }
    var file =
        FileDescriptorProto.newBuilder()
            .setName("big.proto")
            .setPackage("big")
            .addDependency("google/protobuf/empty.proto")
            .addService(service)
            .setSourceCodeInfo(comments);
    var answer =
        Generator.answer(
            CodeGeneratorRequest.newBuilder()
                .addFileToGenerate("big.proto")
                .addProtoFile(EmptyProto.getDescriptor().toProto())
                .addProtoFile(file)
                .build());
    assertThat(answer.getError()).isEmpty();
    var ofFile =
        source(
            "big/BigOuterClass.java",
            """
            package big;
            final class BigOuterClass {
              static com.google.protobuf.Descriptors.FileDescriptor getDescriptor() {
                throw new java.lang.UnsupportedOperationException();
              }
            }
            """);
    return Stream.concat(
            Stream.of(ofFile),
            answer.getFileList().stream().map(java -> source(java.getName(), java.getContent())))
        .toList();
  }

  private void compile(List<JavaFileObject> sources) {
    var complaints = new StringWriter();
    boolean compiled =
        ToolProvider.getSystemJavaCompiler()
            .getTask(
                complaints,
                null,
                null,
                List.of(
                    "--release",
                    "25",
                    "-Xlint:all",
                    "-Xdoclint:all,-missing",
                    "-Werror",
                    "-proc:none",
                    "-d",
                    classes.toString()),
                null,
                sources)
            .call();
    assertThat(complaints.toString()).isEmpty();
    assertThat(compiled).isTrue();
  }

  private static JavaFileObject source(String path, String text) {
    return new SimpleJavaFileObject(URI.create("memory:///" + path), JavaFileObject.Kind.SOURCE) {
      @Override
      public CharSequence getCharContent(boolean ignoreEncodingErrors) {
        return text;
      }
    };
  }
}
