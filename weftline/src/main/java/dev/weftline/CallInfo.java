package dev.weftline;

import io.grpc.Context;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import java.net.SocketAddress;
import java.security.Principal;
import java.time.Duration;
import java.util.Optional;
import javax.net.ssl.SSLSession;

/// What is known of a call that is served, whoever looks at it: its method, a [Guard] before it, a
/// [CallObserver] beside it. Any thread may ask.
public interface CallInfo {
  /// Who calls, for grpc-java services and interceptors: `CallInfo.PRINCIPAL.get()` on a thread
  /// that has the call's [Context]; null when no [Guard] has told.
  Context.Key<Principal> PRINCIPAL = Context.key("dev.weftline.principal");

  MethodDescriptor<?, ?> method();

  /// What the client sent with the call. Changing it changes nothing elsewhere.
  ///
  /// @throws io.grpc.StatusRuntimeException when it is malformed: a `-bin` value that is not base64
  Metadata headers();

  /// One field of them, its first value as it came; `name` in lower case. Cheaper than
  /// [#headers()], which reads all.
  default Optional<String> header(String name) {
    return Optional.ofNullable(
        headers().get(Metadata.Key.of(name, Metadata.ASCII_STRING_MARSHALLER)));
  }

  /// The address of the client, or of the proxy before it.
  SocketAddress peer();

  /// The host that the client called, `:authority` in HTTP/2.
  Optional<String> authority();

  /// The TLS session of the connection; empty over plain text.
  Optional<SSLSession> tlsSession();

  /// The certificate that the client showed and the server found good; empty when it showed none,
  /// and over plain text.
  default Optional<ClientCertificate> clientCertificate() {
    return tlsSession().flatMap(ClientCertificate::of);
  }

  /// How long the client will still wait, never negative; empty when it set no deadline.
  Optional<Duration> deadlineLeft();

  /// Who calls, as the first [Guard] that knew it has told; empty while nobody has.
  Optional<Principal> principal();

  /// Whether the server that serves the call is about to close: see [Drain].
  default boolean draining() {
    return false;
  }
}
