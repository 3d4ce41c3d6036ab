package dev.weftline.internal.http2;

import static dev.weftline.internal.testing.Frame.MAX_FRAME_SIZE;
import static dev.weftline.internal.testing.Frame.settings;

/// CVE-2019-9515: SETTINGS, each of which wants an acknowledgement and to be applied.
class SettingsFloodTest extends OverheadFlood {
  SettingsFloodTest() {
    super(settings(MAX_FRAME_SIZE, 20_000));
  }
}
