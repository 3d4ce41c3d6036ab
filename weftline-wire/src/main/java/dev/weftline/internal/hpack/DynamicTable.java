package dev.weftline.internal.hpack;

import dev.weftline.internal.http.Field;
import java.util.Arrays;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/// The fields one side sent lately, newest first (RFC 7541 §2.3.2, §4): one for each direction of a
/// connection.
///
/// Confined to its loop. Hot. Nothing is allocated before the first insertion, and the ring grows
/// with what is in it: at most one slot for each 32 bytes of `bytesMax`.
final class DynamicTable {
  private static final @Nullable Field[] NONE = {};

  private @Nullable Field[] ring = NONE; // its length is 0 or a power of two
  private int newest; // slot of the newest field
  private int length;
  private int bytes;
  private int bytesMax;
  private long changes;

  DynamicTable(int bytesMax) {
    this.bytesMax = bytesMax;
  }

  int length() {
    return length;
  }

  int bytesMax() {
    return bytesMax;
  }

  /// Differs from an earlier answer when an index may mean another field since then.
  long changes() {
    return changes;
  }

  /// The field at `age`; 0 is the newest.
  Field get(int age) {
    if (age >= length) throw new IndexOutOfBoundsException(age);
    return Objects.requireNonNull(ring[newest - age & ring.length - 1]);
  }

  /// The age of this very field, or -1. A walk over the table, which holds 128 fields of 4 KiB at
  /// most and about ten as a rule.
  int age(Field field) {
    for (int age = 0; age < length; age++) {
      if (get(age).equals(field)) return age;
    }
    return -1;
  }

  /// The age of the newest field of this name, or -1.
  int ageOfName(String name) {
    for (int age = 0; age < length; age++) {
      if (get(age).name().equals(name)) return age;
    }
    return -1;
  }

  /// RFC 7541 §4.4: evicts until the field fits; one that never fits leaves an empty table.
  void insert(Field field) {
    changes++;
    int size = field.size();
    evictTo(Math.max(0, bytesMax - size));
    if (size > bytesMax) return;
    if (length == ring.length) grow();
    newest = newest + 1 & ring.length - 1;
    ring[newest] = field;
    length++;
    bytes += size;
  }

  /// RFC 7541 §4.3: evicts until the table fits its new maximum.
  void resize(int newBytesMax) {
    changes++;
    bytesMax = newBytesMax;
    evictTo(newBytesMax);
    if (length == 0) ring = NONE;
  }

  void clear() {
    changes++;
    evictTo(0);
  }

  private void evictTo(int target) {
    while (bytes > target && length > 0) {
      bytes -= get(length - 1).size();
      ring[newest - --length & ring.length - 1] = null;
    }
  }

  private void grow() {
    var grown = Arrays.copyOf(NONE, Math.max(8, ring.length * 2));
    for (int age = 0; age < length; age++) grown[length - 1 - age] = get(age);
    newest = length - 1 & grown.length - 1;
    ring = grown;
  }
}
