@NullMarked
package dev.weftline.internal.protocol;

import org.jspecify.annotations.NullMarked;
