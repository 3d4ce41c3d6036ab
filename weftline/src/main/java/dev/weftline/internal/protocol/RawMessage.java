package dev.weftline.internal.protocol;

/// A received message as it came, still to be decompressed and parsed on the call thread. The array
/// is not shared.
@SuppressWarnings("ArrayRecordComponent") // identity is enough: it is made, taken and parsed once
public record RawMessage(byte[] bytes, boolean compressed) {}
