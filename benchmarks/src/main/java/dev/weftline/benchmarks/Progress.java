package dev.weftline.benchmarks;

import java.time.LocalTime;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;

/// What the one at the terminal sees: results on standard output, all else beside it.
@SuppressWarnings("SystemOut")
final class Progress {
  private static final DateTimeFormatter CLOCK = DateTimeFormatter.ofPattern("HH:mm:ss");

  private Progress() {}

  static void result(String text) {
    System.out.println(text);
  }

  static void say(String what) {
    System.err.println(LocalTime.now(ZoneOffset.UTC).format(CLOCK) + " " + what);
  }
}
