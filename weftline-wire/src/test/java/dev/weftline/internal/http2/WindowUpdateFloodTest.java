package dev.weftline.internal.http2;

import static dev.weftline.internal.testing.Frame.windowUpdate;

/// WINDOW_UPDATE frames that open nothing.
class WindowUpdateFloodTest extends OverheadFlood {
  WindowUpdateFloodTest() {
    super(windowUpdate(0, 1));
  }
}
