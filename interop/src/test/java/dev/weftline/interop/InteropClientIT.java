package dev.weftline.interop;

import static org.assertj.core.api.Assertions.assertThat;

import dev.weftline.interop.ServersUnderTest.Transport;
import io.grpc.testing.integration.TestCases;
import io.grpc.testing.integration.TestServiceClient;
import java.io.ByteArrayInputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyStore;
import java.security.cert.CertificateFactory;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/// grpc-java's own interop client, every case of it that needs nobody but a server.
@Timeout(60)
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class InteropClientIT {
  /// These ask Google's cloud for credentials.
  private static final Set<TestCases> NEED_CREDENTIALS =
      EnumSet.of(
          TestCases.COMPUTE_ENGINE_CREDS,
          TestCases.COMPUTE_ENGINE_CHANNEL_CREDENTIALS,
          TestCases.SERVICE_ACCOUNT_CREDS,
          TestCases.JWT_TOKEN_CREDS,
          TestCases.OAUTH2_AUTH_TOKEN,
          TestCases.PER_RPC_CREDS,
          TestCases.GOOGLE_DEFAULT_CREDENTIALS);

  /// Tests something that grpc-java's channel lacks, as the case itself says: a second connection
  /// once the streams of the first are used up. Only newer clients list it.
  private static final String NOT_IN_THE_CLIENT = "max_concurrent_streams_connection_scaling";

  /// The interop description runs the orca cases with this: the policy that reads the reports.
  private static final String ORCA_LOAD_BALANCER =
      "--service_config_json={\"loadBalancingConfig\":[{\"test_backend_metrics_load_balancer\":{}}]}";

  private final ServersUnderTest servers;

  InteropClientIT() throws Exception {
    servers = new ServersUnderTest();
  }

  /// The client has no option for an authority of ours; it trusts what its JVM trusts.
  @BeforeAll
  void trustTheAuthority(@TempDir Path files) throws Exception {
    var store = KeyStore.getInstance("PKCS12");
    store.load(null, null);
    var pem = new ByteArrayInputStream(servers.authority().getBytes(StandardCharsets.US_ASCII));
    store.setCertificateEntry(
        "authority", CertificateFactory.getInstance("X.509").generateCertificate(pem));
    var file = files.resolve("trusted.p12");
    try (var out = Files.newOutputStream(file)) {
      store.store(out, "weftline".toCharArray());
    }
    System.setProperty("javax.net.ssl.trustStore", file.toString());
    System.setProperty("javax.net.ssl.trustStorePassword", "weftline");
  }

  @AfterAll
  void stopTheServers() {
    System.clearProperty("javax.net.ssl.trustStore");
    System.clearProperty("javax.net.ssl.trustStorePassword");
    servers.close();
  }

  @Test
  void theServerUnderTestIsWeftline() {
    assertThat(servers.all())
        .allSatisfy(s -> assertThat(s.getClass().getName()).startsWith("dev.weftline."));
  }

  @Test
  void theClientHas27CasesThatNeedNobodyButAServer() {
    assertThat(casesAlone()).hasSize(27);
  }

  @ParameterizedTest(name = "{0} over {1}")
  @MethodSource("cases")
  void passes(String testCase, Transport transport) throws Exception {
    TestServiceClient.main(arguments(testCase, transport).toArray(String[]::new));
  }

  private List<String> arguments(String testCase, Transport transport) {
    var arguments = new ArrayList<String>();
    arguments.add("--server_host=127.0.0.1");
    arguments.add("--server_port=" + servers.port(transport));
    arguments.add("--server_host_override=" + TestCertificate.NAME);
    arguments.add("--use_tls=" + (transport == Transport.TLS));
    arguments.add("--test_case=" + testCase);
    // One second per call, the client's default, is a statement about an idle machine.
    arguments.add("--soak_per_iteration_max_acceptable_latency_ms=10000");
    arguments.add("--soak_overall_timeout_seconds=45");
    if (testCase.startsWith("orca_")) arguments.add(ORCA_LOAD_BALANCER);
    return arguments;
  }

  static Stream<Arguments> cases() {
    return Stream.of(Transport.values())
        .flatMap(transport -> casesAlone().stream().map(name -> Arguments.of(name, transport)));
  }

  private static List<String> casesAlone() {
    return Stream.of(TestCases.values())
        .filter(testCase -> !NEED_CREDENTIALS.contains(testCase))
        .map(testCase -> testCase.name().toLowerCase(Locale.ROOT))
        .filter(name -> !name.equals(NOT_IN_THE_CLIENT))
        .toList();
  }
}
