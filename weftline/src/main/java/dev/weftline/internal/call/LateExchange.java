package dev.weftline.internal.call;

import dev.weftline.internal.http.Exchange;
import dev.weftline.internal.http.ExchangeHandler;
import dev.weftline.internal.http.Fields;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.function.Function;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/// An exchange whose route is still looked for. The registry that is asked is a user's code, so it
/// runs on a thread of its own; what the client sends meanwhile waits here. It gets no credit, so
/// it is bounded by the receive window.
///
/// Confined to the loop, but for the question.
final class LateExchange implements ExchangeHandler {
  private final Function<@Nullable Route, ExchangeHandler> open;
  private final ByteArrayOutputStream waiting = new ByteArrayOutputStream(0);
  private boolean ended;
  private boolean closed;
  private @Nullable ExchangeHandler target; // until the route is known

  private LateExchange(boolean ended, Function<@Nullable Route, ExchangeHandler> open) {
    this.ended = ended;
    this.open = open;
  }

  /// @param find asks for the route, on a thread of its own
  /// @param open gives the exchange its handler, on the loop, once the answer is there
  static LateExchange of(
      Exchange exchange,
      boolean endOfRequest,
      Supplier<@Nullable Route> find,
      Function<@Nullable Route, ExchangeHandler> open) {
    var late = new LateExchange(endOfRequest, open);
    CallThreads.start(() -> {
      var route = find.get();
      exchange.execute(() -> late.found(route));
    });
    return late;
  }

  private void found(@Nullable Route route) {
    if (closed) return;
    var handler = open.apply(route);
    target = handler;
    int bytes = waiting.size();
    if (bytes > 0) handler.receiveData(Unpooled.wrappedBuffer(waiting.toByteArray()), bytes);
    waiting.reset();
    if (ended) handler.receiveEnd(Fields.EMPTY);
  }

  @Override
  public void receiveData(ByteBuf data, int length) {
    if (target != null) {
      target.receiveData(data, length);
      return;
    }
    try {
      data.readBytes(waiting, length);
    } catch (IOException e) {
      throw new UncheckedIOException(e); // an array does not fail
    }
  }

  @Override
  public void receiveEnd(Fields trailers) {
    if (target != null) target.receiveEnd(trailers);
    else ended = true;
  }

  @Override
  public void sent(int unsentBytes) {
    if (target != null) target.sent(unsentBytes);
  }

  @Override
  public void closed(Close cause) {
    closed = true;
    if (target != null) target.closed(cause);
  }
}
