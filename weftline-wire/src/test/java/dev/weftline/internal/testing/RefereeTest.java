package dev.weftline.internal.testing;

import static dev.weftline.internal.testing.Frame.END_STREAM;
import static dev.weftline.internal.testing.Frame.INITIAL_WINDOW_SIZE;
import static dev.weftline.internal.testing.Frame.data;
import static dev.weftline.internal.testing.Frame.fields;
import static dev.weftline.internal.testing.Frame.goAway;
import static dev.weftline.internal.testing.Frame.headers;
import static dev.weftline.internal.testing.Frame.pingAck;
import static dev.weftline.internal.testing.Frame.rstStream;
import static dev.weftline.internal.testing.Frame.settings;
import static dev.weftline.internal.testing.Frame.settingsAck;
import static dev.weftline.internal.testing.Frame.windowUpdate;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.weftline.internal.http2.ErrorCode;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/// The referee objects: an engine that breaks a rule does not pass unseen.
class RefereeTest {
  private final Referee referee = new Referee();

  @BeforeEach
  void stream1IsOpen() {
    referee.received(settings());
    referee.sent(settings());
    referee.received(settingsAck());
    referee.sent(headers(1, "/", END_STREAM));
  }

  @Test
  void toDataBeforeHeaders() {
    objectsTo(data(1, "x"));
  }

  @Test
  void toDataPastTheStreamsWindow() {
    answers();
    referee.sent(windowUpdate(0, 1_000));
    referee.sent(windowUpdate(1, 5));
    for (int i = 0; i < 4; i++) referee.received(data(1, "x".repeat(16_384 - (i == 3 ? 1 : 0))));
    referee.received(data(1, "12345"));
    objectsTo(data(1, "6"));
  }

  @Test
  void toDataPastTheConnectionsWindow() {
    answers();
    referee.sent(windowUpdate(1, 1_000));
    for (int i = 0; i < 4; i++) referee.received(data(1, "x".repeat(16_384 - (i == 3 ? 1 : 0))));
    objectsTo(data(1, "x"));
  }

  @Test
  void toDataInAWindowThatSettingsMadeNegative() {
    answers();
    referee.received(data(1, "x".repeat(100)));
    referee.sent(settings(INITIAL_WINDOW_SIZE, 50));
    referee.received(data(1, "before it is acknowledged"));
    referee.received(settingsAck());
    objectsTo(data(1, "x"));
  }

  @Test
  void toFramesLargerThanAgreed() {
    answers();
    objectsTo(data(1, "x".repeat(16_385)));
  }

  @Test
  void toAnythingBehindTheEnd() {
    answers();
    referee.received(data(1, "", END_STREAM));
    objectsTo(data(1, "x"));
    objectsTo(headers(1, fields("a", "b"), END_STREAM));
  }

  @Test
  void toAnythingBehindAReset() {
    answers();
    referee.received(rstStream(1, ErrorCode.CANCEL));
    objectsTo(data(1, "x"));
    objectsTo(windowUpdate(1, 1));
  }

  @Test
  void toAnswersNobodyAskedFor() {
    objectsTo(headers(3, fields(":status", "200"), END_STREAM));
    objectsTo(rstStream(3, ErrorCode.CANCEL));
    objectsTo(windowUpdate(3, 1));
    objectsTo(settingsAck());
    objectsTo(pingAck(1));
  }

  @Test
  void toMalformedSections() {
    objectsTo(headers(1, fields("a", "b"), false));
    objectsTo(headers(1, fields("a", "b", ":status", "200"), false));
    answers();
    objectsTo(headers(1, fields("a", "b"), false));
    objectsTo(headers(1, fields(":status", "200"), END_STREAM));
    objectsTo(headers(1, fields("connection", "close"), END_STREAM));
  }

  @Test
  void toCreditThatIsNoneOrTooMuch() {
    objectsTo(windowUpdate(0, 0));
    objectsTo(windowUpdate(0, Integer.MAX_VALUE));
    objectsTo(windowUpdate(1, Integer.MAX_VALUE));
  }

  @Test
  void toALastStreamIdThatGrows() {
    referee.received(goAway(1, ErrorCode.NO_ERROR));
    objectsTo(goAway(3, ErrorCode.NO_ERROR));
  }

  @Test
  void toPushAndUnknownFrames() {
    objectsTo(settings(Frame.ENABLE_PUSH, 1));
    objectsTo(Frame.raw(5, 4, 1, "\0\0\0\2"));
    objectsTo(Frame.priority(1, 0, 1));
  }

  private void answers() {
    referee.received(headers(1, fields(":status", "200"), false));
  }

  private void objectsTo(Frame frame) {
    assertThatThrownBy(() -> referee.received(frame))
        .isInstanceOf(AssertionError.class)
        .hasMessageContaining("the engine sent");
  }
}
