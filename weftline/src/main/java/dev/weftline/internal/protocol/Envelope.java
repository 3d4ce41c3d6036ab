package dev.weftline.internal.protocol;

import io.grpc.Status;
import io.netty.buffer.ByteBuf;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/// The gRPC message prefix: one flag octet and four of length before each message (gRPC over
/// HTTP/2, "Length-Prefixed-Message"). Messages and prefixes may be cut anywhere by DATA
/// boundaries.
///
/// Hot: confined to the loop. A message that lies whole within one delivery is never copied here.
public final class Envelope {
  /// Is given each message as soon as it is whole.
  public interface Receiver {
    /// A whole message in place: reads exactly `length` bytes of `data`. A status that is returned
    /// ends the call.
    @Nullable Status receiveMessage(boolean compressed, ByteBuf data, int length);

    /// A message that came in pieces. The array is handed over.
    @Nullable Status receiveMessage(boolean compressed, byte[] message);
  }

  public static final int PREFIX_BYTES = 5;

  /// Storage a declared length gets before any of its octets are here: a prefix alone costs the
  /// peer 5 bytes, so it must not cost us the 4 MiB it announces.
  private static final int FIRST_STORAGE_BYTES = 4 << 10;

  private static final int COMPRESSED = 1;

  private final String method;
  private final int messageBytesMax;

  private int prefixHave;
  private long prefix;
  private byte @Nullable [] storage; // until the prefix of a message in pieces was read
  private int stored;
  private int declared;
  private boolean compressed;

  /// @param method named when a message is refused
  /// @param messageBytesMax the limit for one message, before decompression
  public Envelope(String method, int messageBytesMax) {
    this.method = method;
    this.messageBytesMax = messageBytesMax;
  }

  /// Reads exactly `length` bytes of `data`; what is wrong with them ends the call with the
  /// returned status, and the rest of `data` is left unread.
  public @Nullable Status read(ByteBuf data, int length, Receiver receiver) {
    int left = length;
    while (left > 0) {
      if (storage != null) {
        left -= store(storage, data, left);
        var whole = storage;
        if (stored < declared) continue;
        storage = null;
        var fault = receiver.receiveMessage(compressed, whole);
        if (fault != null) return fault;
        continue;
      }
      if (prefixHave == 0 && left >= PREFIX_BYTES) {
        prefix = (long) data.readUnsignedByte() << 32 | data.readUnsignedInt();
        left -= PREFIX_BYTES;
      } else {
        if (prefixHave == 0) prefix = 0;
        prefix = prefix << 8 | data.readUnsignedByte();
        left--;
        if (++prefixHave < PREFIX_BYTES) continue;
      }
      prefixHave = 0;
      var fault = decide(prefix);
      if (fault != null) return fault;
      if (declared <= left) {
        fault = receiver.receiveMessage(compressed, data, declared);
        if (fault != null) return fault;
        left -= declared;
      } else {
        // A message of some KiB rarely grows its storage, and the peer has sent a quarter of it.
        storage = new byte[(int) Math.min(declared, Math.max(4L * left, FIRST_STORAGE_BYTES))];
        stored = 0;
      }
    }
    return null;
  }

  private @Nullable Status decide(long prefix) {
    int flag = (int) (prefix >>> 32);
    long size = prefix & 0xffff_ffffL;
    if (flag > COMPRESSED) {
      return Status.INTERNAL.withDescription(
          "gRPC message prefix malformed: compressed flag is " + flag + ", not 0 or 1");
    }
    if (size > messageBytesMax) return tooLarge(method, Long.toString(size), messageBytesMax);
    compressed = flag == COMPRESSED;
    declared = (int) size;
    return null;
  }

  private int store(byte[] bytes, ByteBuf data, int left) {
    int take = Math.min(left, declared - stored);
    byte[] room = bytes;
    if (stored + take > bytes.length) {
      // Grows with what has arrived: at most twice as much as the peer has sent.
      long doubled = Math.max(stored + take, 2L * bytes.length);
      room = Arrays.copyOf(bytes, (int) Math.min(declared, doubled));
      storage = room;
    }
    data.readBytes(room, stored, take);
    stored += take;
    return take;
  }

  /// Whether the last octet read ended a message: END_STREAM may only follow here.
  public boolean isAtBoundary() {
    return storage == null && prefixHave == 0;
  }

  /// Forgets the message that has not come whole; what comes is not read any more.
  public void clear() {
    storage = null;
    prefixHave = 0;
  }

  /// Octets that are kept for a message that has not come whole.
  public int storageBytes() {
    var kept = storage;
    return kept == null ? 0 : kept.length;
  }

  /// Octets of a message of which more must come, prefix included.
  public int unfinishedBytes() {
    return storage != null ? PREFIX_BYTES + stored : prefixHave;
  }

  /// gRPC status codes: a message larger than configured is RESOURCE_EXHAUSTED.
  static Status tooLarge(String method, String size, int max) {
    return Status.RESOURCE_EXHAUSTED.withDescription(
        method
            + ": a message of "
            + size
            + " bytes is larger than the limit of "
            + max
            + " bytes (setting maxInboundMessageBytes)");
  }

  /// Writes the prefix into the first five octets of `framed`, whose rest is the message.
  public static byte[] prefix(byte[] framed, boolean compressed) {
    prefix(framed, 0, framed.length - PREFIX_BYTES, compressed);
    return framed;
  }

  /// Writes the prefix of a message of `size` octets to `into`, from `start` on.
  public static void prefix(byte[] into, int start, int size, boolean compressed) {
    into[start] = (byte) (compressed ? COMPRESSED : 0);
    into[start + 1] = (byte) (size >>> 24);
    into[start + 2] = (byte) (size >>> 16);
    into[start + 3] = (byte) (size >>> 8);
    into[start + 4] = (byte) size;
  }
}
