package dev.weftline.internal.grpcjava;

import dev.weftline.internal.http.Exchange;
import io.grpc.Attributes;
import io.grpc.Grpc;
import io.grpc.ServerTransportFilter;
import java.net.SocketAddress;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import javax.net.ssl.SSLSession;
import org.jspecify.annotations.Nullable;

/// What calls can tell about their connections, and grpc-java's transport filters, which may add to
/// it. Filters are a user's code: they run on virtual threads, and the first calls of a connection
/// wait for them. Without filters nothing is kept per connection.
public final class ConnectionAttributes {
  private final List<ServerTransportFilter> filters;
  private final Map<Object, CompletableFuture<Attributes>> filtered = new ConcurrentHashMap<>();

  public ConnectionAttributes(List<ServerTransportFilter> filters) {
    this.filters = List.copyOf(filters);
  }

  /// A connection is up; before its first call. `refuse` closes it when a filter throws.
  public void opened(
      Object connection,
      SocketAddress remote,
      SocketAddress local,
      @Nullable SSLSession session,
      Runnable refuse) {
    if (filters.isEmpty()) return;
    var attributes = new CompletableFuture<Attributes>();
    filtered.put(connection, attributes);
    Thread.startVirtualThread(() -> {
      try {
        attributes.complete(filter(plain(remote, local, session)));
      } catch (Throwable e) {
        attributes.completeExceptionally(e);
        refuse.run();
      }
    });
  }

  private Attributes filter(Attributes attributes) {
    var result = attributes;
    for (var filter : filters) {
      result = filter.transportReady(result);
      if (result == null) throw new NullPointerException("Filter " + filter + " returned null");
    }
    return result;
  }

  /// The connection is gone, and its last call with it.
  public void closed(Object connection) {
    var attributes = filtered.remove(connection);
    if (attributes == null) return;
    Thread.startVirtualThread(() -> {
      var last = attributes.handle((result, _) -> result).join();
      for (var filter : filters) filter.transportTerminated(last);
    });
  }

  /// Waits for the filters of the connection that carries `exchange`.
  ///
  /// @throws java.util.concurrent.CompletionException when a filter has refused the connection
  public void await(Exchange exchange) {
    if (filters.isEmpty()) return;
    var attributes = filtered.get(exchange.connection());
    if (attributes != null) attributes.join();
  }

  /// The attributes of the connection that carries `exchange`.
  Attributes of(Exchange exchange) {
    var attributes = filters.isEmpty() ? null : filtered.get(exchange.connection());
    return attributes != null
        ? attributes.join()
        : plain(exchange.remoteAddress(), exchange.localAddress(), exchange.tlsSession());
  }

  private static Attributes plain(
      SocketAddress remote, SocketAddress local, @Nullable SSLSession session) {
    var attributes =
        Attributes.newBuilder()
            .set(Grpc.TRANSPORT_ATTR_REMOTE_ADDR, remote)
            .set(Grpc.TRANSPORT_ATTR_LOCAL_ADDR, local);
    if (session != null) attributes.set(Grpc.TRANSPORT_ATTR_SSL_SESSION, session);
    return attributes.build();
  }
}
