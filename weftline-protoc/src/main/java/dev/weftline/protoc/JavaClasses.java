package dev.weftline.protoc;

import com.google.protobuf.Descriptors.FileDescriptor;
import com.google.protobuf.Descriptors.ServiceDescriptor;
import com.google.protobuf.GeneratorNames;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;

/// The top-level classes that exist because of some .proto files: which names are taken, and by
/// what.
final class JavaClasses {
  private final Map<String, String> owners = new HashMap<>(); // full name: what it is, for people

  JavaClasses(Iterable<FileDescriptor> files) {
    for (var file : files) add(file);
  }

  private void add(FileDescriptor file) {
    owners.put(outerClass(file), "the class of the file " + file.getName());
    for (var message : file.getMessageTypes()) {
      if (GeneratorNames.getNestInFileClass(message)) continue;
      var name = GeneratorNames.getQualifiedClassName(message);
      owners.put(name, "the message " + message.getFullName());
      owners.put(name + "OrBuilder", "the message " + message.getFullName());
    }
    for (var type : file.getEnumTypes()) {
      if (GeneratorNames.getNestInFileClass(type)) continue;
      owners.put(GeneratorNames.getQualifiedClassName(type), "the enum " + type.getFullName());
    }
    var options = file.getOptions();
    if (!options.getJavaGenericServices() || !options.getJavaMultipleFiles()) return;
    for (var service : file.getServices()) {
      owners.put(qualified(file, service.getName()), "what java_generic_services asks for");
    }
  }

  /// Claims the name of a service's interface, and gives what has it already.
  Optional<String> claim(ServiceDescriptor service) {
    return Optional.ofNullable(
        owners.putIfAbsent(
            qualified(service.getFile(), JavaNames.ofClass(service.getName())),
            "the service " + service.getFullName()));
  }

  /// The package that a class hides from the code in a file's package, so that nothing in it can be
  /// named (JLS §6.4.2): a class `io` in front of `io.grpc`.
  Optional<String> hidden(FileDescriptor file, Stream<String> packages) {
    return packages
        .map(name -> name.replaceFirst("\\..*", ""))
        .filter(name -> owners.containsKey(qualified(file, name)))
        .findFirst();
  }

  /// What the client inside of a service's interface is called. A class hides those of its name
  /// outside, which matters where they have no longer name: in the unnamed package.
  String client(ServiceDescriptor service) {
    boolean unnamed = GeneratorNames.getFileJavaPackage(service.getFile()).isEmpty();
    var name = "Client";
    while (name.equals(service.getName()) || (unnamed && owners.containsKey(name))) name += "_";
    return name;
  }

  /// The class that protoc generates for the file itself, and that has its descriptor.
  static String outerClass(FileDescriptor file) {
    return qualified(file, GeneratorNames.getFileClassName(file));
  }

  static String qualified(FileDescriptor file, String name) {
    var javaPackage = GeneratorNames.getFileJavaPackage(file);
    return javaPackage.isEmpty() ? name : javaPackage + "." + name;
  }
}
