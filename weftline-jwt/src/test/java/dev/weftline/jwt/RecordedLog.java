package dev.weftline.jwt;

import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.logging.Handler;
import java.util.logging.Level;
import java.util.logging.LogRecord;
import java.util.logging.Logger;
import java.util.logging.SimpleFormatter;

/// What the guard tells the log, while open.
final class RecordedLog extends Handler implements AutoCloseable {
  private final Logger logger = Logger.getLogger(JwtGuard.class.getName());
  private final @org.jspecify.annotations.Nullable Level before = logger.getLevel();
  private final List<String> lines = new CopyOnWriteArrayList<>();
  private final SimpleFormatter formatter = new SimpleFormatter();

  RecordedLog(Level level) {
    logger.setLevel(level);
    logger.addHandler(this);
    setLevel(Level.ALL);
  }

  List<String> lines() {
    return lines;
  }

  @Override
  public void publish(LogRecord record) {
    lines.add(formatter.formatMessage(record));
  }

  @Override
  public void flush() {}

  @Override
  public void close() {
    logger.removeHandler(this);
    logger.setLevel(before);
  }
}
