package dev.weftline.internal.hpack;

import dev.weftline.internal.http.Field;
import dev.weftline.internal.http.Fields;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.util.HexFormat;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.Warmup;

/// What a call's field sections cost: the request as nghttp2 sends it again and again, the response
/// as we do.
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Warmup(iterations = 3, time = 2)
@Measurement(iterations = 5, time = 2)
@Fork(1)
public class HpackBenchmark {
  /// h2load's first request on a connection: fills the dynamic table.
  private static final ByteBuf FIRST =
      block(
          "049663c1654d06a8abc65a893d23b3aa17c65a283b1b87eb86418b089d5c0b8170dc0bc07dff837a8f9c541c722954d3a535"
              + "8980aed897075f8b1d75d0620d263d4c4d656440027465864d833505b11f0f0d023137");

  /// Each later one: `:path` and `content-length` as Huffman-coded literals, all else from the
  /// table.
  private static final ByteBuf LATER =
      block("049663c1654d06a8abc65a893d23b3aa17c65a283b1b87eb86c183c0bfbe0f0d023137");

  private static final Fields RESPONSE =
      Fields.constant(Field.of(":status", "200"), Field.of("content-type", "application/grpc"));

  private final HpackDecoder decoder = new HpackDecoder(4_096, 16 << 10);
  private final HpackEncoder encoder = new HpackEncoder(4_096);
  private final ByteBuf out = Unpooled.directBuffer(256);
  private long calls;

  private static ByteBuf block(String hex) {
    return Unpooled.wrappedBuffer(HexFormat.of().parseHex(hex));
  }

  @Setup
  public void firstRequest() throws HpackException {
    decoder.decode(FIRST.duplicate(), new Fields(16));
  }

  @Benchmark
  public Fields decodeRequest() throws HpackException {
    var fields = new Fields(8);
    decoder.decode(LATER.readerIndex(0), fields);
    return fields;
  }

  @Benchmark
  public ByteBuf encodeResponse() {
    out.clear();
    encoder.encode(RESPONSE, out);
    return out;
  }

  /// A value never seen before, as an id or a time is.
  @Benchmark
  public ByteBuf encodeTrailersWithNewValue() {
    out.clear();
    encoder.encode(
        Fields.of(Field.of("grpc-status", "0"), Field.of("x-call", Long.toString(calls++))), out);
    return out;
  }
}
