package dev.weftline.interop;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.abort;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.weftline.interop.H2Spec.Case;
import dev.weftline.interop.ServersUnderTest.Transport;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.TestInstance;

/// h2spec: every case of its generic, http2 and hpack suites, in plaintext and with TLS.
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class H2SpecIT {
  /// Cases of RFC 7540 that RFC 9113 took back, with the section that did.
  private static final Map<String, String> TAKEN_BACK =
      Map.of(
          "http2/5.3.1/1",
          "RFC 9113 §5.3.2 deprecates the priority tree, §6.2: the fields in HEADERS are ignored",
          "http2/5.3.1/2",
          "RFC 9113 §5.3.2 deprecates the priority tree, §6.3: PRIORITY changes no stream's state");

  /// Cases that spoil a request behind its HEADERS. Nothing h2spec asks for is served here, so the
  /// answer may be out already, with RST_STREAM NO_ERROR as RFC 9113 §8.1 wants it for a request
  /// that goes on. Then h2spec waits for an error that cannot come; whether it does is a matter of
  /// microseconds. These must pass whenever the request is whole before it is answered.
  private static final Set<String> OVERTAKEN_BY_THE_ANSWER =
      Set.of(
          "http2/5.1/8",
          "http2/5.1/9",
          "http2/8.1/1",
          "http2/8.1.2.1/3",
          "http2/8.1.2.6/1",
          "http2/8.1.2.6/2",
          "http2/6.9/2",
          "http2/6.9.1/3");

  private static final int ATTEMPTS_MAX = 8;

  private final ServersUnderTest servers;

  H2SpecIT() throws Exception {
    servers = new ServersUnderTest();
  }

  @BeforeAll
  void runsOnThisMachine() {
    assumeTrue(H2Spec.runsHere(), "h2spec is at hand for Linux on x86-64 only");
  }

  @AfterAll
  void stopTheServers() {
    servers.close();
  }

  @TestFactory
  Stream<DynamicTest> inPlaintext() throws Exception {
    return tests(Transport.H2C);
  }

  @TestFactory
  Stream<DynamicTest> withTls() throws Exception {
    return tests(Transport.TLS);
  }

  private Stream<DynamicTest> tests(Transport transport) throws Exception {
    var h2spec = new H2Spec(Path.of("target", "h2spec", transport.name()));
    var cases = h2spec.run(servers.port(transport), transport);
    assertThat(cases).as("all of h2spec 2.2.0 ran").hasSize(146);
    assertThat(cases.stream().map(Case::id)).containsAll(TAKEN_BACK.keySet());
    assertThat(cases.stream().map(Case::id)).containsAll(OVERTAKEN_BY_THE_ANSWER);
    return cases.stream()
        .map(one ->
            DynamicTest.dynamicTest(
                one.id() + " " + one.title() + " over " + transport,
                () -> check(one, h2spec, transport)));
  }

  private void check(Case one, H2Spec h2spec, Transport transport) throws Exception {
    var reason = TAKEN_BACK.get(one.id());
    if (reason != null) abort(reason);
    var failure = one.failure();
    if (OVERTAKEN_BY_THE_ANSWER.contains(one.id())) {
      for (int attempt = 1; failure.isPresent() && attempt < ATTEMPTS_MAX; attempt++) {
        failure = again(one, h2spec.run(servers.port(transport), transport, one.id()));
      }
    }
    assertThat(failure).as(one.title()).isEmpty();
  }

  /// A run of one case reports it as the first of its section, whatever its number.
  private static Optional<String> again(Case one, List<Case> cases) {
    assertThat(cases).as("runs of " + one.id()).hasSize(1);
    assertThat(cases.getFirst().title()).isEqualTo(one.title());
    return cases.getFirst().failure();
  }
}
