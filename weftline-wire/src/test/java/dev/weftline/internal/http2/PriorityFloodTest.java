package dev.weftline.internal.http2;

import static dev.weftline.internal.testing.Frame.priority;

/// CVE-2019-9513: PRIORITY frames, deprecated and without effect.
class PriorityFloodTest extends OverheadFlood {
  PriorityFloodTest() {
    super(priority(1, 3, 7));
  }
}
