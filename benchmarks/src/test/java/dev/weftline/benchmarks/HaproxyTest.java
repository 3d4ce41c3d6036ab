package dev.weftline.benchmarks;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.util.List;
import org.junit.jupiter.api.Test;

/// What the rollout scenario tells its load balancer.
class HaproxyTest {
  /// RFC 9113 §3.4: the check begins with the preface, in hexadecimal.
  @Test
  void theHealthCheckIsACallOfItsOwn() throws IOException {
    assertThat(Haproxy.configuration(8080, List.of(50051, 50052), 0))
        .contains("bind 127.0.0.1:8080 proto h2", "127.0.0.1:50051", "127.0.0.1:50052", "retries 0")
        .containsPattern("send-binary 505249202a20485454502f322e300d0a0d0a534d0d0a0d0a[0-9a-f]+\n")
        .contains("binary 00000000020801\n");
  }
}
