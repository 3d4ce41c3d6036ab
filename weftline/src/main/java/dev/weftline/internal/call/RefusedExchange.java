package dev.weftline.internal.call;

import dev.weftline.internal.http.Exchange;
import dev.weftline.internal.http.ExchangeHandler;
import dev.weftline.internal.http.Fields;
import io.netty.buffer.ByteBuf;

/// A request that has its answer already: what still comes is read away, so that the window of the
/// connection stays open for the others.
record RefusedExchange(Exchange exchange) implements ExchangeHandler {
  @Override
  public void receiveData(ByteBuf data, int length) {
    data.skipBytes(length);
    exchange.consumed(length);
  }

  @Override
  public void receiveEnd(Fields trailers) {}

  @Override
  public void sent(int unsentBytes) {}

  @Override
  public void closed(Close cause) {}
}
