package dev.weftline.protoc;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/// Comments as protoc passes them on: without `//`, with the space behind it.
final class CommentsTest {
  @Test
  void linesAndListsStayWhatTheyWere() {
    assertThat(Comments.javadoc(" One.\n\n - a\n   more of a\n - b\n\n"))
        .isEqualTo(
            """
            /// One.
            ///
            /// - a
            ///   more of a
            /// - b
            """);
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "\n", "  \n \n", "**\n", "*"})
  void noWordsAreNoComment(String comment) {
    assertThat(Comments.javadoc(comment)).isEmpty();
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '→',
      quoteCharacter = '^',
      textBlock =
          """
          a < b > c                → a &lt; b > c
          @see                     → &#64;see
          {@code x}                → {&#64;code x}
          me@example.com           → me@example.com
          [User]                   → \\[User]
          [the user][acme.User]    → \\[the user]\\[acme.User]
          [a link](https://a.b)    → [a link](https://a.b)
          `List<User>` <           → `List<User>` &lt;
          `@Override`              → `&#64;Override`
          \\[x] \\< \\\\[x]           → \\[x] \\< \\\\\\[x]
          ``a ` <b>`` <            → ``a ` <b>`` &lt;
          `never closed <          → \\`never closed &lt;
          C:\\users                 → C:&#92;users
          `\\u0041` \\\\u            → `&#92;u0041` &#92;&#92;u
          100 % $1 \\1              → 100 % $1 \\1
          """)
  void whatOnlyJavaUnderstandsIsEscaped(String comment, String javadoc) {
    assertThat(Comments.javadoc(" " + comment)).isEqualTo("/// " + javadoc + "\n");
  }

  @Test
  void codeIsNotEscaped() {
    var code =
        """
        Fenced:
        ```
        List<User> [x]
        me@example.com
        ```
        Indented:

            List<User> [x]

            me@example.com
        """;
    assertThat(Comments.javadoc(code.indent(1)))
        .isEqualTo(code.replaceAll("(?m)^", "/// ").replaceAll("(?m) $|/// \\z", ""));
  }

  /// A paragraph goes on when its next line is indented.
  @Test
  void anIndentedLineOfAParagraphIsNoCode() {
    assertThat(Comments.javadoc(" one\n     <two>\n")).isEqualTo("/// one\n///     &lt;two>\n");
  }
}
