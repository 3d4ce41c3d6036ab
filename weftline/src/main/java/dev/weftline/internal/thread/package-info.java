@NullMarked
package dev.weftline.internal.thread;

import org.jspecify.annotations.NullMarked;
