/// The test kit: peers that speak frames to a real engine, in memory or over a loopback socket.
@NullMarked
package dev.weftline.internal.testing;

import org.jspecify.annotations.NullMarked;
