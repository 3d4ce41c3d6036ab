package dev.weftline;

import java.time.Duration;

/// Of a server that does not tell.
final class NeverDraining implements Drain {
  static final Drain INSTANCE = new NeverDraining();

  private NeverDraining() {}

  @Override
  public boolean hasBegun() {
    return false;
  }

  @Override
  public boolean await(Duration timeout) throws InterruptedException {
    Thread.sleep(timeout);
    return false;
  }

  @Override
  public void onBegin(Runnable hook) {}
}
