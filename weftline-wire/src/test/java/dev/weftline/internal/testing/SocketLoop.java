package dev.weftline.internal.testing;

import static org.assertj.core.api.Assertions.assertThat;

import dev.weftline.internal.http2.EngineUnderTest;
import dev.weftline.internal.http2.Http2Limits;
import io.netty.bootstrap.ServerBootstrap;
import io.netty.buffer.UnpooledByteBufAllocator;
import io.netty.channel.Channel;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.ChannelOption;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.nio.NioIoHandler;
import io.netty.channel.socket.nio.NioServerSocketChannel;
import java.io.IOException;
import java.net.InetAddress;
import java.net.StandardSocketOptions;
import java.nio.ByteBuffer;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.nio.channels.SocketChannel;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/// One real event loop behind a loopback socket: all its connections share its only thread, so a
/// peer that hurts the loop hurts the others. Peers are used from the test's thread.
public final class SocketLoop implements TestLoop {
  private static final int READ_MILLIS_MAX = 10_000;
  private static final int WRITE_MILLIS_MAX = 1_000;
  private static final int CLOSE_MILLIS_MAX = 5_000;

  private final FakeClock clock = new FakeClock();
  private final TestExchanges exchanges = new TestExchanges();
  private final UnpooledByteBufAllocator allocator = TestLoop.countingAllocator();
  private final EventLoopGroup group =
      new MultiThreadIoEventLoopGroup(1, NioIoHandler.newFactory());
  private final AtomicReference<Http2Limits> limits = new AtomicReference<>(Http2Limits.DEFAULT);
  private final AtomicReference<LongSupplier> time = new AtomicReference<>(System::nanoTime);
  private final Semaphore accepted = new Semaphore(0);
  private final Channel server;
  private final List<Wire> wires = new ArrayList<>();

  public SocketLoop() {
    server =
        new ServerBootstrap()
            .group(group)
            .channel(NioServerSocketChannel.class)
            .childOption(ChannelOption.ALLOCATOR, allocator)
            .childHandler(
                new ChannelInitializer<Channel>() {
                  @Override
                  protected void initChannel(Channel channel) {
                    var engine = EngineUnderTest.with(limits.get(), exchanges, time.get());
                    channel.pipeline().addLast(engine);
                    accepted.release();
                  }
                })
            .bind(InetAddress.getLoopbackAddress(), 0)
            .syncUninterruptibly()
            .channel();
  }

  /// The engines of the peers that connect from now on read the [FakeClock] instead of the time.
  public void stopsTheClock() {
    time.set(clock);
  }

  @Override
  public ScriptedPeer silentPeer(Http2Limits limits) {
    this.limits.set(limits);
    try {
      var wire = new Wire();
      wires.add(wire);
      // Before the next peer may bring other limits.
      accepted.acquireUninterruptibly();
      return new ScriptedPeer(wire);
    } catch (IOException e) {
      throw new AssertionError(e);
    }
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

  @Override
  public void close() {
    for (var wire : wires) wire.close();
    exchanges.awaitClosed(CLOSE_MILLIS_MAX);
    server.close().syncUninterruptibly();
    // Channels close on their loop before it ends.
    group.shutdownGracefully(0, 10, TimeUnit.SECONDS).syncUninterruptibly();
    exchanges.checkAllOver();
    assertThat(bufferBytes()).as("bytes of leaked buffers").isZero();
  }

  /// A client socket that waits neither for ever to read nor to write: an engine may well stop
  /// reading from a peer that does not read.
  private final class Wire implements Link {
    private final SocketChannel socket;
    private final Selector selector = Selector.open();
    private final SelectionKey key;
    private final ByteBuffer buffer = ByteBuffer.allocate(64 << 10);
    private boolean open = true;

    Wire() throws IOException {
      socket = SocketChannel.open();
      // Small, so that a peer that does not read is felt soon.
      socket.setOption(StandardSocketOptions.SO_RCVBUF, 32 << 10);
      socket.setOption(StandardSocketOptions.TCP_NODELAY, true);
      socket.connect(server.localAddress());
      socket.configureBlocking(false);
      key = socket.register(selector, SelectionKey.OP_READ);
    }

    @Override
    public void write(byte[]... reads) {
      try {
        for (var read : reads) {
          var bytes = ByteBuffer.wrap(read);
          while (bytes.hasRemaining()) {
            if (socket.write(bytes) == 0 && !ready(SelectionKey.OP_WRITE, WRITE_MILLIS_MAX)) return;
          }
        }
      } catch (IOException _) {
        // The engine closed; what it said before that is still to be read.
      }
    }

    @Override
    public byte @Nullable [] read() {
      if (!open) return null;
      try {
        buffer.clear();
        if (!ready(SelectionKey.OP_READ, READ_MILLIS_MAX)) return null;
        if (socket.read(buffer) >= 0) return Arrays.copyOf(buffer.array(), buffer.position());
      } catch (IOException _) {
        // A reset of the connection is a close too.
      }
      open = false;
      return null;
    }

    private boolean ready(int operation, int millisMax) throws IOException {
      key.interestOps(operation);
      int keys = selector.select(millisMax);
      selector.selectedKeys().clear();
      return keys > 0;
    }

    @Override
    public void lingers() {
      // `read` waits long enough.
    }

    @Override
    public boolean isImmediate() {
      return false;
    }

    @Override
    public boolean isOpen() {
      return open;
    }

    @Override
    public void close() {
      open = false;
      try {
        selector.close();
        socket.close();
      } catch (IOException e) {
        throw new AssertionError(e);
      }
    }
  }
}
