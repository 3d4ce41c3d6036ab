package dev.weftline.benchmarks.peer;

import com.sun.management.ThreadMXBean;
import io.netty.buffer.ByteBufAllocator;
import io.netty.buffer.ByteBufAllocatorMetricProvider;
import io.netty.util.internal.PlatformDependent;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.lang.management.BufferPoolMXBean;
import java.lang.management.ManagementFactory;
import java.nio.charset.StandardCharsets;

/// One server in one process: `PeerMain <peer>`. Says `ready <port>` once it listens, then answers
/// each command on standard input with one line, and ends with its input: no server outlives its
/// driver.
public final class PeerMain {
  /// Stands before each line of ours: what a library prints is not for the driver.
  public static final String PREFIX = "peer: ";

  private PeerMain() {}

  @SuppressWarnings("SystemOut") // the control protocol
  public static void main(String[] args) throws Exception {
    System.out.println(PREFIX + "ready " + Peer.of(args[0]).start());
    answerCommands();
    Runtime.getRuntime().halt(0);
  }

  @SuppressWarnings("SystemOut") // the control protocol
  static void answerCommands() throws IOException, InterruptedException {
    var commands = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.US_ASCII));
    for (String command; (command = commands.readLine()) != null; ) {
      if (command.equals("gc")) {
        collect();
      }
      System.out.println(PREFIX + memory());
    }
  }

  /// Twice, because the first collection lets cleaners give direct memory back and the second sees
  /// it gone.
  private static void collect() throws InterruptedException {
    for (int i = 0; i < 2; i++) {
      System.gc();
      Thread.sleep(100);
    }
  }

  private static String memory() {
    var threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
    long heap = ManagementFactory.getMemoryMXBean().getHeapMemoryUsage().getUsed();
    // What Netty takes past the JDK's pool of direct buffers, its allocators count; some peers use
    // that pool.
    long direct = Math.max(0, PlatformDependent.usedDirectMemory());
    if (ByteBufAllocator.DEFAULT instanceof ByteBufAllocatorMetricProvider allocator) {
      direct = Math.max(direct, allocator.metric().usedDirectMemory());
    }
    for (var pool : ManagementFactory.getPlatformMXBeans(BufferPoolMXBean.class)) {
      if (pool.getName().equals("direct")) {
        direct = Math.max(direct, pool.getMemoryUsed());
      }
    }
    return "memory "
        + threads.getTotalThreadAllocatedBytes()
        + " "
        + heap
        + " "
        + direct
        + " "
        + Sleepers.count()
        + " "
        + Workshop.served();
  }
}
