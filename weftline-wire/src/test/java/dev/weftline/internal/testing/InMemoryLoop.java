package dev.weftline.internal.testing;

import static org.assertj.core.api.Assertions.assertThat;

import dev.weftline.internal.http2.EngineUnderTest;
import dev.weftline.internal.http2.Http2Connection;
import dev.weftline.internal.http2.Http2Limits;
import dev.weftline.internal.http2.Lifetime;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.UnpooledByteBufAllocator;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelOutboundHandlerAdapter;
import io.netty.channel.ChannelPromise;
import io.netty.channel.embedded.EmbeddedChannel;
import java.io.ByteArrayOutputStream;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// A loop without threads or sockets: whatever a peer sends is worked through before `sends`
/// returns, and time is a [FakeClock]. One thread only.
public final class InMemoryLoop implements TestLoop {
  private final FakeClock clock = new FakeClock();
  private final TestExchanges exchanges = new TestExchanges();
  private final UnpooledByteBufAllocator allocator = TestLoop.countingAllocator();
  private final List<Connection> connections = new ArrayList<>();

  @Override
  public ScriptedPeer silentPeer(Http2Limits limits) {
    return new ScriptedPeer(connection(limits));
  }

  /// A peer behind a link on which a test counts writes and flushes, or stops reading.
  public Connection connection(Http2Limits limits) {
    return connection(limits, Lifetime.UNLIMITED);
  }

  /// The same with times of its own.
  public Connection connection(Http2Limits limits, Lifetime lifetime) {
    var connection = new Connection(EngineUnderTest.with(limits, lifetime, exchanges, clock));
    connections.add(connection);
    return connection;
  }

  @Override
  public TestExchanges exchanges() {
    return exchanges;
  }

  @Override
  public FakeClock clock() {
    return clock;
  }

  @Override
  public long bufferBytes() {
    return allocator.metric().usedHeapMemory() + allocator.metric().usedDirectMemory();
  }

  /// Lets time pass for the engines' clocks and timers.
  public void passes(Duration time) {
    clock.advance(time);
    for (var connection : connections) connection.runTasks();
  }

  @Override
  public void close() {
    for (var connection : connections) connection.close();
    for (var connection : connections) connection.channel.checkException();
    exchanges.checkAllOver();
    assertThat(bufferBytes()).as("bytes of leaked buffers").isZero();
  }

  /// One connection: a real engine in an [EmbeddedChannel], and the socket it believes to have.
  public final class Connection implements Link {
    private final Http2Connection engine;
    private final Socket socket = new Socket();
    private final EmbeddedChannel channel;

    private Connection(Http2Connection engine) {
      this.engine = engine;
      channel =
          EmbeddedChannel.builder().ticker(clock.ticker()).register(false).handlers(socket).build();
      channel.config().setAllocator(allocator);
      try {
        channel.register();
      } catch (Exception e) {
        throw new IllegalStateException(e);
      }
      channel.pipeline().addLast(engine);
      channel.runPendingTasks();
    }

    public Http2Connection engine() {
      return engine;
    }

    public EmbeddedChannel channel() {
      return channel;
    }

    /// Buffers the engine wrote, and flushes that found some to flush.
    public int writes() {
      return socket.writes;
    }

    public int flushes() {
      return socket.flushes;
    }

    /// The peer no longer reads: what is flushed stays in the channel, as with a full socket.
    public void stopsReading() {
      socket.full = true;
    }

    public void readsAgain() {
      socket.full = false;
      channel.flush();
      runTasks();
    }

    void runTasks() {
      channel.runPendingTasks();
      channel.runScheduledPendingTasks();
      channel.checkException();
    }

    @Override
    public void write(byte[]... reads) {
      if (!channel.isOpen()) return;
      var buffers = new Object[reads.length];
      for (int i = 0; i < reads.length; i++) {
        buffers[i] = allocator.ioBuffer(Math.max(1, reads[i].length)).writeBytes(reads[i]);
      }
      channel.writeInbound(buffers);
      runTasks();
    }

    @Override
    public byte @Nullable [] read() {
      runTasks();
      var bytes = new ByteArrayOutputStream();
      for (Object message; (message = channel.readOutbound()) != null; ) {
        var buffer = (ByteBuf) message;
        byte[] part = new byte[buffer.readableBytes()];
        buffer.readBytes(part);
        bytes.writeBytes(part);
        buffer.release();
      }
      return bytes.size() == 0 ? null : bytes.toByteArray();
    }

    @Override
    public void lingers() {
      passes(Duration.ofSeconds(1));
    }

    @Override
    public boolean isImmediate() {
      return true;
    }

    @Override
    public boolean isOpen() {
      return channel.isOpen();
    }

    @Override
    public void close() {
      channel.close();
      runTasks();
      channel.releaseOutbound();
      channel.releaseInbound();
    }
  }

  /// Where the engine's writes end: counts them, and can be full.
  private static final class Socket extends ChannelOutboundHandlerAdapter {
    int writes;
    int flushes;
    boolean full;
    private boolean unflushed;

    @Override
    public void write(ChannelHandlerContext context, Object message, ChannelPromise promise) {
      writes++;
      unflushed = true;
      context.write(message, promise);
    }

    @Override
    public void flush(ChannelHandlerContext context) {
      if (unflushed) flushes++;
      unflushed = false;
      if (!full) context.flush();
    }
  }
}
