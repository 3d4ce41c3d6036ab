package dev.weftline.jwt;

import com.google.protobuf.Duration;
import com.google.rpc.ErrorInfo;
import com.google.rpc.RetryInfo;
import com.nimbusds.jose.JOSEException;
import com.nimbusds.jose.JWSAlgorithm;
import dev.weftline.CallException;
import dev.weftline.CallInfo;
import dev.weftline.Guard;
import dev.weftline.jwt.CheckedTokens.Digest;
import dev.weftline.jwt.TokenRefused.Reason;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import io.grpc.Status;
import io.grpc.StatusException;
import java.io.IOException;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.net.URI;
import java.nio.file.Path;
import java.security.Principal;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.atomic.AtomicLongArray;
import org.jspecify.annotations.Nullable;

/// Lets calls in that carry a bearer token (RFC 6750) which is a signed JWT (RFC 7519) of a trusted
/// issuer, and tells who calls: a [JwtPrincipal].
///
/// ```java
/// var tokens =
///     JwtGuard.builder()
///         .issuer("https://login.example")
///         .audience("shop")
///         .jwks(URI.create("https://login.example/.well-known/jwks.json"))
///         .openHealth()
///         .build();
/// Server.builder().guard(tokens).addService(...)
/// ```
///
/// Every method needs a token, health and reflection too, except those that are named with
/// [Builder#open]: these are let in unseen, whatever token they carry.
///
/// All other calls are refused with UNAUTHENTICATED and the same few words, whatever was wrong; the
/// log says what (at INFO, once a second for each reason, otherwise at DEBUG), though never the
/// token. Calls that cannot be judged because no keys can be read are refused with UNAVAILABLE.
///
/// What was found good is not checked again for a minute, or until the token expires. Signatures
/// are checked on threads of the JDK's scheduler, so that event loops stay free. Any thread may use
/// a guard, any number of servers; there is nothing to close.
public final class JwtGuard implements Guard {
  private static final Logger log = System.getLogger(JwtGuard.class.getName());

  private static final Metadata.Key<String> AUTHORIZATION =
      Metadata.Key.of("authorization", Metadata.ASCII_STRING_MARSHALLER);
  private static final Metadata.Key<String> WWW_AUTHENTICATE =
      Metadata.Key.of("www-authenticate", Metadata.ASCII_STRING_MARSHALLER);
  private static final String SCHEME = "Bearer ";
  private static final String HEALTH = "grpc.health.v1.Health";

  private static final ErrorInfo UNAUTHENTICATED =
      ErrorInfo.newBuilder().setReason("UNAUTHENTICATED").setDomain("weftline.dev").build();
  private static final ErrorInfo NO_KEYS =
      ErrorInfo.newBuilder().setReason("TOKEN_KEYS_UNAVAILABLE").setDomain("weftline.dev").build();
  private static final RetryInfo SOON =
      RetryInfo.newBuilder().setRetryDelay(Duration.newBuilder().setSeconds(1)).build();

  private final TokenCheck check;
  private final int tokenBytesMax;
  private final Set<String> openMethods;
  private final Set<String> openServices;
  private final boolean openHealth;
  private final InstantSource clock;
  private final CheckedTokens checked = new CheckedTokens();
  private final AtomicLongArray toldSeconds = new AtomicLongArray(Reason.values().length);

  private JwtGuard(Builder builder, TokenCheck check) {
    this.check = check;
    this.tokenBytesMax = builder.tokenBytesMax;
    this.openMethods = Set.copyOf(builder.openMethods);
    this.openServices = Set.copyOf(builder.openServices);
    this.openHealth = builder.openHealth;
    this.clock = builder.clock;
  }

  public static Builder builder() {
    return new Builder();
  }

  @Override
  public Optional<Principal> admit(CallInfo call) throws StatusException {
    if (isOpen(call.method())) return Optional.empty();
    try {
      return Optional.of(holder(token(call.headers())));
    } catch (TokenRefused e) {
      tell(e, call);
      throw refused();
    } catch (Keys.Unavailable e) {
      log.log(Level.DEBUG, "a call is refused: {0}", e.getMessage());
      throw new CallException(
          Status.Code.UNAVAILABLE, "tokens cannot be checked now", NO_KEYS, SOON);
    } catch (InterruptedException e) {
      throw Status.CANCELLED.withCause(e).asException(); // nobody waits for it any more
    }
  }

  private boolean isOpen(MethodDescriptor<?, ?> method) {
    var service = method.getServiceName();
    return openMethods.contains(method.getFullMethodName())
        || service != null
            && (openServices.contains(service) || openHealth && service.equals(HEALTH));
  }

  /// RFC 6750 §2.1: `Bearer` 1*SP b64token. Exactly one field, or two parties could disagree on
  /// which counts.
  private String token(Metadata headers) throws TokenRefused {
    String only = null;
    var fields = headers.getAll(AUTHORIZATION);
    if (fields == null) throw new TokenRefused(Reason.MISSING, "no authorization field");
    for (var field : fields) {
      if (only != null) throw new TokenRefused(Reason.SEVERAL, "several authorization fields");
      only = field;
    }
    if (only == null || !only.regionMatches(true, 0, SCHEME, 0, SCHEME.length())) {
      throw new TokenRefused(Reason.NOT_BEARER, "the authorization field is not of Bearer");
    }
    var token = only.substring(SCHEME.length()).strip();
    if (token.length() > tokenBytesMax) {
      throw new TokenRefused(Reason.OVERSIZE, "the token has " + token.length() + " octets");
    }
    return token;
  }

  private JwtPrincipal holder(String token)
      throws TokenRefused, Keys.Unavailable, InterruptedException {
    var digest = Digest.of(token);
    long now = clock.millis();
    var known = checked.find(digest, now);
    if (known != null) return known;
    var holder = checkedApart(token);
    checked.put(digest, holder, now, check.end(holder).toEpochMilli());
    return holder;
  }

  /// Checks on a thread of the JDK's scheduler: a signature costs some 100 µs of CPU, and an event
  /// loop may carry the one that we are on.
  private JwtPrincipal checkedApart(String token)
      throws TokenRefused, Keys.Unavailable, InterruptedException {
    var work = new FutureTask<>(() -> check.check(token, clock.instant()));
    var thread = Thread.startVirtualThread(work);
    try {
      return work.get();
    } catch (InterruptedException e) {
      thread.interrupt();
      throw e;
    } catch (ExecutionException e) {
      switch (e.getCause()) {
        case TokenRefused refused -> throw refused;
        case Keys.Unavailable unavailable -> throw unavailable;
        case InterruptedException interrupted -> throw interrupted;
        case null, default -> throw new IllegalStateException(e.getCause());
      }
    }
  }

  private static CallException refused() {
    var refused =
        new CallException(Status.Code.UNAUTHENTICATED, "no valid bearer token", UNAUTHENTICATED);
    var trailers = refused.getTrailers();
    // RFC 6750 §3, without the attributes that would say more.
    if (trailers != null) trailers.put(WWW_AUTHENTICATE, "Bearer");
    return refused;
  }

  /// One line a second for each reason: more would let clients fill the disk.
  private void tell(TokenRefused refused, CallInfo call) {
    int reason = refused.reason.ordinal();
    long second = clock.millis() / 1000;
    long told = toldSeconds.get(reason);
    boolean first = told != second && toldSeconds.compareAndSet(reason, told, second);
    var level = first ? Level.INFO : Level.DEBUG;
    if (!log.isLoggable(level)) return;
    log.log(
        level,
        "{0} refused to {1}: {2}, {3}",
        call.method().getFullMethodName(),
        call.peer(),
        refused.reason,
        refused.getMessage());
  }

  @Override
  public Collection<String> methods() {
    var named = new ArrayList<>(openMethods);
    for (var service : openServices) named.add(service + "/*");
    return named;
  }

  int checkedTokens() {
    return checked.size();
  }

  /// Gathers what a guard trusts. Not for several threads at once.
  public static final class Builder {
    /// Whatever a key of these kinds may sign with. No `none`, and no HMAC unless there is a
    /// secret.
    private static final Set<JWSAlgorithm> ASYMMETRIC =
        Set.of(
            JWSAlgorithm.RS256,
            JWSAlgorithm.RS384,
            JWSAlgorithm.RS512,
            JWSAlgorithm.PS256,
            JWSAlgorithm.PS384,
            JWSAlgorithm.PS512,
            JWSAlgorithm.ES256,
            JWSAlgorithm.ES384,
            JWSAlgorithm.ES512,
            JWSAlgorithm.EdDSA,
            JWSAlgorithm.Ed25519);

    private static final Set<JWSAlgorithm> SYMMETRIC =
        Set.of(JWSAlgorithm.HS256, JWSAlgorithm.HS384, JWSAlgorithm.HS512);

    private final Set<String> issuers = new HashSet<>();
    private final Set<String> audiences = new HashSet<>();
    private final Set<JWSAlgorithm> algorithms = new LinkedHashSet<>();
    private final Set<String> required = new LinkedHashSet<>();
    private final Set<String> openMethods = new LinkedHashSet<>();
    private final Set<String> openServices = new LinkedHashSet<>();
    private boolean anyAudience;
    private boolean openHealth;
    private java.time.Duration skew = java.time.Duration.ofSeconds(60);
    private int tokenBytesMax = 8 << 10;
    private @Nullable String type;
    private @Nullable KeyOrigin origin;
    private Keys.Times times = Keys.Times.FIXED;
    private InstantSource clock = InstantSource.system();

    private Builder() {}

    /// Trusts tokens whose `iss` is exactly this. At least one is needed.
    public Builder issuer(String issuer) {
      issuers.add(issuer);
      return this;
    }

    /// Takes tokens that are meant for this, among others perhaps (`aud`).
    public Builder audience(String audience) {
      audiences.add(audience);
      return this;
    }

    /// Takes tokens whoever they are meant for, for issuers that do not say. Whoever gets such a
    /// token, for whatever service, can use it here.
    public Builder anyAudience() {
      this.anyAudience = true;
      return this;
    }

    /// Checks signatures with the keys that this URL answers with, a JWK set: https, or http from
    /// this machine. They are read again every few minutes, and when a token means a key that is
    /// not there; while they cannot be read the old ones serve for an hour.
    ///
    /// The start does not wait for them, so that a server starts while its issuer is away: calls
    /// are UNAVAILABLE until keys were read, and the log says why.
    ///
    /// @throws IllegalArgumentException for plain http from elsewhere
    public Builder jwks(URI url) {
      var set = new KeyOrigin.SetUrl(url);
      if (!set.isTrustworthy()) {
        throw new IllegalArgumentException(
            "keys for tokens must come by https, or by http from this machine: " + url);
      }
      return keys(set, Keys.Times.URL);
    }

    /// Checks signatures with the keys of this file, a JWK set, which is read again within seconds
    /// when it has changed.
    public Builder jwks(Path file) {
      return keys(new KeyOrigin.SetFile(file), Keys.Times.FILE);
    }

    /// Checks signatures with this key, of RSA, EC or Ed25519: a PEM file with a public key or a
    /// certificate.
    ///
    /// @throws IOException with a sentence, when there is none
    public Builder publicKey(Path pem) throws IOException {
      return keys(KeyOrigin.publicKey(pem), Keys.Times.FIXED);
    }

    /// Checks signatures with this secret, by HMAC: at least 32 octets, with 48 also HS384, with 64
    /// also HS512.
    ///
    /// @throws IllegalArgumentException when it is shorter (RFC 7518 §3.2)
    public Builder secret(byte[] secret) {
      try {
        var key = TokenKey.ofSecret(secret);
        return keys(new KeyOrigin.Secret(key), Keys.Times.FIXED);
      } catch (JOSEException e) {
        throw new IllegalArgumentException("the secret is too short: " + e.getMessage(), e);
      }
    }

    private Builder keys(KeyOrigin from, Keys.Times often) {
      if (origin != null) {
        throw new IllegalArgumentException("keys of a guard come from one place: " + origin);
      }
      origin = from;
      times = often;
      return this;
    }

    /// Takes only tokens signed with these, such as `ES256`; all that the kind of key allows
    /// without.
    ///
    /// @throws IllegalArgumentException for one that is not known, or is `none`
    public Builder algorithms(String... names) {
      for (var name : names) {
        var algorithm = JWSAlgorithm.parse(name);
        if (!ASYMMETRIC.contains(algorithm) && !SYMMETRIC.contains(algorithm)) {
          throw new IllegalArgumentException(name + " signs no tokens here");
        }
        algorithms.add(algorithm);
      }
      return this;
    }

    /// How far clocks may be apart; 60 s without.
    public Builder clockSkew(java.time.Duration skew) {
      if (skew.isNegative() || skew.toMinutes() >= 10) {
        throw new IllegalArgumentException("clock skew: " + skew);
      }
      this.skew = skew;
      return this;
    }

    /// Takes only tokens that have this claim, besides `iss`, `sub` and `exp`.
    public Builder requireClaim(String name) {
      required.add(name);
      return this;
    }

    /// Takes only tokens whose `typ` is this: `at+jwt` for access tokens of RFC 9068, so that no
    /// token of another kind from the same issuer is taken for one (RFC 8725 §3.11).
    public Builder type(String type) {
      this.type = type;
      return this;
    }

    /// The longest token; 8 KiB without, half of what a request's metadata may have.
    public Builder tokenBytesMax(int bytes) {
      if (bytes < 1) throw new IllegalArgumentException("token: " + bytes);
      this.tokenBytesMax = bytes;
      return this;
    }

    /// Lets anybody call this method, `package.Service/Method`. A server that does not have it is
    /// not built.
    public Builder open(String method) {
      int slash = method.indexOf('/');
      if (slash < 1 || slash == method.length() - 1 || method.indexOf('*') >= 0) {
        throw new IllegalArgumentException(
            "\"%s\" names no method: write package.Service/Method".formatted(method));
      }
      openMethods.add(method);
      return this;
    }

    /// Lets anybody call every method of this service, `package.Service`. A server that does not
    /// have it is not built.
    public Builder openService(String service) {
      if (service.isEmpty() || service.indexOf('/') >= 0 || service.indexOf('*') >= 0) {
        throw new IllegalArgumentException(
            "\"%s\" names no service: write package.Service".formatted(service));
      }
      openServices.add(service);
      return this;
    }

    /// Lets anybody ask for health (`grpc.health.v1.Health`), as load balancers do, if the server
    /// tells it.
    public Builder openHealth() {
      this.openHealth = true;
      return this;
    }

    // For tests.
    Builder clock(InstantSource clock) {
      this.clock = clock;
      return this;
    }

    Builder times(Keys.Times times) {
      this.times = times;
      return this;
    }

    /// A guard that trusts what was named.
    ///
    /// @throws IllegalArgumentException with a sentence, when something is missing or contradicts
    /// @throws IOException with a sentence, when a file of keys cannot be read
    public JwtGuard build() throws IOException {
      var from = origin;
      if (from == null) {
        throw new IllegalArgumentException("no keys: name a jwks, a publicKey or a secret");
      }
      if (issuers.isEmpty()) throw new IllegalArgumentException("no issuer is trusted");
      if (audiences.isEmpty() != anyAudience) {
        throw new IllegalArgumentException("name an audience, or anyAudience, not both");
      }
      var possible = from instanceof KeyOrigin.Secret ? SYMMETRIC : ASYMMETRIC;
      for (var algorithm : algorithms) {
        if (!possible.contains(algorithm)) {
          throw new IllegalArgumentException(
              possible.equals(SYMMETRIC)
                  ? algorithm + " needs a public key, not a secret"
                  : algorithm + " needs a secret");
        }
      }
      var keys = new Keys(from, times);
      if (from instanceof KeyOrigin.SetUrl) {
        var _ = keys.begin(times.pause());
      } else {
        load(keys, from);
      }
      return new JwtGuard(
          this,
          new TokenCheck(
              Set.copyOf(issuers),
              anyAudience ? null : Set.copyOf(audiences),
              algorithms.isEmpty() ? possible : Set.copyOf(algorithms),
              type,
              Set.copyOf(required),
              skew,
              keys));
    }

    private static void load(Keys keys, KeyOrigin from) throws IOException {
      try {
        if (keys.load().isEmpty()) throw new IOException(from + " has no key that checks tokens");
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        throw new IOException("interrupted while keys were read from " + from, e);
      }
    }
  }
}
