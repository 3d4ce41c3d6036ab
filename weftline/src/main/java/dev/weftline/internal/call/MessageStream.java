package dev.weftline.internal.call;

import io.grpc.KnownLength;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.io.InputStream;

/// One received message where it lies in the read buffer, for a marshaller. One per loop, used
/// again for each message.
final class MessageStream extends InputStream implements KnownLength {
  private ByteBuf data = Unpooled.EMPTY_BUFFER;
  private int end;

  /// The next `length` bytes of `data`.
  MessageStream over(ByteBuf data, int length) {
    this.data = data;
    this.end = data.readerIndex() + length;
    return this;
  }

  /// Skips what the marshaller left, and lets the buffer go.
  void finish() {
    data.readerIndex(end);
    data = Unpooled.EMPTY_BUFFER;
    end = 0;
  }

  @Override
  public int available() {
    return end - data.readerIndex();
  }

  @Override
  public int read() {
    return available() > 0 ? data.readUnsignedByte() : -1;
  }

  @Override
  public int read(byte[] into, int offset, int length) {
    int available = available();
    if (length == 0) return 0;
    if (available == 0) return -1;
    int n = Math.min(length, available);
    data.readBytes(into, offset, n);
    return n;
  }
}
