package dev.weftline.internal.hpack;

import dev.weftline.internal.http.Field;
import dev.weftline.internal.http.Fields;
import io.netty.buffer.ByteBuf;
import org.jspecify.annotations.Nullable;

/// Fields to field blocks (RFC 7541 §6), for one connection.
///
/// Confined to its loop. Hot: a constant section is one copy of bytes once its fields stand in the
/// table. Nothing is allocated before the first section, and an idle connection keeps its dynamic
/// table and the bytes of a few constant sections.
public final class HpackEncoder {
  /// RFC 9113 §6.5.2: SETTINGS_HEADER_TABLE_SIZE before the peer's SETTINGS.
  private static final int TABLE_BYTES_INITIAL = 4_096;

  /// Response header and trailer section of the usual protocol, and two more.
  private static final int CONSTANTS_MAX = 4;

  private static final int SIGHTINGS = 16;
  private static final @Nullable Constant[] NO_CONSTANTS = {};
  private static final int[] NO_SIGHTINGS = {};

  private final DynamicTable table = new DynamicTable(TABLE_BYTES_INITIAL);
  private final int tableBytesMax;
  private int tableBytesNext; // the size to announce with the next block
  private int tableBytesLeast; // the smallest since the last block
  private @Nullable Constant[] constants = NO_CONSTANTS;
  private int[] sightings = NO_SIGHTINGS; // hashes of fields sent without indexing

  /// `tableBytesMax` is what we spend on the table, whatever the peer allows.
  public HpackEncoder(int tableBytesMax) {
    this.tableBytesMax = tableBytesMax;
    tableBytesNext = Math.min(tableBytesMax, TABLE_BYTES_INITIAL);
    tableBytesLeast = tableBytesNext;
  }

  /// The peer's SETTINGS_HEADER_TABLE_SIZE, an unsigned number. RFC 7541 §4.2: the next block says
  /// what we make of it.
  public void peerTableBytesMax(int setting) {
    tableBytesNext = setting < 0 ? tableBytesMax : Math.min(setting, tableBytesMax);
    tableBytesLeast = Math.min(tableBytesLeast, tableBytesNext);
  }

  /// Writes the whole field block of `fields` to `out`.
  public void encode(Fields fields, ByteBuf out) {
    boolean sameSize = tableBytesLeast == table.bytesMax() && tableBytesNext == table.bytesMax();
    boolean withoutTable = fields.isWithoutTable();
    if (sameSize && fields.isConstant()) {
      var octets = withoutTable ? octetsWithoutTable(fields) : octetsOf(fields);
      if (octets != null) {
        out.writeBytes(octets);
        return;
      }
    }
    var block = BlockWriter.ofThisLoop();
    if (!sameSize) writeSizeUpdates(block);
    if (withoutTable) {
      block.writeTo(out);
      out.writeBytes(octetsWithoutTable(fields));
      return;
    }
    int from = block.position();
    long changes = table.changes();
    for (int i = 0; i < fields.size(); i++) write(fields.get(i), fields.isConstant(), block);
    // Without an insertion the same section gives the same bytes again.
    if (fields.isConstant() && changes == table.changes()) keep(fields, block.copyFrom(from));
    block.writeTo(out);
  }

  /// The same for every connection: of tables it uses the static one only (RFC 7541 §6.1, §6.2.2,
  /// §6.2.3).
  private static byte[] octetsWithoutTable(Fields fields) {
    var kept = fields.octets();
    if (kept != null) return kept;
    var block = BlockWriter.ofThisLoop();
    for (int i = 0; i < fields.size(); i++) {
      var field = fields.get(i);
      int index = StaticTable.index(field);
      if (index != 0) {
        block.integer(0x80, 0x7f, index);
        continue;
      }
      int pattern = Indexing.of(field) == Indexing.NEVER ? 0x10 : 0x00;
      literal(pattern, 0x0f, StaticTable.nameIndex(field.name()), field, block);
    }
    var octets = block.copyFrom(0);
    fields.keepOctets(octets);
    return octets;
  }

  /// RFC 7541 §4.2: the smallest size since the last block, when it was smaller than the present
  /// one, then the present one.
  private void writeSizeUpdates(BlockWriter block) {
    if (tableBytesLeast < tableBytesNext && tableBytesLeast < table.bytesMax()) {
      table.resize(tableBytesLeast);
      block.integer(0x20, 0x1f, tableBytesLeast);
    }
    if (tableBytesNext != table.bytesMax()) {
      table.resize(tableBytesNext);
      block.integer(0x20, 0x1f, tableBytesNext);
    }
    tableBytesLeast = tableBytesNext;
  }

  private void write(Field field, boolean constant, BlockWriter block) {
    int index = StaticTable.index(field);
    if (index != 0) {
      block.integer(0x80, 0x7f, index);
      return;
    }
    int nameIndex = StaticTable.nameIndex(field.name());
    var indexing = Indexing.of(field);
    if (indexing == Indexing.INCREMENTAL) {
      int age = table.age(field);
      if (age >= 0) {
        block.integer(0x80, 0x7f, StaticTable.LENGTH + 1 + age);
        return;
      }
      age = table.ageOfName(field.name());
      if (age >= 0 && nameIndex == 0) nameIndex = StaticTable.LENGTH + 1 + age;
      // A value that differs from the last one may differ again: it has to come twice.
      boolean changing = age >= 0 && !constant && !seen(field);
      if (changing || field.size() > table.bytesMax()) indexing = Indexing.WITHOUT;
    }
    switch (indexing) {
      case INCREMENTAL -> {
        literal(0x40, 0x3f, nameIndex, field, block);
        table.insert(field);
      }
      case WITHOUT -> literal(0x00, 0x0f, nameIndex, field, block);
      case NEVER -> literal(0x10, 0x0f, nameIndex, field, block);
    }
  }

  private static void literal(
      int pattern, int mask, int nameIndex, Field field, BlockWriter block) {
    block.integer(pattern, mask, nameIndex);
    if (nameIndex == 0) block.string(field.nameOctets());
    block.string(field.valueOctets());
  }

  private boolean seen(Field field) {
    if (sightings.length == 0) sightings = new int[SIGHTINGS];
    int hash = field.hashCode();
    int slot = (hash ^ hash >>> 16) & SIGHTINGS - 1;
    boolean seen = sightings[slot] == hash;
    sightings[slot] = hash;
    return seen;
  }

  private byte @Nullable [] octetsOf(Fields fields) {
    for (var constant : constants) {
      if (constant == null) return null;
      if (constant.isOf(fields)) {
        return constant.changes == table.changes() ? constant.octets : null;
      }
    }
    return null;
  }

  /// In its own place, a free one, or that of a section whose bytes are stale; otherwise not.
  private void keep(Fields fields, byte[] octets) {
    if (constants.length == 0) constants = new Constant[CONSTANTS_MAX];
    int place = -1;
    for (int i = 0; i < constants.length; i++) {
      var constant = constants[i];
      if (constant == null || constant.isOf(fields)) {
        place = i;
        break;
      }
      if (constant.changes != table.changes()) place = i;
    }
    if (place >= 0) constants[place] = new Constant(fields, octets, table.changes());
  }

  /// A section with its bytes, good for as long as the table does not change.
  private static final class Constant {
    final Fields fields;
    final byte[] octets;
    final long changes;

    Constant(Fields fields, byte[] octets, long changes) {
      this.fields = fields;
      this.octets = octets;
      this.changes = changes;
    }

    /// A constant section is recognised by identity, which costs nothing.
    @SuppressWarnings("ReferenceEquality")
    boolean isOf(Fields section) {
      return fields == section;
    }
  }
}
