package dev.weftline.internal.protocol;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

final class GrpcProtocolTest {
  @ParameterizedTest
  @CsvSource(
      textBlock =
          """
          1n,         1
          2u,         2000
          3m,         3000000
          4S,         4000000000
          5M,         300000000000
          6H,         21600000000000
          0S,         0
          00000001S,  1000000000
          99999999S,  99999999000000000
          99999999H,  9223372036854775807
          99999999M,  5999999940000000000
          """)
  void timeouts(String timeout, long nanos) {
    assertThat(GrpcProtocol.parseTimeout(timeout)).isEqualTo(nanos);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"", "S", "1", "1s", "1h", "-1S", "+1S", "1.5S", " 1S", "123456789n", "1SS", "٣S"})
  void malformedTimeouts(String timeout) {
    assertThat(GrpcProtocol.parseTimeout(timeout)).isEqualTo(GrpcProtocol.MALFORMED_TIMEOUT);
  }

  @ParameterizedTest
  @CsvSource(
      textBlock =
          """
          application/grpc,                  true
          application/grpc+proto,            true
          application/grpc+json,             true
          application/grpc; charset=utf-8,   true
          APPLICATION/GRPC,                  true
          application/grpc-web,              false
          application/grpcx,                 false
          application/json,                  false
          '',                                false
          ,                                  false
          """)
  void contentTypes(String contentType, boolean grpc) {
    assertThat(GrpcProtocol.isGrpc(contentType)).isEqualTo(grpc);
  }
}
