package dev.weftline.internal.net;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.netty.channel.epoll.Epoll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/// Which transport a process gets.
final class TransportTest {
  @AfterEach
  void forget() {
    System.clearProperty("weftline.transport");
  }

  @Test
  void epollIsPreferredWhereThereIsOne() {
    assertThat(Transport.preferred())
        .isEqualTo(Epoll.isAvailable() ? Transport.EPOLL : Transport.NIO);
  }

  @Test
  void theSystemPropertyDecides() {
    System.setProperty("weftline.transport", "nio");
    assertThat(Transport.preferred()).isEqualTo(Transport.NIO);
  }

  @Test
  void anUnknownNameIsToldInOneSentence() {
    System.setProperty("weftline.transport", "kqueue");
    assertThatThrownBy(Transport::preferred)
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("weftline.transport is kqueue, but only epoll, io_uring and nio are known");
  }

  @Test
  void aServerHasAtLeastOneLoop() {
    assertThatThrownBy(() -> Loops.open(Transport.NIO, 0))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("loops: 0");
  }
}
