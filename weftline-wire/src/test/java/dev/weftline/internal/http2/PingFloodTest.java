package dev.weftline.internal.http2;

import static dev.weftline.internal.testing.Frame.ping;

/// CVE-2019-9512: PINGs, each of which wants an acknowledgement.
class PingFloodTest extends OverheadFlood {
  PingFloodTest() {
    super(ping(1));
  }
}
