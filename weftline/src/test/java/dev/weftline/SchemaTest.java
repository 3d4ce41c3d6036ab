package dev.weftline;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.google.protobuf.DescriptorProtos.FileDescriptorProto;
import com.google.protobuf.DescriptorProtos.MethodDescriptorProto;
import com.google.protobuf.DescriptorProtos.MethodOptions;
import com.google.protobuf.DescriptorProtos.MethodOptions.IdempotencyLevel;
import com.google.protobuf.DescriptorProtos.ServiceDescriptorProto;
import com.google.protobuf.Descriptors;
import com.google.protobuf.Descriptors.FileDescriptor;
import com.google.protobuf.Empty;
import com.google.protobuf.EmptyProto;
import com.google.protobuf.StringValue;
import io.grpc.MethodDescriptor;
import io.grpc.MethodDescriptor.MethodType;
import io.grpc.protobuf.ProtoMethodDescriptorSupplier;
import io.grpc.protobuf.ProtoServiceDescriptorSupplier;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// gRPC's descriptors from those of protobuf.
final class SchemaTest {
  private static final Empty EMPTY = Empty.getDefaultInstance();

  @ParameterizedTest
  @CsvSource(
      textBlock =
          """
          # requests, replies, type
          false,      false,   UNARY
          false,      true,    SERVER_STREAMING
          true,       false,   CLIENT_STREAMING
          true,       true,    BIDI_STREAMING
          """)
  void shapes(boolean requests, boolean replies, MethodType type) throws Exception {
    var method =
        MethodDescriptorProto.newBuilder().setClientStreaming(requests).setServerStreaming(replies);
    assertThat(described(method).getType()).isEqualTo(type);
    assertThat(described(method).getFullMethodName()).isEqualTo("acme.Users/Get");
  }

  @ParameterizedTest
  @CsvSource(
      textBlock =
          """
          # level,              safe,  idempotent
          IDEMPOTENCY_UNKNOWN,  false, false
          NO_SIDE_EFFECTS,      true,  true
          IDEMPOTENT,           false, true
          """)
  void idempotency(IdempotencyLevel level, boolean safe, boolean idempotent) throws Exception {
    var options = MethodOptions.newBuilder().setIdempotencyLevel(level);
    var method = described(MethodDescriptorProto.newBuilder().setOptions(options));
    assertThat(method.isSafe()).isEqualTo(safe);
    assertThat(method.isIdempotent()).isEqualTo(idempotent);
  }

  @Test
  void descriptorsLeadBackToTheProto() throws Exception {
    var users = users(MethodDescriptorProto.newBuilder());
    var schema = Schema.of(users);
    var method = schema.method("Get", EMPTY, EMPTY);
    assertThat(method.getSchemaDescriptor())
        .isInstanceOfSatisfying(
            ProtoMethodDescriptorSupplier.class,
            known -> assertThat(known.getMethodDescriptor()).isSameAs(users.getMethods().get(0)));
    var service = schema.descriptor(method);
    assertThat(service.getName()).isEqualTo("acme.Users");
    assertThat(service.getMethods()).containsExactly(method);
    assertThat(service.getSchemaDescriptor())
        .isInstanceOfSatisfying(
            ProtoServiceDescriptorSupplier.class,
            known -> assertThat(known.getServiceDescriptor()).isSameAs(users));
  }

  @Test
  void aMethodThatIsNotThereIsRefused() throws Exception {
    var schema = Schema.of(users(MethodDescriptorProto.newBuilder()));
    assertThatThrownBy(() -> schema.method("Put", EMPTY, EMPTY))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("acme.Users has no method Put");
  }

  @Test
  void aMethodOfOtherTypesIsRefused() throws Exception {
    var schema = Schema.of(users(MethodDescriptorProto.newBuilder()));
    assertThatThrownBy(() -> schema.method("Get", EMPTY, StringValue.getDefaultInstance()))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("acme.Users.Get gives google.protobuf.Empty, not google.protobuf.StringValue");
  }

  private static MethodDescriptor<Empty, Empty> described(MethodDescriptorProto.Builder method)
      throws Exception {
    return Schema.of(users(method)).method("Get", EMPTY, EMPTY);
  }

  private static Descriptors.ServiceDescriptor users(MethodDescriptorProto.Builder method)
      throws Exception {
    method
        .setName("Get")
        .setInputType(".google.protobuf.Empty")
        .setOutputType(".google.protobuf.Empty");
    var file =
        FileDescriptorProto.newBuilder()
            .setName("users.proto")
            .setPackage("acme")
            .addDependency("google/protobuf/empty.proto")
            .addService(ServiceDescriptorProto.newBuilder().setName("Users").addMethod(method));
    return FileDescriptor.buildFrom(file.build(), new FileDescriptor[] {EmptyProto.getDescriptor()})
        .getServices()
        .get(0);
  }
}
