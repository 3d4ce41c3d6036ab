package dev.weftline.protoc;

import com.google.protobuf.DescriptorProtos.FileDescriptorProto;
import com.google.protobuf.DescriptorProtos.ServiceDescriptorProto;
import com.google.protobuf.DescriptorProtos.SourceCodeInfo.Location;
import com.google.protobuf.Descriptors.FileDescriptor;
import com.google.protobuf.Descriptors.MethodDescriptor;
import com.google.protobuf.Descriptors.ServiceDescriptor;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/// The text of a .proto as far as protoc passes it on: where things stand, and what is said of
/// them.
final class Source {
  private final String file;
  private final Map<List<Integer>, Location> locations = new HashMap<>(); // by their paths

  Source(FileDescriptor file) {
    this.file = file.getName();
    for (var location : file.toProto().getSourceCodeInfo().getLocationList()) {
      locations.putIfAbsent(location.getPathList(), location);
    }
  }

  String comment(ServiceDescriptor service) {
    return comment(path(service));
  }

  String comment(MethodDescriptor method) {
    return comment(path(method));
  }

  /// What stands before it; else what stands behind it on the same line.
  private String comment(List<Integer> path) {
    var location = locations.getOrDefault(path, Location.getDefaultInstance());
    return location.hasLeadingComments()
        ? location.getLeadingComments()
        : location.getTrailingComments();
  }

  /// A complaint about the name of a service.
  String fault(ServiceDescriptor service, String sentence) {
    return fault(with(path(service), ServiceDescriptorProto.NAME_FIELD_NUMBER), sentence);
  }

  /// A complaint about one part of a method, such as [MethodDescriptorProto#NAME_FIELD_NUMBER].
  String fault(MethodDescriptor method, int part, String sentence) {
    return fault(with(path(method), part), sentence);
  }

  /// As compilers write it, for people and editors: file, line, column, each counted from 1.
  private String fault(List<Integer> path, String sentence) {
    var location = locations.get(path);
    if (location == null) return file + ": " + sentence;
    return "%s:%d:%d: %s"
        .formatted(file, location.getSpan(0) + 1, location.getSpan(1) + 1, sentence);
  }

  private static List<Integer> path(ServiceDescriptor service) {
    return List.of(FileDescriptorProto.SERVICE_FIELD_NUMBER, service.getIndex());
  }

  private static List<Integer> path(MethodDescriptor method) {
    return with(
        path(method.getService()), ServiceDescriptorProto.METHOD_FIELD_NUMBER, method.getIndex());
  }

  private static List<Integer> with(List<Integer> path, Integer... more) {
    var longer = new ArrayList<>(path);
    Collections.addAll(longer, more);
    return longer;
  }
}
