package dev.weftline.protoc;

import java.util.regex.MatchResult;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/// Comments of a .proto as Java documentation.
///
/// They are written with `///`, where nothing ends a comment early, and read as Markdown, which is
/// what people write in a .proto: lists, code and links stay what they were. What only Javadoc
/// would understand (tags, references to Java, HTML) is escaped, except in code.
final class Comments {
  /// What is left of `/**`, `///` and `//!`, and the space behind it.
  private static final Pattern OPENING = Pattern.compile("^[*/!]* ?");

  private static final Pattern CONTROL = Pattern.compile("[\\p{Cntrl}&&[^\t]]");

  /// Code between backticks; or one of: `<`, a `[` that starts no link with an address, an `@` that
  /// starts a tag.
  private static final Pattern SPECIAL =
      Pattern.compile("(`+)(?!`).*?(?<!`)\\1(?!`)|<|\\[(?![^\\]]*\\]\\()|(?<=^\\s{0,9}|\\{)@");

  /// Java looks for unicode escapes in comments too (JLS §3.3), and refuses what is none.
  private static final Pattern UNICODE_ESCAPE = Pattern.compile("\\\\(?=\\\\*u)");

  private boolean fenced; // between two lines of ```
  private boolean code; // indented by four, below an empty line
  private boolean belowEmpty = true;

  private Comments() {}

  /// Whole lines; nothing at all for an empty comment.
  static String javadoc(String comment) {
    var text =
        comment
            .lines()
            .map(line -> OPENING.matcher(line).replaceFirst(""))
            .map(line -> CONTROL.matcher(line).replaceAll(" "))
            .collect(Collectors.joining("\n"))
            .replaceAll("\\A\\s*\n|\\s+\\z", "");
    var comments = new Comments();
    return text.lines().map(comments::javadocLine).collect(Collectors.joining());
  }

  private String javadocLine(String line) {
    boolean fence = line.strip().startsWith("```");
    code = line.startsWith("    ") && (code || belowEmpty);
    belowEmpty = line.isBlank();
    var text = fence || fenced || code ? line : escaped(line);
    fenced ^= fence;
    return ("/// " + UNICODE_ESCAPE.matcher(text).replaceAll("&#92;")).stripTrailing() + "\n";
  }

  private static String escaped(String line) {
    return SPECIAL.matcher(line).replaceAll(Comments::escaped);
  }

  private static String escaped(MatchResult special) {
    return Matcher.quoteReplacement(
        switch (special.group()) {
          case "<" -> "&lt;";
          case "[" -> "\\[";
          case "@" -> "&#64;";
          default -> special.group();
        });
  }
}
