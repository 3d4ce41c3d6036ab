package dev.weftline.internal.hpack;

import dev.weftline.internal.http.Field;
import dev.weftline.internal.http.Fields;
import io.netty.buffer.ByteBuf;
import org.jspecify.annotations.Nullable;

/// Field blocks to fields (RFC 7541 §3, §6), for one connection.
///
/// Confined to its loop. Hot: indexed fields are the table's own objects, and literals that repeat
/// are found in [RecentLiterals], so that a request like the one before allocates nothing here. An
/// idle connection keeps its dynamic table and those literals, nothing else.
public final class HpackDecoder {
  /// RFC 9113 §6.5.2: SETTINGS_HEADER_TABLE_SIZE before any SETTINGS.
  private static final int TABLE_BYTES_INITIAL = 4_096;

  private final DynamicTable table = new DynamicTable(TABLE_BYTES_INITIAL);
  private final RecentLiterals recent = new RecentLiterals();
  private final int tableBytesMax;
  private final int fieldBytesMax;
  private int updateBytesMax; // how large the peer may make the table
  private boolean updateDue;

  /// `tableBytesMax` is what our SETTINGS_HEADER_TABLE_SIZE says; no field section larger than
  /// `fieldBytesMax`, counted as RFC 9113 §6.5.2 does, is handed out whole.
  public HpackDecoder(int tableBytesMax, int fieldBytesMax) {
    this.tableBytesMax = tableBytesMax;
    this.fieldBytesMax = fieldBytesMax;
    updateBytesMax = Math.max(tableBytesMax, TABLE_BYTES_INITIAL);
  }

  /// The peer acknowledged our SETTINGS. RFC 7541 §4.2: when that made the table smaller, its next
  /// block must begin by saying so.
  public void settingsAcknowledged() {
    updateBytesMax = tableBytesMax;
    updateDue = table.bytesMax() > tableBytesMax;
  }

  /// Decodes a whole field block, which is all of `block` and stays the caller's, adding its fields
  /// to `into`. Returns the size of the section as RFC 9113 §6.5.2 counts it. When that is more
  /// than `fieldBytesMax`, the fields past the limit were not added, but the table is as the peer
  /// expects it: the section is lost, the connection is not.
  public int decode(ByteBuf block, Fields into) throws HpackException {
    var reader = BlockReader.of(block);
    try {
      return (int) Math.min(decode(reader, into), Integer.MAX_VALUE);
    } finally {
      reader.close();
    }
  }

  private long decode(BlockReader reader, Fields into) throws HpackException {
    while (reader.atSizeUpdate()) updateSize(reader);
    if (updateDue) throw new HpackException("RFC 7541 4.2: table size update missing");
    long size = 0;
    while (!reader.atEnd()) {
      int first = reader.octet();
      if (first >= 0x80) {
        size = add(field(reader.integer(first, 0x7f)), size, into);
      } else if (first >= 0x40) {
        size = insert(named(reader.integer(first, 0x3f)), reader, size, into);
      } else if (first >= 0x20) {
        throw new HpackException("RFC 7541 4.2: table size update after a field");
      } else {
        // RFC 7541 §6.2.2, §6.2.3: with and without the never-indexed bit, which is for those who
        // send the field on.
        size = literal(named(reader.integer(first, 0x0f)), reader, size, into);
      }
    }
    return size;
  }

  /// RFC 7541 §6.3.
  private void updateSize(BlockReader reader) throws HpackException {
    int bytes = reader.integer(reader.octet(), 0x1f);
    if (bytes > updateBytesMax) {
      throw new HpackException("RFC 7541 6.3: table size update over SETTINGS_HEADER_TABLE_SIZE");
    }
    table.resize(bytes);
    updateDue = false;
  }

  /// RFC 7541 §6.2.1.
  private long insert(@Nullable Field named, BlockReader reader, long size, Fields into)
      throws HpackException {
    int fieldBytes = literalSize(named, reader);
    size += fieldBytes;
    // A field that neither the section nor the table can take is not made. RFC 7541 §4.4: it still
    // empties the table.
    if (size > fieldBytesMax && fieldBytes > table.bytesMax()) {
      table.clear();
      return size;
    }
    var field = reader.field(named);
    table.insert(field);
    if (size <= fieldBytesMax) into.add(field);
    return size;
  }

  private long literal(@Nullable Field named, BlockReader reader, long size, Fields into)
      throws HpackException {
    int from = reader.position();
    if (named == null) reader.skipString();
    reader.skipString();
    int to = reader.position();
    var name = named == null ? null : named.name();
    boolean small = to - from <= RecentLiterals.BYTES_MAX;
    int hash = 0;
    if (small) {
      hash = RecentLiterals.hash(name, reader.octets(), from, to);
      var known = recent.find(name, hash, reader.octets(), from, to);
      if (known != null) return add(known, size, into);
    }
    reader.rewind(from);
    size += literalSize(named, reader);
    if (size > fieldBytesMax) return size;
    var field = reader.field(named);
    into.add(field);
    if (small) recent.missed(name, hash, reader.octets(), from, to, field);
    return size;
  }

  private static int literalSize(@Nullable Field named, BlockReader reader) throws HpackException {
    int nameBytes = named == null ? 0 : named.name().length();
    return reader.literal(named == null) + nameBytes + Field.OVERHEAD_BYTES;
  }

  private long add(Field field, long size, Fields into) {
    size += field.size();
    if (size <= fieldBytesMax) into.add(field);
    return size;
  }

  /// The field whose name a literal takes, or null when the name follows (RFC 7541 §6.2).
  private @Nullable Field named(int index) throws HpackException {
    return index == 0 ? null : field(index);
  }

  /// RFC 7541 §2.3.3.
  private Field field(int index) throws HpackException {
    if (index == 0) throw new HpackException("RFC 7541 6.1: index 0");
    if (index <= StaticTable.LENGTH) return StaticTable.field(index);
    int age = index - StaticTable.LENGTH - 1;
    if (age >= table.length()) throw new HpackException("RFC 7541 2.3.3: index past both tables");
    return table.get(age);
  }
}
