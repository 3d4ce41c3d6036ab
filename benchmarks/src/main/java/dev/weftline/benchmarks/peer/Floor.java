package dev.weftline.benchmarks.peer;

import io.netty.bootstrap.ServerBootstrap;
import io.netty.buffer.ByteBuf;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.ChannelOption;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.epoll.Epoll;
import io.netty.channel.epoll.EpollIoHandler;
import io.netty.channel.epoll.EpollServerSocketChannel;
import io.netty.channel.nio.NioIoHandler;
import io.netty.channel.socket.nio.NioServerSocketChannel;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import org.jspecify.annotations.Nullable;

/// What the transport alone costs: an HTTP/2 server that looks at nothing but frame headers.
/// HEADERS is answered with a response header block made beforehand, DATA with itself, END_STREAM
/// with prebaked trailers.
///
/// No HPACK, no flow control towards the client, no streams, no gRPC: nothing to use, only to
/// compare with. Confined to its loop.
@SuppressWarnings(
    "FutureReturnValueIgnored") // a failed write closes the connection: h2load sees it
final class Floor extends ChannelInboundHandlerAdapter {
  private static final int PREFACE_BYTES = 24;
  private static final int FRAME_HEADER_BYTES = 9;
  private static final int DATA = 0x0;
  private static final int HEADERS = 0x1;
  private static final int SETTINGS = 0x4;
  private static final int PING = 0x6;
  private static final int WINDOW_UPDATE = 0x8;
  private static final int END_STREAM = 0x1;
  private static final int ACK = 0x1;
  private static final int END_HEADERS = 0x4;
  private static final int SETTINGS_MAX_CONCURRENT_STREAMS = 0x3;
  private static final int SETTINGS_INITIAL_WINDOW_SIZE = 0x4;
  private static final int WINDOW_BYTES = 1 << 30;

  /// `:status: 200` indexed, then `content-type: application/grpc` with its name indexed (RFC 7541
  /// §6.1, §6.2.2).
  private static final byte[] RESPONSE =
      block(new byte[] {(byte) 0x88, 0x0f, 0x10, 0x10}, "application/grpc");

  /// `grpc-status: 0`, both literal.
  private static final byte[] TRAILERS =
      block(block(new byte[] {0x00, 0x0b}, "grpc-status"), "\u00010");

  private int prefaceBytesLeft = PREFACE_BYTES;
  private int consumedBytes; // since the last connection WINDOW_UPDATE
  private @Nullable ByteBuf rest; // the start of a frame whose end has not come yet

  private Floor() {}

  static int start() throws InterruptedException {
    boolean epoll = Epoll.isAvailable();
    EventLoopGroup loop =
        new MultiThreadIoEventLoopGroup(
            1, epoll ? EpollIoHandler.newFactory() : NioIoHandler.newFactory());
    var channel =
        new ServerBootstrap()
            .group(loop)
            .channel(epoll ? EpollServerSocketChannel.class : NioServerSocketChannel.class)
            .option(ChannelOption.SO_BACKLOG, 4096)
            .childOption(ChannelOption.TCP_NODELAY, true)
            .childHandler(
                new ChannelInitializer<Channel>() {
                  @Override
                  protected void initChannel(Channel accepted) {
                    accepted.pipeline().addLast(new Floor());
                  }
                })
            .bind(0)
            .sync()
            .channel();
    return ((InetSocketAddress) channel.localAddress()).getPort();
  }

  @Override
  public void channelActive(ChannelHandlerContext ctx) {
    var out = ctx.alloc().directBuffer();
    frame(out, 12, SETTINGS, 0, 0);
    out.writeShort(SETTINGS_MAX_CONCURRENT_STREAMS).writeInt(1000);
    out.writeShort(SETTINGS_INITIAL_WINDOW_SIZE).writeInt(WINDOW_BYTES);
    frame(out, 4, WINDOW_UPDATE, 0, 0);
    out.writeInt(WINDOW_BYTES);
    ctx.writeAndFlush(out, ctx.voidPromise());
  }

  @Override
  public void channelRead(ChannelHandlerContext ctx, Object message) {
    var in = (ByteBuf) message;
    if (rest != null) {
      in = rest.writeBytes(in);
      ((ByteBuf) message).release();
      rest = null;
    }
    var out = ctx.alloc().directBuffer(in.readableBytes() + 1024);
    answer(in, out);
    if (in.isReadable()) {
      rest = ctx.alloc().buffer(in.readableBytes() + (16 << 10)).writeBytes(in);
    }
    in.release();
    ctx.write(out, ctx.voidPromise());
  }

  private void answer(ByteBuf in, ByteBuf out) {
    int skipped = Math.min(prefaceBytesLeft, in.readableBytes());
    in.skipBytes(skipped);
    prefaceBytesLeft -= skipped;
    while (in.readableBytes() >= FRAME_HEADER_BYTES) {
      int length = in.getUnsignedMedium(in.readerIndex());
      if (in.readableBytes() < FRAME_HEADER_BYTES + length) {
        return;
      }
      int type = in.getByte(in.readerIndex() + 3);
      int flags = in.getByte(in.readerIndex() + 4);
      int stream = in.getInt(in.readerIndex() + 5);
      in.skipBytes(FRAME_HEADER_BYTES);
      answer(type, flags, stream, in, length, out);
      in.skipBytes(length);
    }
  }

  private void answer(int type, int flags, int stream, ByteBuf in, int length, ByteBuf out) {
    switch (type) {
      case HEADERS -> {
        frame(out, RESPONSE.length, HEADERS, END_HEADERS, stream);
        out.writeBytes(RESPONSE);
      }
      case DATA -> {
        consume(length, out);
        if (length > 0) {
          frame(out, length, DATA, 0, stream);
          out.writeBytes(in, in.readerIndex(), length);
        }
      }
      case SETTINGS, PING -> {
        if ((flags & ACK) == 0) {
          int payload = type == PING ? length : 0;
          frame(out, payload, type, ACK, 0);
          out.writeBytes(in, in.readerIndex(), payload);
        }
        return;
      }
      default -> {
        return;
      }
    }
    if ((flags & END_STREAM) != 0) {
      frame(out, TRAILERS.length, HEADERS, END_HEADERS | END_STREAM, stream);
      out.writeBytes(TRAILERS);
    }
  }

  private void consume(int bytes, ByteBuf out) {
    consumedBytes += bytes;
    if (consumedBytes > WINDOW_BYTES / 2) {
      frame(out, 4, WINDOW_UPDATE, 0, 0);
      out.writeInt(consumedBytes);
      consumedBytes = 0;
    }
  }

  private static void frame(ByteBuf out, int length, int type, int flags, int stream) {
    out.writeMedium(length).writeByte(type).writeByte(flags).writeInt(stream);
  }

  private static byte[] block(byte[] start, String end) {
    byte[] tail = end.getBytes(StandardCharsets.US_ASCII);
    byte[] whole = new byte[start.length + tail.length];
    System.arraycopy(start, 0, whole, 0, start.length);
    System.arraycopy(tail, 0, whole, start.length, tail.length);
    return whole;
  }

  @Override
  public void channelReadComplete(ChannelHandlerContext ctx) {
    ctx.flush();
  }

  @Override
  public void channelInactive(ChannelHandlerContext ctx) {
    if (rest != null) {
      rest.release();
      rest = null;
    }
  }

  @Override
  public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
    ctx.close();
  }
}
