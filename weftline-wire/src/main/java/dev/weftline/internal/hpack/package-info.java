@NullMarked
package dev.weftline.internal.hpack;

import org.jspecify.annotations.NullMarked;
