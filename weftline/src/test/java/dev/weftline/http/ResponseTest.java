package dev.weftline.http;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.net.InetSocketAddress;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/// What a response may say, and how a request is read.
final class ResponseTest {
  @Test
  void textAndJsonAreUtf8() {
    var text = Response.text(200, "grün");
    assertThat(text.body()).isEqualTo("grün".getBytes(UTF_8));
    assertThat(text.fields())
        .containsExactly(Map.entry("content-type", "text/plain; charset=utf-8"));
    assertThat(Response.json(200, "{}").fields())
        .containsExactly(Map.entry("content-type", "application/json"));
  }

  /// RFC 9110 §5.3: only set-cookie cannot be one list.
  @Test
  void aFieldTakesThePlaceOfThoseOfItsName() {
    var response =
        Response.text(200, "")
            .with("Content-Type", "text/html")
            .with("Set-Cookie", "a=1")
            .with("Set-Cookie", "b=2");
    assertThat(response.fields())
        .containsExactly(
            Map.entry("content-type", "text/html"),
            Map.entry("set-cookie", "a=1"),
            Map.entry("set-cookie", "b=2"));
  }

  /// RFC 9110 §5.5: response splitting.
  @ParameterizedTest
  @ValueSource(strings = {"a\r\nset-cookie: b", "a\nb", "a\rb", "a\0b", "a\u007fb", "a\u0001", "€"})
  void aValueThatCouldBeMoreThanAValueIsRefused(String value) {
    assertThatThrownBy(() -> Response.text(200, "").with("x", value))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("the value of x may not be sent in a field");
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "a b", "a:", ":status", "a\r\n", "ä"})
  void aNameIsAToken(String name) {
    assertThatThrownBy(() -> new Response(200, List.of(Map.entry(name, "")), new byte[0]))
        .isInstanceOf(IllegalArgumentException.class);
  }

  /// RFC 9113 §8.2.2, RFC 9112 §6.
  @ParameterizedTest
  @ValueSource(
      strings = {
        "Connection",
        "keep-alive",
        "proxy-connection",
        "transfer-encoding",
        "upgrade",
        "te",
        "content-length",
        "trailer"
      })
  void whatBelongsToTheConnectionIsRefused(String name) {
    assertThatThrownBy(() -> Response.text(200, "").with(name, "1"))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("the server itself");
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 100, 101, 199, 600})
  void aStatusIsAFinalOne(int status) {
    assertThatThrownBy(() -> Response.text(status, ""))
        .isInstanceOf(IllegalArgumentException.class);
  }

  @ParameterizedTest
  @ValueSource(ints = {204, 205, 304})
  void someHaveNoContent(int status) {
    assertThat(Response.text(status, "").body()).isEmpty();
    assertThatThrownBy(() -> Response.text(status, "x"))
        .isInstanceOf(IllegalArgumentException.class);
  }

  @ParameterizedTest
  @CsvSource(
      nullValues = "none",
      textBlock =
          """
          # query,         a
          '',              none
          a=1,             1
          b=2&a=1&a=3,     1
          a,               ''
          a=,              ''
          %61=%C3%BC+x,    'ü x'
          a=%zz,           none
          aa=1,            none
          """)
  void aParameterIsDecoded(String query, String value) {
    var request =
        new Request(
            "GET", "/", query, List.of(), new byte[0], InetSocketAddress.createUnresolved("a", 1));
    assertThat(request.parameter("a").orElse(null)).isEqualTo(value);
  }

  @Test
  void aFieldIsFoundInAnyCase() {
    var request =
        new Request(
            "GET",
            "/",
            "",
            List.of(Map.entry("x-a", "1"), Map.entry("x-a", "2")),
            new byte[0],
            InetSocketAddress.createUnresolved("a", 1));
    assertThat(request.field("X-A")).contains("1");
    assertThat(request.field("X-B")).isEmpty();
  }
}
