package dev.weftline.internal.http2;

import io.netty.util.concurrent.FastThreadLocal;
import io.netty.util.internal.PlatformDependent;
import java.util.Queue;
import org.jspecify.annotations.Nullable;

/// The arrays that responses of some size are written to, used again and again: what is allocated
/// is cleared first, which for such a response costs as much as writing it. One for each loop; call
/// threads take, the loop gives back.
final class ResponseArrays {
  /// Smaller ones come and go at less cost than this.
  private static final int TAKEN_BYTES_MIN = 2 << 10;

  /// A message of 16 KiB with its fields. Larger ones are rare, and room for many would be idle
  /// memory.
  private static final int ARRAY_BYTES = (16 << 10) + 512;

  /// What one turn of a busy loop sends; 2 MiB.
  private static final int ARRAYS_MAX = 128;

  private static final FastThreadLocal<ResponseArrays> OF_LOOP =
      new FastThreadLocal<>() {
        @Override
        protected ResponseArrays initialValue() {
          return new ResponseArrays();
        }
      };

  private final Queue<byte[]> free = PlatformDependent.newFixedMpmcQueue(ARRAYS_MAX);

  private ResponseArrays() {}

  /// Those of the loop that calls.
  static ResponseArrays ofThisLoop() {
    return OF_LOOP.get();
  }

  /// An array of at least `length`, with anything in it. Any thread.
  byte[] take(int length) {
    if (length < TAKEN_BYTES_MIN || length > ARRAY_BYTES) return new byte[length];
    byte @Nullable [] used = free.poll();
    return used != null ? used : new byte[ARRAY_BYTES];
  }

  /// Takes an array back when it is one of these, and if there is room for it.
  void give(byte[] array) {
    if (array.length == ARRAY_BYTES) free.offer(array);
  }
}
