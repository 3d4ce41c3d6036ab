package dev.weftline.internal.net;

import io.netty.channel.EventLoop;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.util.concurrent.FastThreadLocalThread;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;

/// The event loops of a server: one thread each, one per core unless told otherwise. Any thread may
/// call. Whoever opens them closes them, after the listeners on them.
public final class Loops implements AutoCloseable {
  /// Tasks already queued on a loop get this long before its thread ends.
  private static final int CLOSE_SECONDS_MAX = 5;

  private final Transport transport;
  private final MultiThreadIoEventLoopGroup group;
  private final Place[] places;
  private int last; // guarded by this: where the newest connection went

  private Loops(Transport transport, int count) {
    this.transport = transport;
    this.group = new MultiThreadIoEventLoopGroup(count, threads(), transport.ioHandlers());
    this.places = new Place[count];
    int i = 0;
    for (var executor : group) places[i++] = new Place((EventLoop) executor);
    this.last = count - 1;
  }

  /// So many loops on this transport.
  ///
  /// @throws IllegalArgumentException when this machine lacks the transport
  public static Loops open(Transport transport, int count) {
    if (count < 1) throw new IllegalArgumentException("loops: " + count);
    transport.requireAvailable();
    return new Loops(transport, count);
  }

  private static ThreadFactory threads() {
    var made = new AtomicInteger();
    return task -> {
      var thread = new FastThreadLocalThread(null, task, "weftline-loop-" + made.getAndIncrement());
      // As with any gRPC server on the JVM, whoever wants the process to stay waits for the server.
      thread.setDaemon(true);
      return thread;
    };
  }

  public Transport transport() {
    return transport;
  }

  public int count() {
    return places.length;
  }

  /// A loop for something that is no connection, such as a socket that listens.
  EventLoop next() {
    return group.next();
  }

  /// Takes a place for a new connection on the loop that has the fewest; among equals the next one
  /// in turn. Every place is given back once.
  synchronized Place take() {
    int best = -1;
    for (int i = 1; i <= places.length; i++) {
      int candidate = (last + i) % places.length;
      if (best < 0 || places[candidate].connections < places[best].connections) best = candidate;
    }
    last = best;
    places[best].connections++;
    return places[best];
  }

  synchronized void giveBack(Place place) {
    place.connections--;
  }

  /// Ends the threads, and with them every connection still open. Waits for them, so never call it
  /// on a loop.
  @Override
  public void close() {
    for (var place : places) {
      if (place.loop.inEventLoop()) throw new IllegalStateException("a loop cannot await itself");
    }
    group.shutdownGracefully(0, CLOSE_SECONDS_MAX, TimeUnit.SECONDS).awaitUninterruptibly();
  }

  /// One loop and how many connections it carries.
  static final class Place {
    final EventLoop loop;
    final ReadSizes reads;
    private int connections; // guarded by Loops.this

    private Place(EventLoop loop) {
      this.loop = loop;
      this.reads = new ReadSizes(loop);
    }
  }
}
