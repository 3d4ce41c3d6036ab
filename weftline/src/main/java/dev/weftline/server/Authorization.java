package dev.weftline.server;

import com.google.rpc.ErrorInfo;
import dev.weftline.CallException;
import dev.weftline.CallInfo;
import dev.weftline.Guard;
import io.grpc.Status;
import io.grpc.StatusException;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.security.Principal;
import java.security.cert.CertificateParsingException;
import java.security.cert.X509Certificate;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Predicate;
import java.util.regex.Pattern;
import javax.net.ssl.SSLPeerUnverifiedException;

/// Which callers may call which methods: a list of rules, of which the first that fits decides.
/// What no rule fits is refused with PERMISSION_DENIED. Immutable; any thread may use it.
///
/// ```java
/// Server.builder()
///     .guard(tokens) // tells who calls
///     .guard(
///         Authorization.builder()
///             .allow("shop.Orders/Get", caller(hasScope("orders.read")))
///             .allow("shop.Orders/*", clientCertificate("spiffe://shop/backoffice"))
///             .allow("grpc.health.v1.Health/*")
///             .build())
/// ```
///
/// A rule fits a call when its name matches the method and its condition holds. A name is
/// `package.Service/Method`, `package.Service/*`, `package.*` for every service in and below a
/// package, or `*`. A server that has no method of such a name is not built (see
/// [Guard#methods()]).
public final class Authorization implements Guard {
  private static final Logger log = System.getLogger(Authorization.class.getName());

  private static final Pattern CONTROL = Pattern.compile("\\p{Cntrl}");

  private record Rule(String name, Predicate<CallInfo> condition, boolean allows) {}

  private final List<Rule> rules;
  private final AtomicLong toldSecond = new AtomicLong(-1);

  private Authorization(List<Rule> rules) {
    this.rules = rules;
  }

  public static Builder builder() {
    return new Builder();
  }

  /// The condition that a guard has told who calls, and that this holds for the caller.
  public static Predicate<CallInfo> caller(Predicate<? super Principal> condition) {
    return call -> call.principal().filter(condition).isPresent();
  }

  /// The condition that a guard has told who calls.
  public static Predicate<CallInfo> anyCaller() {
    return call -> call.principal().isPresent();
  }

  /// The condition that the client has shown a certificate, and that `name` is among its subject
  /// alternative names: a DNS name (whatever its case), a URI such as a SPIFFE ID, or an e-mail
  /// address, as it is written there. No wildcards.
  public static Predicate<CallInfo> clientCertificate(String name) {
    return call -> isNamed(call, name);
  }

  private static boolean isNamed(CallInfo call, String name) {
    var session = call.tlsSession().orElse(null);
    if (session == null) return false;
    try {
      if (!(session.getPeerCertificates()[0] instanceof X509Certificate certificate)) return false;
      var names = certificate.getSubjectAlternativeNames();
      if (names == null) return false;
      for (var entry : names) {
        if (!(entry.get(0) instanceof Integer kind && entry.get(1) instanceof String value))
          continue;
        // RFC 5280 §4.2.1.6: rfc822Name 1, dNSName 2, uniformResourceIdentifier 6.
        boolean same =
            switch (kind) {
              case 2 -> value.equalsIgnoreCase(name);
              case 1, 6 -> value.equals(name);
              default -> false;
            };
        if (same) return true;
      }
      return false;
    } catch (SSLPeerUnverifiedException e) {
      return false; // it has shown none
    } catch (CertificateParsingException e) {
      log.log(Level.DEBUG, "names of a client certificate cannot be read", e);
      return false;
    }
  }

  @Override
  public Optional<Principal> admit(CallInfo call) throws StatusException {
    var method = call.method().getFullMethodName();
    for (var rule : rules) {
      if (!MethodNames.matches(rule.name, method) || !rule.condition.test(call)) continue;
      if (rule.allows) return Optional.empty();
      throw refused(call, method, "the rule for " + rule.name + " denies it");
    }
    throw refused(call, method, "no rule allows it");
  }

  private CallException refused(CallInfo call, String method, String why) {
    // One line a second tells that something is wrong; more would let clients fill the disk.
    long second = System.nanoTime() / 1_000_000_000;
    long told = toldSecond.get();
    var level = told != second && toldSecond.compareAndSet(told, second) ? Level.INFO : Level.DEBUG;
    if (log.isLoggable(level)) {
      var who = call.principal().map(Principal::getName).orElse("an unknown caller");
      log.log(level, method + " refused to " + printable(who) + " at " + call.peer() + ": " + why);
    }
    return new CallException(
        Status.Code.PERMISSION_DENIED,
        "not allowed to call " + method,
        ErrorInfo.newBuilder()
            .setReason("PERMISSION_DENIED")
            .setDomain("weftline.dev")
            .putMetadata("method", method)
            .build());
  }

  /// Names come from tokens: no line of theirs in our log.
  private static String printable(String name) {
    var shown = name.length() > 100 ? name.substring(0, 100) + "…" : name;
    return CONTROL.matcher(shown).replaceAll("?");
  }

  @Override
  public Collection<String> methods() {
    return rules.stream().map(Rule::name).toList();
  }

  /// Gathers rules, in the order in which they are asked. Not for several threads at once.
  public static final class Builder {
    private final List<Rule> rules = new ArrayList<>();

    private Builder() {}

    /// Lets anybody call these methods.
    public Builder allow(String name) {
      return add(name, _ -> true, true);
    }

    /// Lets callers call these methods for whom `condition` holds. It may block, and what it throws
    /// refuses the call.
    public Builder allow(String name, Predicate<CallInfo> condition) {
      return add(name, condition, true);
    }

    /// Lets nobody call these methods for whom no earlier rule allows it.
    public Builder deny(String name) {
      return add(name, _ -> true, false);
    }

    /// Lets callers not call these methods for whom `condition` holds.
    public Builder deny(String name, Predicate<CallInfo> condition) {
      return add(name, condition, false);
    }

    private Builder add(String name, Predicate<CallInfo> condition, boolean allows) {
      rules.add(new Rule(MethodNames.require(name), condition, allows));
      return this;
    }

    public Authorization build() {
      return new Authorization(List.copyOf(rules));
    }
  }
}
