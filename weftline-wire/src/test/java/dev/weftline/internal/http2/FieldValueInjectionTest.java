package dev.weftline.internal.http2;

import static dev.weftline.internal.http2.ErrorCode.PROTOCOL_ERROR;
import static dev.weftline.internal.testing.Frame.END_STREAM;
import static dev.weftline.internal.testing.Frame.fields;
import static dev.weftline.internal.testing.Frame.headers;
import static dev.weftline.internal.testing.Frame.request;
import static dev.weftline.internal.testing.Frame.trailers;
import static org.assertj.core.api.Assertions.assertThat;

import dev.weftline.internal.testing.InMemoryLoop;
import dev.weftline.internal.testing.Invariants;
import dev.weftline.internal.testing.SocketLoop;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// RFC 9113 §8.2.1, §10.3: NUL, CR or LF in a value becomes another request, or another field,
/// behind an intermediary that writes HTTP/1.1.
@ExtendWith(Invariants.class)
class FieldValueInjectionTest {
  @ParameterizedTest
  @ValueSource(
      strings = {"a\r\nx-admin: 1", "a\nb", "a\rb", "a\0b", "\0", " a", "a ", "\ta", "a\t", " "})
  void aValueThatCouldBeMoreThanAValueIsRefused(String value, InMemoryLoop loop) {
    var attacker = loop.peer();
    for (var name : new String[] {"x", "content-type", ":path", ":authority", "cookie"}) {
      int id = attacker.newStreamId();
      var request = fields(":method", "GET", ":scheme", "http");
      if (!name.equals(":path")) request.add(":path", "/silent");
      attacker.sends(headers(id, request.add(name, value), END_STREAM));
      attacker.expectsReset(id, PROTOCOL_ERROR);
    }
    int id = attacker.newStreamId();
    attacker.sends(headers(id, "/silent"), trailers(id, fields("x", value)));
    attacker.expectsReset(id, PROTOCOL_ERROR);
    assertThat(loop.exchanges().last().trailers()).isNull();
    assertThat(loop.exchanges().total()).as("the one with the trailers").isEqualTo(1);
    attacker.callsSuccessfully("/echo");
  }

  /// The same value again, now from the table.
  @Test
  void aRefusedValueIsRefusedFromTheTableToo(InMemoryLoop loop) {
    var attacker = loop.peer();
    for (int i = 0; i < 3; i++) {
      int id = attacker.newStreamId();
      attacker.sends(headers(id, request("GET", "/echo").add("x", "a\r\nb"), END_STREAM));
      attacker.expectsReset(id, PROTOCOL_ERROR);
    }
    assertThat(loop.exchanges().total()).isZero();
  }

  @Test
  void othersOnTheLoopAreServedMeanwhile(SocketLoop loop) {
    var attacker = loop.peer();
    var other = loop.peer();
    for (int i = 0; i < 100; i++) {
      int id = attacker.newStreamId();
      attacker.sends(headers(id, request("GET", "/echo").add("x", "a\r\nb"), END_STREAM));
      other.callsSuccessfully("/echo");
    }
    assertThat(loop.exchanges().total()).isEqualTo(100);
  }
}
