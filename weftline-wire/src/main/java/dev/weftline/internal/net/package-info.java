/// Sockets: loops, what listens on them, and what a new connection turns out to speak.
@NullMarked
package dev.weftline.internal.net;

import org.jspecify.annotations.NullMarked;
