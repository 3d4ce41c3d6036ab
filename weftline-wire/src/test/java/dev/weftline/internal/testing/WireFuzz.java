package dev.weftline.internal.testing;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import dev.weftline.internal.http2.ErrorCode;
import dev.weftline.internal.http2.Http2Limits;
import java.io.ByteArrayOutputStream;
import java.time.Duration;
import java.util.Arrays;
import java.util.Random;

/// Bytes that are hardly HTTP/2, against a real engine: garbage, garbage behind frame headers, and
/// honest traffic with octets changed, lost, doubled or moved. Whatever comes, the engine answers
/// with frames, resets or a GOAWAY, never with INTERNAL_ERROR, which stands for an exception of
/// ours; and the invariants hold.
public final class WireFuzz {
  private final Random random;
  private final InMemoryLoop loop = new InMemoryLoop();

  private WireFuzz(long seed) {
    random = new Random(seed);
  }

  /// Runs one seed; its AssertionError says what the engine did wrong.
  public static void run(long seed) {
    var fuzz = new WireFuzz(seed);
    try (var loop = fuzz.loop) {
      fuzz.runs();
      loop.exchanges().checkNoFaults();
    }
  }

  private void runs() {
    var limits = new Http2Limits(10, 1_000, 5_000, 50_000, 10_000, 4_096);
    var link = new ChoppingLink(loop.connection(limits), random);
    var peer = new ScriptedPeer(link);
    if (random.nextInt(20) != 0) peer.shakesHands();
    link.beginsToChop();
    for (int i = 1 + random.nextInt(5); i > 0; i--) {
      peer.sendsRaw(
          switch (random.nextInt(4)) {
            case 0 -> garbage(random.nextInt(200));
            case 1, 2 -> mutated(traffic());
            default -> framed();
          });
      link.delivers(random.nextBoolean());
      readsOn(peer);
    }
    link.delivers(true);
    readsOn(peer);
    loop.passes(Duration.ofSeconds(20));
    readsOn(peer);
  }

  private static void readsOn(ScriptedPeer peer) {
    for (var frame : peer.takesAll()) {
      if (frame instanceof Frame.GoAway goAway
          && goAway.code() == ErrorCode.INTERNAL_ERROR.code()) {
        throw new AssertionError("an exception of ours: " + goAway);
      }
      if (frame instanceof Frame.RstStream reset
          && reset.code() == ErrorCode.INTERNAL_ERROR.code()) {
        throw new AssertionError("an exception of ours: " + reset);
      }
    }
  }

  private byte[] garbage(int length) {
    byte[] garbage = new byte[length];
    random.nextBytes(garbage);
    return garbage;
  }

  /// Frames of any type, flags and stream, with a payload that has nothing to do with them.
  private byte[] framed() {
    var frames = new Frame[1 + random.nextInt(20)];
    for (int i = 0; i < frames.length; i++) {
      int type = random.nextInt(12);
      int length = random.nextInt(4) == 0 ? random.nextInt(300) : random.nextInt(16);
      var payload = new String(garbage(length), ISO_8859_1);
      frames[i] = Frame.raw(type, random.nextInt(256), random.nextInt(9), payload);
    }
    return new PeerCodec().encode(frames);
  }

  private byte[] traffic() {
    var codec = new PeerCodec();
    if (random.nextBoolean()) codec.fragmentBytes(1 + random.nextInt(60));
    var bytes = new ByteArrayOutputStream();
    int first = 1 + 2 * random.nextInt(20);
    for (int id = first; id < first + 2 * random.nextInt(8); id += 2) {
      var request = Frame.request("POST", random.nextBoolean() ? "/echo" : "/hello");
      request.add("x-" + random.nextInt(9), "y".repeat(random.nextInt(100)));
      bytes.writeBytes(codec.encode(Frame.headers(id, request, random.nextInt(4) == 0)));
      for (int i = random.nextInt(6); i > 0; i--) {
        var frame =
            switch (random.nextInt(6)) {
              case 0 -> Frame.data(id, "z".repeat(random.nextInt(2_000)));
              case 1 -> Frame.paddedData(id, "z", random.nextInt(256), random.nextBoolean());
              case 2 -> Frame.windowUpdate(random.nextBoolean() ? 0 : id, 1 + random.nextInt(999));
              case 3 -> Frame.settings(random.nextInt(8), random.nextInt(70_000));
              case 4 -> Frame.rstStream(id, ErrorCode.CANCEL);
              default -> Frame.trailers(id, Frame.fields("a", "b"));
            };
        bytes.writeBytes(codec.encode(frame));
      }
    }
    return bytes.toByteArray();
  }

  private byte[] mutated(byte[] bytes) {
    for (int i = random.nextInt(6); i > 0 && bytes.length > 0; i--) {
      int at = random.nextInt(bytes.length);
      int end = Math.min(bytes.length, at + random.nextInt(30));
      switch (random.nextInt(5)) {
        case 0 -> bytes[at] = (byte) random.nextInt(256);
        case 1 -> bytes[at] ^= (byte) (1 << random.nextInt(8));
        case 2 -> bytes = joined(bytes, at, bytes, end); // lost
        case 3 -> bytes = joined(bytes, end, bytes, at); // doubled
        default -> bytes = Arrays.copyOf(bytes, at); // cut off
      }
    }
    return bytes;
  }

  /// `head` up to `end`, and `tail` from `start`.
  private static byte[] joined(byte[] head, int end, byte[] tail, int start) {
    byte[] joined = Arrays.copyOf(head, end + tail.length - start);
    System.arraycopy(tail, start, joined, end, tail.length - start);
    return joined;
  }
}
