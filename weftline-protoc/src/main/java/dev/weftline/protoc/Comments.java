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

  private static final Pattern FENCE = Pattern.compile("(```+|~~~+) *[\\w+.-]*");

  private static final Pattern EMPTY = Pattern.compile("[ \t]*");

  private static final Pattern LIST_ITEM =
      Pattern.compile("\\s*([-*+]|\\d+[.)])(\\s.*)?", Pattern.DOTALL);

  /// An `@` that is not that of a mail address. Javadoc looks for tags in code too.
  private static final Pattern TAG = Pattern.compile("(?<![\\w.])@");

  /// What Markdown or Javadoc could take for more than text, in the order in which Markdown looks.
  private static final Pattern SPECIAL =
      Pattern.compile(
          """
          \\\\\\p{Punct} # what is escaped already
          | (?<!`) (`+) (?!`) .+? (?<!`) \\1 (?!`) # code
          | \\[ [\\w\\s.,-]+ \\] \\( https?://[\\w./?=&%:-]+ \\#? [\\w-]* \\) # a link with an address
          | `+ | ~~~+ # the start of code that does not end here
          | [<\\[]\
          """,
          Pattern.COMMENTS | Pattern.DOTALL);

  /// Java looks for unicode escapes in comments too (JLS §3.3), and refuses what is none.
  private static final Pattern UNICODE_ESCAPE = Pattern.compile("\\\\(?=\\\\*u)");

  private String fence = ""; // what opened the fenced code that we are in
  private boolean indented; // in code that is indented by four, below an empty line
  private boolean belowEmpty = true;
  private boolean inList;

  private Comments() {}

  /// Whole lines; nothing at all for an empty comment.
  static String javadoc(String comment) {
    var text =
        comment
            .lines()
            .map(line -> OPENING.matcher(line).replaceFirst(""))
            .map(line -> CONTROL.matcher(line).replaceAll(" "))
            .collect(Collectors.joining("\n"))
            .stripIndent()
            .replaceAll("\\A\\s*\n|\\s+\\z", "");
    var comments = new Comments();
    return text.lines().map(comments::javadocLine).collect(Collectors.joining());
  }

  private String javadocLine(String line) {
    var markdown = isCode(line) ? line : SPECIAL.matcher(line).replaceAll(Comments::escaped);
    var text = TAG.matcher(markdown).replaceAll("&#64;");
    return ("/// " + UNICODE_ESCAPE.matcher(text).replaceAll("&#92;")).stripTrailing() + "\n";
  }

  /// Whether a line is part of a block of code. In doubt it is not: escapes that are visible are
  /// better than documentation that does not build.
  private boolean isCode(String line) {
    if (!fence.isEmpty()) {
      if (line.strip().matches(Pattern.quote(fence) + "+") && !line.startsWith("    ")) fence = "";
      return true;
    }
    var opening = FENCE.matcher(line);
    if (opening.matches()) {
      fence = opening.group(1);
      indented = false;
      inList = false;
      return true;
    }
    boolean empty = EMPTY.matcher(line).matches();
    boolean endsList = belowEmpty && !empty && !line.startsWith(" ");
    inList = LIST_ITEM.matcher(line).matches() || (inList && !endsList);
    indented = line.startsWith("    ") && !inList && (indented || belowEmpty);
    belowEmpty = empty;
    return indented;
  }

  private static String escaped(MatchResult special) {
    var text = special.group();
    return Matcher.quoteReplacement(
        switch (text) {
          case "<" -> "&lt;";
          case "[" -> "\\[";
          default -> text.matches("`+|~+") ? text.replaceAll("[`~]", "\\\\$0") : text;
        });
  }
}
