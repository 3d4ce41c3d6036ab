package dev.weftline.protoc;

import com.google.protobuf.DescriptorProtos.Edition;
import com.google.protobuf.DescriptorProtos.FileDescriptorProto;
import com.google.protobuf.DescriptorProtos.MethodDescriptorProto;
import com.google.protobuf.Descriptors.Descriptor;
import com.google.protobuf.Descriptors.DescriptorValidationException;
import com.google.protobuf.Descriptors.FileDescriptor;
import com.google.protobuf.Descriptors.MethodDescriptor;
import com.google.protobuf.Descriptors.ServiceDescriptor;
import com.google.protobuf.GeneratorNames;
import com.google.protobuf.compiler.PluginProtos.CodeGeneratorRequest;
import com.google.protobuf.compiler.PluginProtos.CodeGeneratorResponse;
import com.google.protobuf.compiler.PluginProtos.CodeGeneratorResponse.Feature;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/// Answers one request of protoc: a Java file for each service, or everything that is wrong.
final class Generator {
  private final Map<String, FileDescriptor> files = new LinkedHashMap<>(); // imported ones first
  private final List<String> faults = new ArrayList<>();
  private final List<ServiceFile> services = new ArrayList<>();

  private Generator() {}

  static CodeGeneratorResponse answer(CodeGeneratorRequest request) {
    var generator = new Generator();
    generator.generate(request);
    var answer =
        CodeGeneratorResponse.newBuilder()
            .setSupportedFeatures(
                Feature.FEATURE_PROTO3_OPTIONAL_VALUE | Feature.FEATURE_SUPPORTS_EDITIONS_VALUE)
            .setMinimumEdition(Edition.EDITION_PROTO2_VALUE)
            .setMaximumEdition(Edition.EDITION_2024_VALUE);
    if (!generator.faults.isEmpty()) {
      return answer.setError(String.join("\n", generator.faults)).build();
    }
    for (var service : generator.services) answer.addFile(service.file());
    return answer.build();
  }

  private void generate(CodeGeneratorRequest request) {
    if (!request.getParameter().isBlank()) {
      faults.add("weftline-protoc has no options; it was given: " + request.getParameter());
    }
    for (var file : request.getProtoFileList()) {
      try {
        files.put(file.getName(), linked(file));
      } catch (DescriptorValidationException e) {
        faults.add(file.getName() + ": " + e.getMessage());
        return;
      }
    }
    var classes = new JavaClasses(files.values());
    for (var name : request.getFileToGenerateList()) {
      var file = files.get(name);
      if (file == null) throw new IllegalArgumentException("protoc did not describe " + name);
      var source = new Source(file);
      for (var service : file.getServices()) generate(service, source, classes);
    }
  }

  private FileDescriptor linked(FileDescriptorProto file) throws DescriptorValidationException {
    var imports = new ArrayList<FileDescriptor>();
    for (var name : file.getDependencyList()) {
      var imported = files.get(name);
      if (imported != null) imports.add(imported);
    }
    return FileDescriptor.buildFrom(file, imports.toArray(FileDescriptor[]::new));
  }

  private void generate(ServiceDescriptor service, Source source, JavaClasses classes) {
    var rpcs = service.getMethods().stream().map(method -> new Rpc(method, source)).toList();
    refuseTakenName(service, source, classes);
    refuseEqualNames(rpcs, source);
    for (var method : service.getMethods()) {
      refuseUnnamedPackage(
          method, MethodDescriptorProto.INPUT_TYPE_FIELD_NUMBER, method.getInputType(), source);
      refuseUnnamedPackage(
          method, MethodDescriptorProto.OUTPUT_TYPE_FIELD_NUMBER, method.getOutputType(), source);
    }
    refuseHiddenPackages(service, source, classes);
    services.add(
        new ServiceFile(
            service,
            JavaNames.ofClass(service.getName()),
            classes.client(service),
            Comments.javadoc(source.comment(service)),
            rpcs));
  }

  private void refuseTakenName(ServiceDescriptor service, Source source, JavaClasses classes) {
    var owner = classes.claim(service);
    if (owner.isEmpty()) return;
    var name = JavaClasses.qualified(service.getFile(), JavaNames.ofClass(service.getName()));
    faults.add(
        source.fault(
            service,
            "the service %s and %s would both be the Java class %s; "
                    .formatted(service.getFullName(), owner.get(), name)
                + "another java_package or java_outer_classname tells them apart"));
  }

  private void refuseEqualNames(List<Rpc> rpcs, Source source) {
    var names = new HashMap<String, String>();
    for (var rpc : rpcs) {
      var method = rpc.method();
      var first = names.putIfAbsent(rpc.name(), method.getName());
      if (first == null) continue;
      faults.add(
          source.fault(
              method,
              MethodDescriptorProto.NAME_FIELD_NUMBER,
              "%s and %s of %s would both be the Java method %s; one of them needs another name"
                  .formatted(
                      first, method.getName(), method.getService().getFullName(), rpc.name())));
    }
  }

  /// Java has no way to name a class of the unnamed package from a package (JLS §7.5).
  private void refuseUnnamedPackage(
      MethodDescriptor method, int part, Descriptor type, Source source) {
    if (GeneratorNames.getFileJavaPackage(method.getFile()).isEmpty()) return;
    if (!GeneratorNames.getFileJavaPackage(type.getFile()).isEmpty()) return;
    faults.add(
        source.fault(
            method,
            part,
            "the message %s has no Java package, so no other package can name it; "
                    .formatted(type.getFullName())
                + "%s needs the option java_package".formatted(type.getFile().getName())));
  }

  private void refuseHiddenPackages(ServiceDescriptor service, Source source, JavaClasses classes) {
    var types =
        service.getMethods().stream().flatMap(m -> Stream.of(m.getInputType(), m.getOutputType()));
    var packages =
        Stream.concat(
            Stream.of("dev", "io", "java"),
            types.map(type -> GeneratorNames.getFileJavaPackage(type.getFile())));
    classes
        .hidden(service.getFile(), packages)
        .ifPresent(name ->
            faults.add(
                source.fault(
                    service,
                    "a class %s in the Java package of the service %s hides all packages "
                            .formatted(name, service.getFullName())
                        + "that start with %s.; one of the two needs another java_package"
                            .formatted(name))));
  }
}
