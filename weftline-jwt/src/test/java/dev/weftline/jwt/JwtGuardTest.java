package dev.weftline.jwt;

import static dev.weftline.jwt.Issuer.NOW;
import static dev.weftline.jwt.Issuer.claims;
import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import com.google.rpc.ErrorInfo;
import com.nimbusds.jose.JOSEObjectType;
import com.nimbusds.jose.JWSAlgorithm;
import com.nimbusds.jose.crypto.MACSigner;
import com.nimbusds.jose.jwk.ECKey;
import com.nimbusds.jose.jwk.JWK;
import com.nimbusds.jose.jwk.KeyUse;
import com.nimbusds.jose.jwk.OctetSequenceKey;
import com.nimbusds.jose.jwk.RSAKey;
import com.nimbusds.jose.util.Base64URL;
import com.nimbusds.jwt.JWTClaimsSet;
import dev.weftline.CallException;
import io.grpc.Metadata;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.health.v1.HealthGrpc;
import java.io.IOException;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.PublicKey;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Base64;
import java.util.Date;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import java.util.logging.Level;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/// Which tokens let somebody in, and what is heard of those that do not.
@Timeout(60)
final class JwtGuardTest {
  private static final ECKey KEY = Issuer.ec("key-1");
  private static final RSAKey RSA = Issuer.rsa("rsa-1");

  private final Clock clock = new Clock();

  @TempDir private Path folder;

  private static final class Clock implements java.time.InstantSource {
    Instant now = NOW;

    @Override
    public Instant instant() {
      return now;
    }
  }

  private Path file(String name, String text) throws IOException {
    return Files.writeString(folder.resolve(name), text);
  }

  private JwtGuard.Builder trusting() {
    return JwtGuard.builder().issuer(Issuer.NAME).audience(Issuer.AUDIENCE).clock(clock);
  }

  private JwtGuard guard(JWK... keys) throws IOException {
    return trusting().jwks(file("keys.json", Issuer.set(keys))).build();
  }

  private static JwtPrincipal admitted(JwtGuard guard, String token) {
    try {
      return (JwtPrincipal) guard.admit(CallWith.token(token)).orElseThrow();
    } catch (io.grpc.StatusException e) {
      throw new AssertionError(e);
    }
  }

  private static StatusRuntimeException refusal(JwtGuard guard, CallWith call) {
    return catchThrowableOfType(StatusRuntimeException.class, () -> guard.admit(call));
  }

  /// Refused, and for this reason: the log says so at INFO.
  private static void assertRefused(JwtGuard guard, CallWith call, String reason) {
    try (var log = new RecordedLog(Level.FINE)) {
      var refused = refusal(guard, call);
      assertThat(refused).as("refused: " + reason).isNotNull();
      assertThat(refused.getStatus().getCode()).isEqualTo(Status.Code.UNAUTHENTICATED);
      assertThat(log.lines()).anySatisfy(line -> assertThat(line).contains(": " + reason + ", "));
    }
  }

  private static void assertRefused(JwtGuard guard, String token, String reason) {
    assertRefused(guard, CallWith.token(token), reason);
  }

  private static String with(Consumer<JWTClaimsSet.Builder> change) {
    var claims = claims();
    change.accept(claims);
    return Issuer.token(KEY, claims.build(), _ -> {});
  }

  // ---- Who is let in.

  @Test
  void aGoodTokenTellsWhoCalls() throws Exception {
    var token = with(claims -> claims.claim("tenant", Map.of("id", 7, "tags", List.of("a", "b"))));
    var caller = admitted(guard(KEY), token);
    assertThat(caller.getName()).isEqualTo("ada");
    assertThat(caller.issuer()).isEqualTo(Issuer.NAME);
    assertThat(caller.audience()).containsExactly(Issuer.AUDIENCE);
    assertThat(caller.scopes()).containsExactlyInAnyOrder("orders.read", "orders.write");
    assertThat(caller.expiry()).isEqualTo(NOW.plusSeconds(300));
    assertThat(caller.claims().get("tenant"))
        .isEqualTo(Map.of("id", 7L, "tags", List.of("a", "b")));
    assertThat(JwtPrincipal.hasScope("orders.read").test(caller)).isTrue();
    assertThat(JwtPrincipal.hasScope("orders").test(caller)).isFalse();
    assertThat(caller).hasToString("ada by https://login.example");
    assertThatThrownBy(() -> caller.claims().clear())
        .isInstanceOf(UnsupportedOperationException.class);
    assertThatThrownBy(() -> ((Map<?, ?>) requireNonNull(caller.claims().get("tenant"))).clear())
        .isInstanceOf(UnsupportedOperationException.class);
  }

  @Test
  void everyKindOfKeyChecksItsOwnAlgorithms() throws Exception {
    var ed = new Issuer.Ed25519();
    var guard = guard(KEY, RSA, ed.jwk("ed-1"));
    for (var token :
        List.of(
            Issuer.token(KEY),
            Issuer.token(RSA, JWSAlgorithm.RS256),
            Issuer.token(RSA, JWSAlgorithm.PS384),
            ed.token("ed-1"))) {
      assertThat(admitted(guard, token).subject()).isEqualTo("ada");
    }
    assertRefused(guard, ed.token("key-1"), "UNKNOWN_KEY");
    assertRefused(guard, new Issuer.Ed25519().token("ed-1"), "SIGNATURE");
  }

  @Test
  void scopesMayStandInScpAsAList() throws Exception {
    var token = with(claims -> claims.claim("scope", null).claim("scp", List.of("a", "b")));
    assertThat(admitted(guard(KEY), token).scopes()).containsExactlyInAnyOrder("a", "b");
  }

  /// RFC 9110 §11.1: the scheme knows no case.
  @Test
  void theSchemeKnowsNoCase() throws Exception {
    var guard = guard(KEY);
    assertThat(guard.admit(CallWith.fields("bearer " + Issuer.token(KEY)))).isPresent();
    assertThat(guard.admit(CallWith.fields("BEARER  " + Issuer.token(KEY)))).isPresent();
  }

  @Test
  void aPublicKeyOfAPemFileNeedsNoName() throws Exception {
    for (var key : List.of(KEY.toECPublicKey(), RSA.toRSAPublicKey())) {
      var guard = trusting().publicKey(file("key.pem", pem(key))).build();
      var token =
          key.getAlgorithm().equals("EC")
              ? Issuer.token(KEY)
              : Issuer.token(RSA, JWSAlgorithm.RS512);
      assertThat(admitted(guard, token).subject()).isEqualTo("ada");
    }
  }

  private static String pem(PublicKey key) {
    return "-----BEGIN PUBLIC KEY-----\n"
        + Base64.getMimeEncoder().encodeToString(key.getEncoded())
        + "\n-----END PUBLIC KEY-----\n";
  }

  @Test
  void aSecretChecksHmacAndNothingElse() throws Exception {
    var secret = "0123456789abcdef0123456789abcdef".getBytes(StandardCharsets.US_ASCII);
    var guard = trusting().secret(secret).build();
    assertThat(admitted(guard, hmac(secret)).subject()).isEqualTo("ada");
    assertRefused(
        guard,
        hmac("another secret, of 32 octets too".getBytes(StandardCharsets.US_ASCII)),
        "SIGNATURE");
    assertRefused(guard, Issuer.token(KEY), "ALGORITHM");
  }

  private static String hmac(byte[] secret) throws Exception {
    return Issuer.signed(
        JWSAlgorithm.HS256, "rsa-1", new MACSigner(secret), claims().build(), _ -> {});
  }

  // ---- Who is not.

  /// RFC 8725 §2.1, §3.1: the attack is to sign with the public key, which everybody has, as if it
  /// were the secret.
  @Test
  void aPublicKeyIsNoSecret() throws Exception {
    var set = guard(RSA, KEY);
    var single = trusting().publicKey(file("rsa.pem", pem(RSA.toRSAPublicKey()))).build();
    for (var octets :
        List.of(
            RSA.toRSAPublicKey().getEncoded(),
            pem(RSA.toRSAPublicKey()).getBytes(StandardCharsets.US_ASCII),
            RSA.toPublicJWK().toJSONString().getBytes(StandardCharsets.UTF_8))) {
      assertRefused(set, hmac(octets), "ALGORITHM");
      assertRefused(single, hmac(octets), "ALGORITHM");
    }
  }

  /// A secret that strays into a set of public keys checks nothing.
  @Test
  void aSecretInASetIsNoKey() throws Exception {
    var secret = "0123456789abcdef0123456789abcdef".getBytes(StandardCharsets.US_ASCII);
    var stray = new OctetSequenceKey.Builder(secret).keyID("rsa-1").build();
    var json = "{\"keys\":[" + stray.toJSONString() + "," + KEY.toPublicJWK().toJSONString() + "]}";
    var guard = trusting().jwks(file("keys.json", json)).build();
    assertRefused(guard, hmac(secret), "ALGORITHM");
    assertThat(admitted(guard, Issuer.token(KEY)).subject()).isEqualTo("ada");
  }

  /// RFC 8725 §3.2
  @Test
  void anUnsignedTokenIsNone() throws Exception {
    var parts = Issuer.token(KEY).split("\\.", -1);
    var header = Base64URL.encode("{\"alg\":\"none\"}");
    var guard = guard(KEY);
    assertRefused(guard, header + "." + parts[1] + ".", "MALFORMED");
    assertRefused(guard, header + "." + parts[1] + "." + parts[2], "MALFORMED");
    assertRefused(guard, parts[0] + "." + parts[1] + ".", "MALFORMED");
  }

  @Test
  void aForgedTokenIsRefused() throws Exception {
    var guard = guard(KEY);
    var parts = Issuer.token(KEY).split("\\.", -1);
    var root = Base64URL.encode(claims().subject("root").build().toString());
    assertRefused(guard, parts[0] + "." + root + "." + parts[2], "SIGNATURE");
    assertRefused(guard, Issuer.token(Issuer.ec("key-1")), "SIGNATURE");
    assertRefused(guard, Issuer.token(Issuer.ec("key-2")), "UNKNOWN_KEY");
    // CVE-2022-21449: a signature of zeros.
    var zeros = Base64URL.encode(new byte[64]);
    assertRefused(guard, parts[0] + "." + parts[1] + "." + zeros, "SIGNATURE");
  }

  /// RFC 8725 §3.10: what a token says about its own keys is not followed.
  @Test
  void aTokenDoesNotBringItsOwnKey() throws Exception {
    var mallory = Issuer.ec("key-1");
    var elsewhere = URI.create("http://127.0.0.1:9/keys.json");
    var token =
        Issuer.token(
            mallory,
            claims().build(),
            header -> header.jwk(mallory.toPublicJWK()).jwkURL(elsewhere).x509CertURL(elsewhere));
    assertRefused(guard(KEY), token, "SIGNATURE");
  }

  @Test
  void onlyAllowedAlgorithmsAreTaken() throws Exception {
    var guard =
        trusting().jwks(file("keys.json", Issuer.set(KEY, RSA))).algorithms("ES256").build();
    assertThat(admitted(guard, Issuer.token(KEY)).subject()).isEqualTo("ada");
    assertRefused(guard, Issuer.token(RSA, JWSAlgorithm.RS256), "ALGORITHM");
  }

  @Test
  void aKeyForEncryptionChecksNoSignatures() throws Exception {
    var encrypts = new ECKey.Builder(KEY).keyUse(KeyUse.ENCRYPTION).build();
    assertRefused(guard(encrypts, RSA), Issuer.token(KEY), "UNKNOWN_KEY");
  }

  /// RFC 7519 §4.1.4, §4.1.5: with a minute for clocks that are apart.
  @Test
  void timesHoldWithinTheSkew() throws Exception {
    var guard = guard(KEY);
    var token = with(claims -> claims.notBeforeTime(Date.from(NOW.plusSeconds(100))));
    clock.now = NOW.plusSeconds(39);
    assertRefused(guard, token, "NOT_YET_VALID");
    clock.now = NOW.plusSeconds(40);
    assertThat(admitted(guard, token)).isNotNull();
    clock.now = NOW.plusSeconds(359);
    assertThat(admitted(guard, token)).isNotNull();
    clock.now = NOW.plusSeconds(360);
    assertRefused(guard, token, "EXPIRED");
    assertRefused(guard, with(claims -> claims.expirationTime(null)), "CLAIM");
  }

  @Test
  void issuerAndAudienceAreExact() throws Exception {
    var guard = guard(KEY);
    for (var issuer : new String[] {"https://login.example/", "https://LOGIN.example", ""}) {
      assertRefused(guard, with(claims -> claims.issuer(issuer)), "ISSUER");
    }
    assertRefused(guard, with(claims -> claims.issuer(null)), "ISSUER");
    assertRefused(guard, with(claims -> claims.audience("shops")), "AUDIENCE");
    assertRefused(guard, with(claims -> claims.audience(List.of())), "AUDIENCE");
    var several = with(claims -> claims.audience(List.of("other", Issuer.AUDIENCE)));
    assertThat(admitted(guard, several).audience()).containsExactly("other", Issuer.AUDIENCE);
    var any =
        JwtGuard.builder()
            .issuer(Issuer.NAME)
            .anyAudience()
            .clock(clock)
            .jwks(folder.resolve("keys.json"))
            .build();
    assertThat(admitted(any, with(claims -> claims.audience("shops")))).isNotNull();
  }

  @Test
  void requiredClaimsMustBeThere() throws Exception {
    assertRefused(guard(KEY), with(claims -> claims.subject(null)), "CLAIM");
    var guard = trusting().jwks(folder.resolve("keys.json")).requireClaim("tenant").build();
    assertRefused(guard, Issuer.token(KEY), "CLAIM");
    assertThat(admitted(guard, with(claims -> claims.claim("tenant", "x")))).isNotNull();
  }

  /// RFC 9068 §2.1, RFC 8725 §3.11
  @Test
  void aTypeKeepsTokensOfOtherKindsOut() throws Exception {
    var guard = trusting().jwks(file("keys.json", Issuer.set(KEY))).type("at+jwt").build();
    assertRefused(guard, Issuer.token(KEY), "TYPE");
    for (var type : List.of("at+jwt", "application/at+JWT")) {
      var token =
          Issuer.token(KEY, claims().build(), header -> header.type(new JOSEObjectType(type)));
      assertThat(admitted(guard, token)).isNotNull();
    }
  }

  /// RFC 7515 §4.1.11
  @Test
  void anExtensionThatIsCriticalIsNotIgnored() throws Exception {
    var token =
        Issuer.token(
            KEY,
            claims().build(),
            header ->
                header
                    .criticalParams(java.util.Set.of("http://example.com/x"))
                    .customParam("http://example.com/x", true));
    assertRefused(guard(KEY), token, "MALFORMED");
  }

  @Test
  void whatIsNoBearerTokenIsRefused() throws Exception {
    var guard = guard(KEY);
    var token = Issuer.token(KEY);
    assertRefused(guard, CallWith.fields(), "MISSING");
    assertRefused(guard, CallWith.fields("Bearer " + token, "Bearer " + token), "SEVERAL");
    assertRefused(guard, CallWith.fields("Basic YWRhOng="), "NOT_BEARER");
    assertRefused(guard, CallWith.fields(token), "NOT_BEARER");
    assertRefused(guard, CallWith.fields("Bearer" + token), "NOT_BEARER");
    assertRefused(guard, CallWith.fields("Bearer " + "a".repeat((8 << 10) + 1)), "OVERSIZE");
    for (var garbage :
        List.of(
            "", "a", "a.b", "a.b.c", "...", "{}.{}.{}", "a.b.c.d.e", token + ".", "." + token)) {
      assertRefused(guard, CallWith.fields("Bearer " + garbage), "MALFORMED");
    }
  }

  @Test
  void deeplyNestedJsonIsGarbageLikeAnyOther() throws Exception {
    var parts = Issuer.token(KEY).split("\\.", -1);
    var nested = Base64URL.encode("{\"a\":" + "[".repeat(5_000));
    assertRefused(guard(KEY), parts[0] + "." + nested + "." + parts[2], "MALFORMED");
    assertRefused(guard(KEY), nested + "." + parts[1] + "." + parts[2], "MALFORMED");
  }

  /// Whatever octets of a token are changed, it lets nobody in, and nothing else is thrown.
  @Test
  void noChangedTokenIsTaken() throws Exception {
    var guard = guard(KEY);
    var token = Issuer.token(KEY);
    long seed = System.nanoTime();
    var random = new java.util.Random(seed);
    for (int i = 0; i < 500; i++) {
      var changed = new StringBuilder(token);
      int at = random.nextInt(token.length());
      char c = "abcXYZ019-_.={}\"".charAt(random.nextInt(16));
      if (changed.charAt(at) == c) continue;
      changed.setCharAt(at, c);
      // The last character of base64 carries bits that nobody reads.
      if (at == token.length() - 1 && decoded(changed).equals(decoded(token))) continue;
      var refused = refusal(guard, CallWith.token(changed.toString()));
      assertThat(refused).as("seed " + seed + ": " + changed).isNotNull();
      assertThat(refused.getStatus().getCode()).isEqualTo(Status.Code.UNAUTHENTICATED);
    }
  }

  private static Base64URL decoded(CharSequence token) {
    var text = token.toString();
    return Base64URL.encode(new Base64URL(text.substring(text.lastIndexOf('.') + 1)).decode());
  }

  // ---- What is heard of it.

  @Test
  void everyRefusalReadsTheSame() throws Exception {
    var guard = guard(KEY);
    var refusals = new ArrayList<String>();
    for (var call :
        List.of(
            CallWith.fields(),
            CallWith.token("garbage"),
            CallWith.token(with(claims -> claims.audience("other"))),
            CallWith.token(with(claims -> claims.expirationTime(Date.from(Instant.EPOCH)))),
            CallWith.token(Issuer.token(Issuer.ec("key-1"))))) {
      var refused = refusal(guard, call);
      var trailers = requireNonNull(refused.getTrailers());
      assertThat(
              trailers.get(Metadata.Key.of("www-authenticate", Metadata.ASCII_STRING_MARSHALLER)))
          .isEqualTo("Bearer");
      var info = CallException.detail(refused, ErrorInfo.class).orElseThrow();
      refusals.add(refused.getStatus().getDescription() + info + trailers.keys());
      assertThat(refused).hasNoCause();
    }
    assertThat(refusals.stream().distinct()).hasSize(1);
  }

  @Test
  void theLogHasOneLineASecondForEachReasonAndNeverTheToken() throws Exception {
    var guard = guard(KEY);
    var forged = Issuer.token(Issuer.ec("key-1"));
    var strange = with(claims -> claims.issuer("evil\nINFO: all is well"));
    try (var log = new RecordedLog(Level.INFO)) {
      for (int i = 0; i < 100; i++) {
        refusal(guard, CallWith.token(forged));
        refusal(guard, CallWith.token(strange));
      }
      assertThat(log.lines()).hasSize(2);
      clock.now = NOW.plusSeconds(1);
      refusal(guard, CallWith.token(forged));
      assertThat(log.lines()).hasSize(3);
      assertThat(log.lines())
          .contains(
              "grpc.health.v1.Health/Watch refused to 192.0.2.1/<unresolved>:4711: ISSUER, issued by"
                  + " \"evil?INFO: all is well\"");
    }
    try (var log = new RecordedLog(Level.FINEST)) {
      refusal(guard, CallWith.token(forged));
      refusal(guard, CallWith.token(strange));
      for (var part : (forged + "." + strange).split("\\.", -1)) {
        assertThat(log.lines()).noneMatch(line -> line.contains(part));
      }
    }
  }

  // ---- What is kept.

  @Test
  void aCheckedTokenIsGoodForAMinuteAtMost() throws Exception {
    var guard = guard(KEY);
    var token = Issuer.token(KEY);
    var first = admitted(guard, token);
    clock.now = NOW.plusSeconds(59);
    assertThat(admitted(guard, token)).isSameAs(first);
    clock.now = NOW.plusSeconds(60);
    assertThat(admitted(guard, token)).isNotSameAs(first).isEqualTo(first);
    assertThat(guard.checkedTokens()).isEqualTo(1);
    assertRefused(guard, "a.b.c", "MALFORMED");
    assertThat(guard.checkedTokens()).isEqualTo(1);
  }

  @Test
  void checkedTokensAreBounded() {
    var kept = new CheckedTokens();
    var ada = new JwtPrincipal("ada", "i", List.of(), java.util.Set.of(), Map.of(), Instant.EPOCH);
    for (int i = 0; i < 3 * CheckedTokens.TOKENS_MAX; i++) {
      kept.put(CheckedTokens.Digest.of("token " + i), ada, 0, 1_000);
      assertThat(kept.size()).isLessThanOrEqualTo(CheckedTokens.TOKENS_MAX);
    }
    var last = CheckedTokens.Digest.of("token " + (3 * CheckedTokens.TOKENS_MAX - 1));
    assertThat(kept.find(last, 999)).isSameAs(ada);
    assertThat(kept.find(last, 1_000)).isNull();
    assertThat(kept.find(CheckedTokens.Digest.of("token 0"), 0)).isNull();
  }

  // ---- What is open.

  @Test
  void nothingIsOpenThatIsNotNamed() throws Exception {
    var check = new CallWith(HealthGrpc.getCheckMethod(), new Metadata());
    var watch = new CallWith(HealthGrpc.getWatchMethod(), new Metadata());
    assertRefused(guard(KEY), check, "MISSING");
    var keys = folder.resolve("keys.json");
    var method = trusting().jwks(keys).open("grpc.health.v1.Health/Check").build();
    assertThat(method.admit(check)).isEmpty();
    assertRefused(method, watch, "MISSING");
    assertThat(method.methods()).containsExactly("grpc.health.v1.Health/Check");
    var service = trusting().jwks(keys).openService("grpc.health.v1.Health").build();
    assertThat(service.admit(check)).isEmpty();
    assertThat(service.admit(watch)).isEmpty();
    assertThat(service.methods()).containsExactly("grpc.health.v1.Health/*");
    var health = trusting().jwks(keys).openHealth().build();
    assertThat(health.admit(watch)).isEmpty();
    assertThat(health.methods()).isEmpty();
  }

  // ---- What is refused at the start.

  @Test
  void whatMakesNoSenseIsRefusedAtTheStart() throws Exception {
    var keys = file("keys.json", Issuer.set(KEY));
    var empty = file("empty.json", "{\"keys\":[]}");
    var garbage = file("garbage.json", "<html>");
    assertThatThrownBy(() -> trusting().build()).hasMessageStartingWith("no keys");
    assertThatThrownBy(() -> JwtGuard.builder().audience("a").jwks(keys).build())
        .hasMessage("no issuer is trusted");
    assertThatThrownBy(() -> JwtGuard.builder().issuer("i").jwks(keys).build())
        .hasMessageStartingWith("name an audience");
    assertThatThrownBy(() -> trusting().jwks(keys).jwks(keys))
        .hasMessageContaining("come from one place");
    assertThatThrownBy(() -> trusting().algorithms("none")).hasMessage("none signs no tokens here");
    assertThatThrownBy(() -> trusting().jwks(keys).algorithms("HS256").build())
        .hasMessage("HS256 needs a secret");
    assertThatThrownBy(() -> trusting().secret(new byte[32]).algorithms("ES256").build())
        .hasMessage("ES256 needs a public key, not a secret");
    assertThatThrownBy(() -> trusting().secret(new byte[31])).hasMessageContaining("too short");
    assertThatThrownBy(() -> trusting().jwks(URI.create("http://login.example/keys")))
        .hasMessageContaining("https");
    assertThatThrownBy(() -> trusting().jwks(URI.create("http://127.0.0.1.evil.example/keys")))
        .hasMessageContaining("https");
    assertThatThrownBy(() -> trusting().jwks(folder.resolve("nowhere")).build())
        .isInstanceOf(IOException.class)
        .hasMessageEndingWith("nowhere does not exist");
    assertThatThrownBy(() -> trusting().jwks(empty).build())
        .hasMessageEndingWith("has no key that checks tokens");
    assertThatThrownBy(() -> trusting().jwks(garbage).build())
        .hasMessage("what is there is not a JWK set");
    assertThatThrownBy(() -> trusting().publicKey(garbage)).hasMessageContaining("it is not PEM");
    assertThatThrownBy(() -> trusting().clockSkew(Duration.ofHours(1)))
        .hasMessage("clock skew: PT1H");
    for (var wrong : List.of("a.Service", "a.Service/*", "/Method", "a.Service/")) {
      assertThatThrownBy(() -> trusting().open(wrong)).hasMessageContaining("names no method");
    }
    assertThatThrownBy(() -> trusting().openService("a.Service/*"))
        .hasMessageContaining("names no service");
  }
}
