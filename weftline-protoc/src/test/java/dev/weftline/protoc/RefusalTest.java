package dev.weftline.protoc;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.DescriptorProtos.FileDescriptorSet;
import com.google.protobuf.compiler.PluginProtos.CodeGeneratorRequest;
import com.google.protobuf.compiler.PluginProtos.CodeGeneratorResponse;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;

/// What protoc accepts and Java cannot express is refused, with the place and a way out. The .proto
/// files are those of `src/test/refused`, described by protoc.
final class RefusalTest {
  @Test
  void twoMethodsOfOneJavaName() throws IOException {
    assertThat(refusal("two_methods_of_one_name.proto"))
        .isEqualTo(
            """
            two_methods_of_one_name.proto:9:7: GetUser and Get_User of refused.methods.Users would both be the Java method getUser; one of them needs another name
            two_methods_of_one_name.proto:13:7: Default and default of refused.methods.Users would both be the Java method default_; one of them needs another name\
            """);
  }

  @Test
  void aServiceWhoseClassExists() throws IOException {
    assertThat(refusal("taken.proto"))
        .isEqualTo(
            """
            taken.proto:10:9: the service refused.taken.Users and the message refused.shared.Users would both be the Java class org.shared.Users; another java_package or java_outer_classname tells them apart
            taken.proto:14:9: the service refused.taken.UsersOrBuilder and the message refused.shared.Users would both be the Java class org.shared.UsersOrBuilder; another java_package or java_outer_classname tells them apart
            taken.proto:16:9: the service refused.taken.Kind and the enum refused.shared.Kind would both be the Java class org.shared.Kind; another java_package or java_outer_classname tells them apart
            taken.proto:20:9: the service refused.taken.Taken and the class of the file taken.proto would both be the Java class org.shared.Taken; another java_package or java_outer_classname tells them apart\
            """);
  }

  @Test
  void aServiceThatProtocMakesAClassOf() throws IOException {
    assertThat(refusal("generic.proto"))
        .startsWith(
            "generic.proto:10:9: the service refused.generic.Users and what java_generic_services"
                + " asks for would both be the Java class refused.generic.Users");
  }

  @Test
  void twoServicesOfOneClass() throws IOException {
    assertThat(refusal("shared.proto", "taken.proto"))
        .contains(
            "taken.proto:18:9: the service refused.taken.Orders and the service refused.shared.Orders"
                + " would both be the Java class org.shared.Orders");
  }

  /// JLS §6.4.2
  @Test
  void aMessageThatHidesAPackage() throws IOException {
    assertThat(refusal("hidden.proto"))
        .isEqualTo(
            "hidden.proto:9:9: a class io in the Java package of the service refused.hidden.Files"
                + " hides all packages that start with io.; one of the two needs another java_package");
  }

  /// JLS §6.4.2
  @Test
  void aServiceThatHidesItsOwnPackage() throws IOException {
    assertThat(refusal("root.proto"))
        .startsWith(
            "root.proto:9:9: a class root in the Java package of the service root.files.root");
  }

  /// JLS §7.5
  @Test
  void aMessageWithoutJavaPackage() throws IOException {
    assertThat(refusal("no_java_package.proto"))
        .isEqualTo(
            """
            no_java_package.proto:9:18: the message Nameless has no Java package, so no other package can name it; unnamed.proto needs the option java_package
            no_java_package.proto:10:50: the message Nameless has no Java package, so no other package can name it; unnamed.proto needs the option java_package\
            """);
  }

  @Test
  void everythingAtOnce() throws IOException {
    assertThat(refusal("hidden.proto", "root.proto", "two_methods_of_one_name.proto").lines())
        .hasSize(4);
  }

  @Test
  void optionsThereAreNone() throws IOException {
    var request = request("shared.proto").setParameter("lite,client=false").build();
    assertThat(Generator.answer(request).getError())
        .isEqualTo("weftline-protoc has no options; it was given: lite,client=false");
  }

  /// Descriptors without source code info, as some tools make them.
  @Test
  void placesAreLeftOutWhereNobodyKnowsThem() throws IOException {
    var request = request("hidden.proto");
    request.getProtoFileBuilderList().forEach(file -> file.clearSourceCodeInfo());
    assertThat(Generator.answer(request.build()).getError()).startsWith("hidden.proto: a class io");
  }

  @Test
  void descriptorsThatDoNotFitTogether() throws IOException {
    var request = request("taken.proto");
    request
        .getProtoFileBuilderList()
        .forEach(file -> {
          if (file.getName().equals("taken.proto")) file.clearDependency();
        });
    assertThat(Generator.answer(request.build()).getError())
        .isEqualTo(
            "taken.proto: refused.taken.Users.Get: \".refused.shared.Users\" is not defined.");
  }

  private static String refusal(String... files) throws IOException {
    CodeGeneratorResponse answer = Generator.answer(request(files).build());
    assertThat(answer.getFileList()).isEmpty();
    return answer.getError();
  }

  private static CodeGeneratorRequest.Builder request(String... files) throws IOException {
    try (var described = Files.newInputStream(Path.of("target/refused.protobin"))) {
      return CodeGeneratorRequest.newBuilder()
          .addAllFileToGenerate(java.util.List.of(files))
          .addAllProtoFile(FileDescriptorSet.parseFrom(described).getFileList());
    }
  }
}
