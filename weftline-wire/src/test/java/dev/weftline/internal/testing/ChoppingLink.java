package dev.weftline.internal.testing;

import java.io.ByteArrayOutputStream;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Random;
import org.jspecify.annotations.Nullable;

/// A link that delivers late and in pieces: what is written gathers until `delivers`, which cuts it
/// into reads wherever chance has it, and may keep the rest.
final class ChoppingLink implements Link {
  private final Link link;
  private final Random random;
  private final ByteArrayOutputStream waiting = new ByteArrayOutputStream();
  private boolean chops;

  ChoppingLink(Link link, Random random) {
    this.link = link;
    this.random = random;
  }

  /// Until now everything was delivered at once, for the handshake.
  void beginsToChop() {
    chops = true;
  }

  /// Delivers what waits: all of it, or some.
  void delivers(boolean all) {
    byte[] bytes = waiting.toByteArray();
    waiting.reset();
    int end = all ? bytes.length : random.nextInt(bytes.length + 1);
    waiting.write(bytes, end, bytes.length - end);
    // Mostly few cuts, sometimes very many.
    int readBytesMax = 1 + random.nextInt(random.nextInt(8) == 0 ? 10 : Math.max(1, end));
    var reads = new ArrayList<byte[]>();
    for (int at = 0; at < end; ) {
      int next = Math.min(end, at + 1 + random.nextInt(readBytesMax));
      reads.add(Arrays.copyOfRange(bytes, at, next));
      at = next;
      if (random.nextInt(3) == 0) {
        link.write(reads.toArray(byte[][]::new));
        reads.clear();
      }
    }
    if (!reads.isEmpty()) link.write(reads.toArray(byte[][]::new));
  }

  @Override
  public void write(byte[]... reads) {
    if (chops) {
      for (var read : reads) waiting.writeBytes(read);
    } else {
      link.write(reads);
    }
  }

  @Override
  public byte @Nullable [] read() {
    return link.read();
  }

  @Override
  public boolean isImmediate() {
    return link.isImmediate();
  }

  @Override
  public boolean isOpen() {
    return link.isOpen();
  }

  @Override
  public void lingers() {
    link.lingers();
  }

  @Override
  public void close() {
    link.close();
  }
}
