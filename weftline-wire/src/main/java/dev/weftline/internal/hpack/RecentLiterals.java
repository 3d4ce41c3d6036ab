package dev.weftline.internal.hpack;

import dev.weftline.internal.http.Field;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/// The literals a peer repeats without ever indexing them, as nghttp2 does with `:path` and
/// `content-length`: found by their octets as they came, so that a repeated one costs a hash and a
/// comparison instead of a Huffman decoding and two objects.
///
/// Confined to its loop. Hot. A literal is kept when it comes a second time, so values that never
/// repeat take no memory; kept are at most [#SLOTS_MAX] of at most [#BYTES_MAX] octets, two ways
/// for each hash, and the arrays grow as they fill.
final class RecentLiterals {
  static final int BYTES_MAX = 128;
  private static final int SLOTS_MAX = 64;
  private static final int SLOTS_MIN = 8;
  private static final @Nullable Literal[] NONE = {};
  private static final int[] NO_SIGHTINGS = {};
  private static final VarHandle LONG =
      MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.LITTLE_ENDIAN);

  private @Nullable Literal[] literals = NONE;
  private int[] sightings = NO_SIGHTINGS; // for each slot, the hash that came last and is not kept

  /// `name` is the name when the block had only its index, and null when it stands in the octets.
  static int hash(@Nullable String name, byte[] octets, int from, int to) {
    long hash = name == null ? 0 : name.hashCode();
    int at = from;
    for (; at + 8 <= to; at += 8) hash = mixed(hash ^ (long) LONG.get(octets, at));
    long rest = (long) to - from;
    for (; at < to; at++) rest = rest << 8 | octets[at] & 0xff;
    return (int) mixed(hash ^ rest);
  }

  private static long mixed(long hash) {
    hash *= 0x9e37_79b9_7f4a_7c15L;
    return hash ^ hash >>> 32;
  }

  @Nullable Field find(@Nullable String name, int hash, byte[] octets, int from, int to) {
    if (literals.length == 0) return null;
    int slot = hash & literals.length - 1;
    var literal = literals[slot];
    if (literal != null && literal.is(name, hash, octets, from, to)) return literal.field;
    literal = literals[slot ^ 1];
    if (literal != null && literal.is(name, hash, octets, from, to)) return literal.field;
    return null;
  }

  /// To be told of each literal that was not found.
  void missed(@Nullable String name, int hash, byte[] octets, int from, int to, Field field) {
    if (literals.length == 0) resize(SLOTS_MIN);
    int slot = hash & literals.length - 1;
    if (sightings[slot] != hash) {
      sightings[slot] = hash;
      return;
    }
    while (literals[slot] != null && literals[slot ^ 1] != null && literals.length < SLOTS_MAX) {
      resize(literals.length * 2);
      slot = hash & literals.length - 1;
    }
    if (literals[slot] != null) literals[slot ^ 1] = literals[slot];
    literals[slot] = new Literal(name, hash, Arrays.copyOfRange(octets, from, to), field);
  }

  private void resize(int slots) {
    var old = literals;
    literals = Arrays.copyOf(NONE, slots);
    sightings = new int[slots];
    for (var literal : old) {
      if (literal == null) continue;
      int slot = literal.hash & slots - 1;
      literals[literals[slot] == null ? slot : slot ^ 1] = literal;
    }
  }

  private static final class Literal {
    final @Nullable String name;
    final int hash;
    final byte[] octets;
    final Field field;

    Literal(@Nullable String name, int hash, byte[] octets, Field field) {
      this.name = name;
      this.hash = hash;
      this.octets = octets;
      this.field = field;
    }

    boolean is(@Nullable String name, int hash, byte[] octets, int from, int to) {
      return this.hash == hash
          && Arrays.equals(this.octets, 0, this.octets.length, octets, from, to)
          && Objects.equals(this.name, name);
    }
  }
}
